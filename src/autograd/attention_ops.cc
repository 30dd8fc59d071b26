#include "autograd/attention_ops.h"

#include <algorithm>
#include <cmath>
#include <utility>

#include "autograd/map_ops.h"
#include "autograd/row_ops.h"
#include "autograd/step_pieces.h"
#include "dnn/kernels/array_math.h"
#include "dnn/math/row_math.h"

namespace glimpse::train {

using dnn::Array;

namespace {

/// Of alphas in logarithms: what underflowed still has one, and x log x goes to 0 with x anyhow.
constexpr float kLeast = 1e-30F;

}  // namespace

struct RepeatedScores::Shared {
  Tape& tape;
  dnn::ScoreFunction function;
  Variable keys;
  Variable weight;  ///< none for dot products
  Gaze gaze;
  Variable anchor = {};
  Array d_weights = {};  ///< [images, A]: each image's part of the weight's gradient

  dnn::ScoreInputs inputs() const {
    return {function, keys.value(), weight ? weight.value() : Array(), gaze.cells, &gaze.rows};
  }

  void step_back(const Piece& query, const Array& alphas, const Array& d_alphas) {
    dnn::Kernels& kernels = tape.kernels();
    if (weight && !d_weights) d_weights = kernels.zeros({std::ssize(gaze.rows), weight.dim(1)});
    dnn::ScoreGradients gradients;
    gradients.d_alphas = d_alphas.unique() ? d_alphas : kernels.copy(d_alphas);
    gradients.d_query = gradient_part(tape, query);
    gradients.d_keys = gradient_part(tape, {keys}).matrix;
    gradients.d_weights = d_weights;
    dnn::attention_weights_backward(inputs(), part_of(query), alphas, gradients, kernels.threads());
    if (anchor && anchor.needs_gradient()) tape.gradient_to_add_to(anchor);
  }
};

RepeatedScores::RepeatedScores(Tape& tape, dnn::ScoreFunction function, Variable keys, Variable weight, Gaze gaze)
    : shared_(std::make_shared<Shared>(Shared{tape, function, std::move(keys), std::move(weight), std::move(gaze)})) {
  if (!shared_->weight) return;
  shared_->anchor = anchor(tape, {shared_->weight}, [shared = shared_] {
    Tape& t = shared->tape;
    const Array& sum = t.gradient_to_add_to(shared->weight);
    const Array d_weights = std::exchange(shared->d_weights, {});
    dnn::add_column_sums(d_weights.reshaped({d_weights.count() / sum.count(), sum.count()}),
                         sum.reshaped({sum.count()}), t.kernels().threads());
  });
}

Variable RepeatedScores::operator()(const Piece& query, std::int64_t rows, const Array& mask) const {
  Tape& tape = shared_->tape;
  const Array alphas = tape.kernels().take({rows, shared_->gaze.cells});
  dnn::attention_weights(shared_->inputs(), part_of(query), mask, alphas, tape.kernels().threads());
  std::vector<Variable> inputs = {query.matrix, shared_->keys};
  if (shared_->anchor) inputs.push_back(shared_->anchor);
  return tape.record(alphas, inputs, [query, alphas, shared = shared_](const Array& gradient) {
    shared->step_back(query, alphas, gradient);
  });
}

struct RepeatedRead::Shared {
  Tape& tape;
  Variable memory;
  Gaze gaze;
  Variable anchor = {};
  std::vector<dnn::AttentionStep> steps = {};  ///< that have been walked back through

