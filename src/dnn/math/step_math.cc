#include "dnn/math/step_math.h"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <utility>

#include "dnn/math/lane_loops.h"
#include "dnn/math/row_loops.h"
#include "dnn/math/step_rows.h"
#include "dnn/math/vector_math.h"
#include "dnn/runtime/over_rows.h"

namespace glimpse::dnn {
namespace {

/// tanh and its like cost as much as this many plain operations.
constexpr std::int64_t kTranscendental = 8;

Place place_of(const Array& places, std::int64_t row) { return {row_of(places, row)[0], row_of(places, row)[1]}; }

const float* weight_of(const ScoreInputs& in, std::int64_t image) {
  return row_of(in.weight, image % in.weight.dim(0));
}

}  // namespace

void lstm_forward(std::span<const Part> parts, const Array& c_before, const Array& gates, const Array& c,
                  const Array& h, int threads) {
  const std::int64_t n = c.dim(1);
  over_rows(c.dim(0), kTranscendental * n, threads, [&](std::int64_t row) {
    float* sum = row_of(gates, row);
    std::memcpy(sum, row_of(parts[0], row), static_cast<std::size_t>(4 * n) * sizeof(float));
    for (const Part& part : parts.subspan(1)) add_to(sum, row_of(part, row), 4 * n);
    lstm_forward(sum, row_of(c_before, row), row_of(c, row), row_of(h, row), n);
  });
}

void lstm_backward(const Array& gates, const Array& c_before, const Array& c, const Array& d_h, const Array& d_c,
                   const Array& d_gates, int threads) {
  const std::int64_t n = c.dim(1);
  over_rows(c.dim(0), kTranscendental * n, threads, [&](std::int64_t row) {
    lstm_backward({row_of(gates, row), row_of(c_before, row), row_of(c, row), d_h ? row_of(d_h, row) : nullptr,
                   row_of(d_c, row), row_of(d_gates, row)},
                  n);
  });
}

void attention_weights(const ScoreInputs& in, const Part& query, const Array& mask, const Array& alphas, int threads) {
  const std::int64_t size = in.keys.dim(1);
  over_images(*in.rows, alphas.dim(0), threads, [&](std::int64_t image, std::int64_t row) {
    const float* keys = row_of(in.keys, image * in.cells);
    float* alpha = row_of(alphas, row);
    if (in.function == ScoreFunction::kDot) {
      dots_with_rows(row_of(query, row), keys, in.cells, alpha, size);
    } else {
      const AdditiveScores scores = {keys, row_of(query, row), weight_of(in, image), alpha, in.cells, size};
      (in.function == ScoreFunction::kTanh ? additive_scores_tanh : additive_scores_relu)(scores);
    }
    if (mask) {
      const float* counts = row_of(mask, row);
      for (std::int64_t i = 0; i < in.cells; ++i) {
        if (counts[i] == 0) alpha[i] = kNever;
        if (counts[i] != 0 && counts[i] != 1) alpha[i] += std::log(counts[i]);
      }
    }
    softmax_in_place({alpha, static_cast<std::size_t>(in.cells)});
  });
}

void attention_weights_backward(const ScoreInputs& in, const Part& query, const Array& alphas,
                                const ScoreGradients& gradients, int threads) {
  const std::int64_t size = in.keys.dim(1);
  over_images(*in.rows, alphas.dim(0), threads, [&](std::int64_t image, std::int64_t row) {
    float* d_scores = row_of(gradients.d_alphas, row);
    softmax_d_src(row_of(alphas, row), d_scores, d_scores, in.cells);
    const float* keys = row_of(in.keys, image * in.cells);
    float* d_keys = row_of(gradients.d_keys, image * in.cells);
    float* d_query = row_of(gradients.d_query, row);
    if (in.function == ScoreFunction::kDot) {
      add_outer(d_scores, row_of(query, row), 1, d_keys, in.cells, size);
      std::vector<float> sum(static_cast<std::size_t>(size));
      weighted_rows(d_scores, keys, in.cells, sum.data(), size);
      add_to(d_query, sum.data(), size);
      return;
    }
    AdditiveScoresBackward scores;
    scores.keys = keys;
    scores.query = row_of(query, row);
    scores.weight = weight_of(in, image);
    scores.d_scores = d_scores;
    scores.d_keys = d_keys;
    scores.d_query = d_query;
    scores.d_weight = row_of(gradients.d_weights, image);
    scores.cells = in.cells;
    scores.size = size;
    (in.function == ScoreFunction::kTanh ? additive_scores_tanh_backward : additive_scores_relu_backward)(scores);
  });
}

void attention_read(const MemoryInputs& in, const Array& weights, const Array& context, int threads) {
  over_images(*in.rows, weights.dim(0), threads, [&](std::int64_t image, std::int64_t row) {
    weighted_rows(row_of(weights, row), row_of(in.memory, image * in.cells), in.cells, row_of(context, row),
                  in.memory.dim(1));
  });
}

void attention_read_d_weights(const MemoryInputs& in, const Array& d_context, const Array& d_weights, int threads) {
  over_images(*in.rows, d_weights.dim(0), threads, [&](std::int64_t image, std::int64_t row) {
    dots_with_rows(row_of(d_context, row), row_of(in.memory, image * in.cells), in.cells, row_of(d_weights, row),
                   in.memory.dim(1));
  });
}

void attention_d_memory(const MemoryInputs& in, std::span<const AttentionStep> steps, const Array& d_memory,
                        int threads) {
  const std::int64_t size = in.memory.dim(1);
  over_rows(static_cast<std::int64_t>(in.rows->size()), kGrain, threads, [&](std::int64_t image) {
    // An image's rows of all steps are gathered, so that its memory is gone over once.
    std::vector<float> weights;
    std::vector<float> queries;
    std::int64_t count = 0;
    for (const AttentionStep& step : steps) {
      for (const int row : (*in.rows)[static_cast<std::size_t>(image)]) {
        if (row >= step.weights.dim(0)) break;
        weights.insert(weights.end(), row_of(step.weights, row), row_of(step.weights, row) + in.cells);
        queries.insert(queries.end(), row_of(step.d_context, row), row_of(step.d_context, row) + size);
        ++count;
      }
    }
    add_outer(weights.data(), queries.data(), count, row_of(d_memory, image * in.cells), in.cells, size);
  });
}

void window_mask(const Array& places, const Window& window, const Array& dst, int threads) {
  over_rows(dst.dim(0), dst.dim(1), threads, [&](std::int64_t row) {
    const Place place = place_of(places, row);
    for (std::int64_t i = 0; i < dst.dim(1); ++i) {
      row_of(dst, row)[i] = place.sees(i, window) ? 1.0F : 0.0F;
    }
  });
}

void gaussian_window(const Array& places, const Window& window, const Array& src, const Array& dst, int threads) {
  over_rows(src.dim(0), kTranscendental * src.dim(1), threads, [&](std::int64_t row) {
    const Place place = place_of(places, row);
    for (std::int64_t i = 0; i < src.dim(1); ++i) row_of(dst, row)[i] = row_of(src, row)[i] * place.gaussian(i, window);
  });
}

void gaussian_window_backward(const Array& places, const Window& window, const Array& src, const Array& d_dst,
                              const Array& d_src, const Array& d_places, int threads) {
  const float variance = window.sigma() * window.sigma();
  over_rows(src.dim(0), kTranscendental * src.dim(1), threads, [&](std::int64_t row) {
    const Place place = place_of(places, row);
    float d_down = 0;
    float d_across = 0;
    for (std::int64_t i = 0; i < src.dim(1); ++i) {
      const float share = row_of(d_dst, row)[i] * place.gaussian(i, window);
      row_of(d_src, row)[i] = share;
      const auto [down, across] = place.to(i, window);
      d_down += share * row_of(src, row)[i] * down;
      d_across += share * row_of(src, row)[i] * across;
    }
    row_of(d_places, row)[0] = place.finite() ? d_down / variance : 0;
    row_of(d_places, row)[1] = place.finite() ? d_across / variance : 0;
  });
}

void gate_forward(const Array& src, const Part& gate, const Array& open, const Array& dst, int threads) {
  const std::int64_t size = src.dim(1);
  over_rows(src.dim(0), kTranscendental * size, threads, [&](std::int64_t row) {
    std::copy_n(row_of(gate, row), open.dim(1), row_of(open, row));
    sigmoid_in_place({row_of(open, row), static_cast<std::size_t>(open.dim(1))});
    if (open.dim(1) == size) {
      multiply(row_of(src, row), row_of(open, row), row_of(dst, row), size);
    } else {
      scale({row_of(src, row), static_cast<std::size_t>(size)}, *row_of(open, row), row_of(dst, row));
    }
  });
}

void gate_backward(const Array& src, const Array& open, const Array& d_dst, const Array& d_src, const Part& d_gate,
                   int threads) {
  const std::int64_t size = src.dim(1);
  over_rows(src.dim(0), size, threads, [&](std::int64_t row) {
    const float* x = row_of(src, row);
    const float* d = row_of(d_dst, row);
    if (open.dim(1) == size) {
      gate_backward(x, row_of(open, row), d, row_of(d_src, row), row_of(d_gate, row), size);
      return;
    }
    const float y = *row_of(open, row);
    *row_of(d_gate, row) += dot(d, x, size) * y * (1 - y);
    add_scaled(d, y, row_of(d_src, row), size);
  });
}

}  // namespace glimpse::dnn
