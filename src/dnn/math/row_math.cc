#include "dnn/math/row_math.h"

#include <algorithm>
#include <cassert>
#include <cmath>
#include <cstring>

#include "core/random.h"
#include "dnn/math/lane_loops.h"
#include "dnn/math/row_loops.h"
#include "dnn/math/vector_math.h"
#include "dnn/runtime/over_rows.h"

namespace glimpse::dnn {
namespace {

/// Columns whose sums stay in the first-level cache while rows stream by.
constexpr std::int64_t kStrip = 256;

float* row_of(const Array& array, std::int64_t row, std::int64_t col = 0) {
  return array.data() + row * array.dim(1) + col;
}

std::size_t bytes(std::int64_t floats) { return static_cast<std::size_t>(floats) * sizeof(float); }

}  // namespace

void scale(const Array& src, float factor, const Array& dst, int threads) {
  over_numbers(src.count(), threads, [&](std::int64_t from, std::int64_t count) {
    scale({src.data() + from, static_cast<std::size_t>(count)}, factor, dst.data() + from);
  });
}

void add_bias(const Array& dst, const Array& bias, int threads) {
  over_rows(dst.dim(0), dst.dim(1), threads,
            [&](std::int64_t row) { add_to(row_of(dst, row), bias.data(), dst.dim(1)); });
}

void add_column_sums(const Array& src, const Array& sum, int threads) {
  const std::int64_t cols = src.dim(1);
  over_rows((cols + kStrip - 1) / kStrip, src.dim(0) * kStrip, threads, [&](std::int64_t strip) {
    const std::int64_t first = strip * kStrip;
    add_column_sums(src.data() + first, src.dim(0), cols, sum.data() + first, std::min(kStrip, cols - first));
  });
}

void gather_rows(const Array& src, std::span<const int> rows, const Array& dst) {
  for (std::size_t i = 0; i < rows.size(); ++i) {
    std::memcpy(row_of(dst, static_cast<std::int64_t>(i)), row_of(src, rows[i]), bytes(src.dim(1)));
  }
}

void scatter_add_rows(const Array& src, std::span<const int> rows, const Array& dst) {
  for (std::size_t i = 0; i < rows.size(); ++i) {
    add_to(row_of(dst, rows[i]), row_of(src, static_cast<std::int64_t>(i)), src.dim(1));
  }
}

void copy_from(const Array& src, Corner from, const Array& dst, int threads) {
  over_rows(dst.dim(0), dst.dim(1), threads, [&](std::int64_t row) {
    std::memcpy(row_of(dst, row), row_of(src, from.row + row, from.col), bytes(dst.dim(1)));
  });
}

void copy_to(const Array& src, const Array& dst, Corner to, int threads) {
  over_rows(src.dim(0), src.dim(1), threads, [&](std::int64_t row) {
    std::memcpy(row_of(dst, to.row + row, to.col), row_of(src, row), bytes(src.dim(1)));
  });
}

void add_to(const Array& src, const Array& dst, Corner to, int threads) {
  over_rows(src.dim(0), src.dim(1), threads,
            [&](std::int64_t row) { add_to(row_of(dst, to.row + row, to.col), row_of(src, row), src.dim(1)); });
}

void dropout(const Array& src, double rate, std::uint64_t seed, const Array& dst, int threads) {
  DropoutMask mask;
  mask.seed = static_cast<std::uint32_t>(Random(seed).next() >> 32);
  mask.dropped_below = static_cast<std::uint32_t>(rate * 0x1p32);
  mask.scale = static_cast<float>(1 / (1 - rate));
  over_numbers(src.count(), threads, [&](std::int64_t from, std::int64_t count) {
    dropout(src.data() + from, static_cast<std::uint32_t>(from), mask, dst.data() + from, count);
  });
}

void softmax_rows(const Array& src, const Array& dst, int threads) {
  over_rows(src.dim(0), src.dim(1), threads,
            [&](std::int64_t row) { softmax_to(row_of(src, row), row_of(dst, row), src.dim(1)); });
}

void softmax_rows_d_src(const Array& dst, const Array& d_dst, const Array& d_src, int threads) {
  over_rows(dst.dim(0), dst.dim(1), threads, [&](std::int64_t row) {
    softmax_d_src(row_of(dst, row), row_of(d_dst, row), row_of(d_src, row), dst.dim(1));
  });
}

void layer_norm_rows(const Array& src, const Array& scale, const Array& shift, float epsilon, const Array& dst,
                     const Array& statistics, int threads) {
  over_rows(src.dim(0), src.dim(1), threads, [&](std::int64_t row) {
    const RowStatistics found =
        layer_norm(row_of(src, row), scale.data(), shift.data(), epsilon, row_of(dst, row), src.dim(1));
    row_of(statistics, row)[0] = found.mean;
    row_of(statistics, row)[1] = found.factor;
  });
}

void layer_norm_rows_gradients(const Array& src, const Array& scale, const Array& statistics, const Array& d_dst,
                               const Array& d_src, const Array& d_scale, const Array& d_shift) {
  for (std::int64_t row = 0; row < src.dim(0); ++row) {
    const float* found = row_of(statistics, row);
    layer_norm_gradients(row_of(src, row), scale.data(), {found[0], found[1]}, row_of(d_dst, row),
                         {row_of(d_src, row), d_scale.data(), d_shift.data()}, src.dim(1));
  }
}

void unit_rows(const Array& src, const Array& dst, const Array& norms, int threads) {
  const std::int64_t cols = src.dim(1);
  over_rows(src.dim(0), cols, threads, [&](std::int64_t row) {
    const float* x = src.data() + row * cols;
    const float norm = std::sqrt(dot(x, x, cols));
    norms.data()[row] = norm;
    scale({x, static_cast<std::size_t>(cols)}, norm > 0 ? 1 / norm : 0, dst.data() + row * cols);
  });
}

void unit_rows_d_src(const Array& dst, const Array& norms, const Array& d_dst, const Array& d_src, int threads) {
  const std::int64_t cols = dst.dim(1);
  over_rows(dst.dim(0), cols, threads, [&](std::int64_t row) {
    const float* y = dst.data() + row * cols;
    const float* d = d_dst.data() + row * cols;
    const float factor = norms.data()[row] > 0 ? 1 / norms.data()[row] : 0;
    scale({d, static_cast<std::size_t>(cols)}, factor, d_src.data() + row * cols);
    add_scaled(y, -factor * dot(y, d, cols), d_src.data() + row * cols, cols);
  });
}

void split_heads(const Array& src, std::int64_t cells, const Array& dst, int threads) {
  const HeadShape shape = {cells, src.dim(1) / dst.dim(1), dst.dim(1)};
  const std::int64_t size = cells * src.dim(1);  // of an image
  over_rows(src.dim(0) / cells, size, threads,
            [&](std::int64_t image) { split_heads(src.data() + image * size, shape, dst.data() + image * size); });
}

void merge_heads(const Array& src, std::int64_t cells, const Array& dst, int threads) {
  const HeadShape shape = {cells, dst.dim(1) / src.dim(1), src.dim(1)};
  const std::int64_t size = cells * dst.dim(1);  // of an image
  over_rows(dst.dim(0) / cells, size, threads,
            [&](std::int64_t image) { merge_heads(src.data() + image * size, shape, dst.data() + image * size); });
}

void mean_over_cells(const Array& src, const Array& dst, int threads) {
  const std::int64_t size = src.dim(1) * src.dim(2);
  over_rows(src.dim(0), size, threads, [&](std::int64_t n) {
    mean_of_rows(src.data() + n * size, src.dim(1), {row_of(dst, n), static_cast<std::size_t>(dst.dim(1))});
  });
}

void mean_over_cells_d_src(const Array& d_dst, const Array& d_src, int threads) {
  const std::int64_t cells = d_src.dim(1);
  const auto cols = static_cast<std::size_t>(d_src.dim(2));
  const float share = 1.0F / static_cast<float>(cells);
  over_rows(d_src.dim(0) * cells, d_src.dim(2), threads, [&](std::int64_t i) {
    scale({row_of(d_dst, i / cells), cols}, share, d_src.data() + i * d_src.dim(2));
  });
}

CrossEntropySums cross_entropy(const Array& logits, const CrossEntropyTarget& target, const Array& d_logits,
                               int threads) {
  const std::int64_t cols = logits.dim(1);
  const auto rows = static_cast<std::size_t>(logits.dim(0));
  assert(target.ids.size() == rows && target.weights.size() == rows);
  std::vector<double> losses(rows);
  CrossEntropySums sums;
  sums.plain.resize(rows);
  over_rows(logits.dim(0), cols, threads, [&](std::int64_t row) {
    const auto r = static_cast<std::size_t>(row);
    const float* x = row_of(logits, row);
    float* d = row_of(d_logits, row);
    const auto id = target.ids[r];
    const LogSum found = softmax_to(x, d, cols);
    const double smoothing = target.smoothing;
    sums.plain[r] = static_cast<double>(found.log_sum_exp) - static_cast<double>(x[id]);
    losses[r] = static_cast<double>(found.log_sum_exp) - (1 - smoothing) * static_cast<double>(x[id]) -
                smoothing * static_cast<double>(found.sum) / static_cast<double>(cols);
    losses[r] *= static_cast<double>(target.weights[r]);
    scale_and_shift(d, target.weights[r], -target.weights[r] * target.smoothing / static_cast<float>(cols), cols);
    d[id] -= target.weights[r] * (1 - target.smoothing);
  });
  for (const double loss : losses) sums.loss += loss;
  return sums;
}

}  // namespace glimpse::dnn