  dnn::MemoryInputs inputs() const { return {memory.value(), gaze.cells, &gaze.rows}; }
};

RepeatedRead::RepeatedRead(Tape& tape, Variable memory, Gaze gaze)
    : shared_(std::make_shared<Shared>(Shared{tape, std::move(memory), std::move(gaze)})) {
  shared_->anchor = anchor(tape, {shared_->memory}, [shared = shared_] {
    Tape& t = shared->tape;
    dnn::attention_d_memory(shared->inputs(), std::exchange(shared->steps, {}), t.gradient_to_add_to(shared->memory),
                            t.kernels().threads());
  });
}

Variable RepeatedRead::operator()(const Variable& weights) const {
  Tape& tape = shared_->tape;
  const Array context = tape.kernels().take({weights.dim(0), shared_->memory.dim(1)});
  dnn::attention_read(shared_->inputs(), weights.value(), context, tape.kernels().threads());
  return tape.record(context, {weights, shared_->anchor}, [weights, shared = shared_](const Array& gradient) {
    Tape& t = shared->tape;
    if (weights.needs_gradient()) {
      const Array d_weights = t.kernels().take(weights.shape());
      dnn::attention_read_d_weights(shared->inputs(), gradient, d_weights, t.kernels().threads());
      t.add_gradient(weights, d_weights);
    }
    if (!shared->anchor.needs_gradient()) return;
    shared->steps.push_back({weights.value(), gradient});
    t.gradient_to_add_to(shared->anchor);
  });
}

Variable split_heads(Tape& tape, const Variable& src, std::int64_t cells, std::int64_t heads) {
  dnn::Kernels& kernels = tape.kernels();
  const Array dst = kernels.take({src.dim(0) * heads, src.dim(1) / heads});
  dnn::split_heads(src.value(), cells, dst, kernels.threads());
  return tape.record(dst, {src}, [&tape, src, cells](const Array& gradient) {
    const Array d_src = tape.kernels().take(src.shape());
    dnn::merge_heads(gradient, cells, d_src, tape.kernels().threads());
    tape.add_gradient(src, d_src);
  });
}

Variable merge_heads(Tape& tape, const Variable& src, std::int64_t cells, std::int64_t heads) {
  dnn::Kernels& kernels = tape.kernels();
  const Array dst = kernels.take({src.dim(0) / heads, src.dim(1) * heads});
  dnn::merge_heads(src.value(), cells, dst, kernels.threads());
  return tape.record(dst, {src}, [&tape, src, cells](const Array& gradient) {
    const Array d_src = tape.kernels().take(src.shape());
    dnn::split_heads(gradient, cells, d_src, tape.kernels().threads());
    tape.add_gradient(src, d_src);
  });
}

Variable self_attention(Tape& tape, const Variable& projected, std::int64_t cells, std::int64_t heads) {
  const std::int64_t channels = projected.dim(1) / 3;
  const std::int64_t width = channels / heads;
  const std::int64_t images = projected.dim(0) / cells;
  const auto part = [&](std::int64_t which) {
    const Variable columns = slice_columns(tape, projected, which * channels, channels);
    return reshape(tape, split_heads(tape, columns, cells, heads), {images * heads, cells, width});
  };
  Tensor factor({1, 1});
  factor.data()[0] = 1.0F / std::sqrt(static_cast<float>(width));
  const Variable query = scaled(tape, part(0), tape.constant(factor));
  const Variable scores = batched_product(tape, query, part(1), true);
  const Variable weights = softmax(tape, reshape(tape, scores, {images * heads * cells, cells}));
  const Variable read = batched_product(tape, reshape(tape, weights, {images * heads, cells, cells}), part(2), false);
  return merge_heads(tape, reshape(tape, read, {images * heads * cells, width}), cells, heads);
}

Gaze split_heads(const Gaze& gaze, std::int64_t heads) {
  Gaze split = {gaze.cells, {}};
  for (const std::vector<int>& rows : gaze.rows) {
    for (std::int64_t head = 0; head < heads; ++head) {
      std::vector<int>& own = split.rows.emplace_back();
      for (const int row : rows) own.push_back(static_cast<int>(row * heads + head));
    }
  }
  return split;
}

Variable gaussian_window(Tape& tape, const Variable& src, const Variable& places, const dnn::Window& window) {
  dnn::Kernels& kernels = tape.kernels();
  const Array dst = kernels.take(src.shape());
  dnn::gaussian_window(places.value(), window, src.value(), dst, kernels.threads());
  return tape.record(dst, {src, places}, [&tape, src, places, window](const Array& gradient) {
    dnn::Kernels& k = tape.kernels();
    const Array d_src = k.take(src.shape());
    const Array d_places = k.take(places.shape());
    dnn::gaussian_window_backward(places.value(), window, src.value(), gradient, d_src, d_places, k.threads());
    tape.add_gradient(src, d_src);
    tape.add_gradient(places, d_places);
  });
}

Variable log_at(Tape& tape, const Variable& alphas, const std::vector<int>& cells) {
  const std::int64_t cols = alphas.dim(1);
  const Array value = tape.kernels().take({alphas.dim(0), 1});
  for (std::int64_t row = 0; row < alphas.dim(0); ++row) {
    value.data()[row] =
        std::log(std::max(kLeast, alphas.value().data()[row * cols + cells[static_cast<std::size_t>(row)]]));
  }
  return tape.record(value, {alphas}, [&tape, alphas, cells, cols](const Array& gradient) {
    const Array d_alphas = tape.kernels().zeros(alphas.shape());
    for (std::int64_t row = 0; row < alphas.dim(0); ++row) {
      const std::int64_t at = row * cols + cells[static_cast<std::size_t>(row)];
      d_alphas.data()[at] = gradient.data()[row] / std::max(kLeast, alphas.value().data()[at]);
    }
    tape.add_gradient(alphas, d_alphas);
  });
}

Variable subtract(Tape& tape, const Variable& a, const Variable& b) {
  const Array minus = tape.kernels().take({1, 1});
  minus.data()[0] = -1;
  return add(tape, a, scaled(tape, b, tape.constant(minus)));
}

Variable mix(Tape& tape, const Variable& a, const Variable& b, const Variable& gate) {
  const Variable difference = subtract(tape, a, b);
  const bool one_number = gate.dim(1) == 1 && a.dim(1) > 1;
  return add(tape, one_number ? scale_rows(tape, difference, gate) : multiply(tape, difference, gate), b);
}

Variable moved_rows(Tape& tape, const Variable& src, const Array& moved) {
  return tape.record(moved, {src}, [&tape, src, moved](const Array& gradient) {
    const Array d_src = tape.kernels().copy(gradient);
    const std::int64_t cols = d_src.dim(1);
    for (std::int64_t row = 0; row < d_src.dim(0); ++row) {
      const float* before = src.value().data() + row * cols;
      if (!std::equal(before, before + cols, moved.data() + row * cols))
        std::fill_n(d_src.data() + row * cols, cols, 0.0F);
    }
    tape.add_gradient(src, d_src);
  });
}

Variable chosen(Tape& tape, const Variable& alphas, const std::vector<int>& cells) {
  const std::int64_t count = alphas.dim(1);
  const auto is_soft = [cells](std::int64_t row) { return cells[static_cast<std::size_t>(row)] < 0; };
  const Array dst = tape.kernels().zeros(alphas.shape());
  for (std::int64_t row = 0; row < alphas.dim(0); ++row) {
    if (is_soft(row)) {
      std::copy_n(alphas.value().data() + row * count, count, dst.data() + row * count);
    } else {
      dst.data()[row * count + cells[static_cast<std::size_t>(row)]] = 1;
    }
  }
  return tape.record(dst, {alphas}, [&tape, alphas, is_soft, count](const Array& gradient) {
    const Array d_alphas = tape.kernels().zeros(alphas.shape());
    for (std::int64_t row = 0; row < alphas.dim(0); ++row) {
      if (is_soft(row)) std::copy_n(gradient.data() + row * count, count, d_alphas.data() + row * count);
    }
    tape.add_gradient(alphas, d_alphas);
  });
}

Variable log_of_chosen(Tape& tape, const Variable& alphas, const std::vector<int>& cells,
                       const std::vector<float>& weights) {
  const auto probability = [alphas, cells](std::size_t row) {
    return std::max(kLeast, alphas.value().data()[static_cast<std::int64_t>(row) * alphas.dim(1) + cells[row]]);
  };
  double sum = 0;
  for (std::size_t row = 0; row < cells.size(); ++row) {
    if (cells[row] >= 0) sum += static_cast<double>(weights[row]) * std::log(static_cast<double>(probability(row)));
  }
  const Array dst = tape.kernels().take({1});
  dst.data()[0] = static_cast<float>(sum);
  return tape.record(dst, {alphas}, [&tape, alphas, cells, weights, probability](const Array& gradient) {
    const Array d_alphas = tape.kernels().zeros(alphas.shape());
    for (std::size_t row = 0; row < cells.size(); ++row) {
      if (cells[row] < 0) continue;
      d_alphas.data()[static_cast<std::int64_t>(row) * alphas.dim(1) + cells[row]] =
          gradient.data()[0] * weights[row] / probability(row);
    }
    tape.add_gradient(alphas, d_alphas);
  });
}

Variable entropy(Tape& tape, const Variable& alphas, const std::vector<float>& weights) {
  const std::int64_t count = alphas.dim(1);
  double sum = 0;
  for (std::int64_t i = 0; i < alphas.value().count(); ++i) {
    const double alpha = std::max(kLeast, alphas.value().data()[i]);
    sum -= static_cast<double>(weights[static_cast<std::size_t>(i / count)]) * alpha * std::log(alpha);
  }
  const Array dst = tape.kernels().take({1});
  dst.data()[0] = static_cast<float>(sum);
  return tape.record(dst, {alphas}, [&tape, alphas, weights, count](const Array& gradient) {
    const Array d_alphas = tape.kernels().take(alphas.shape());
    for (std::int64_t i = 0; i < d_alphas.count(); ++i) {
      const float slope = -1 - std::log(std::max(kLeast, alphas.value().data()[i]));
      d_alphas.data()[i] = gradient.data()[0] * weights[static_cast<std::size_t>(i / count)] * slope;
    }
    tape.add_gradient(alphas, d_alphas);
  });
}

Variable unit_rows(Tape& tape, const Variable& src) {
  dnn::Kernels& kernels = tape.kernels();
  const Array dst = kernels.take(src.shape());
  const Array norms = kernels.take({src.dim(0), 1});
  dnn::unit_rows(src.value(), dst, norms, kernels.threads());
  return tape.record(dst, {src}, [&tape, src, dst, norms](const Array& gradient) {
    const Array d_src = tape.kernels().take(src.shape());
    dnn::unit_rows_d_src(dst, norms, gradient, d_src, tape.kernels().threads());
    tape.add_gradient(src, d_src);
  });
}

Variable scaled(Tape& tape, const Variable& src, const Variable& factor) {
  dnn::Kernels& kernels = tape.kernels();
  const Array dst = kernels.take(src.shape());
  dnn::scale(src.value(), factor.value().data()[0], dst, kernels.threads());
  return tape.record(dst, {src, factor}, [&tape, src, factor](const Array& gradient) {
    dnn::Kernels& k = tape.kernels();
    if (src.needs_gradient()) {
      const Array d_src = k.take(src.shape());
      dnn::scale(gradient, factor.value().data()[0], d_src, k.threads());
      tape.add_gradient(src, d_src);
    }
    if (!factor.needs_gradient()) return;
    double sum = 0;
    for (std::int64_t i = 0; i < src.value().count(); ++i) {
      sum += static_cast<double>(gradient.data()[i]) * static_cast<double>(src.value().data()[i]);
    }
    tape.gradient_to_add_to(factor).data()[0] += static_cast<float>(sum);
  });
}

Variable unseen(Tape& tape, const std::vector<Variable>& alphas) {
  dnn::Kernels& kernels = tape.kernels();
  Array rest = kernels.take(alphas[0].shape());  // 1 − Σ_t
  std::ranges::fill(rest.values(), 1.0F);
  for (const Variable& step : alphas) {
    for (std::int64_t i = 0; i < step.value().count(); ++i) rest.data()[i] -= step.value().data()[i];
  }
  double sum = 0;
  for (const float value : rest.values()) sum += static_cast<double>(value) * static_cast<double>(value);
  const Array dst = kernels.take({1});
  dst.data()[0] = static_cast<float>(sum);
  return tape.record(dst, alphas, [&tape, alphas, rest](const Array& gradient) {
    const float factor = -2 * gradient.data()[0];
    for (const Variable& step : alphas) {
      const Array d_step = tape.kernels().take(step.shape());
      for (std::int64_t i = 0; i < d_step.count(); ++i) d_step.data()[i] = factor * rest.data()[i];
      tape.add_gradient(step, d_step);
    }
  });
}

}  // namespace glimpse::train
