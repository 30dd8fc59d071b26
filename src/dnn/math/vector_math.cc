#include "dnn/math/vector_math.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include "dnn/math/elementary.h"
#include "dnn/math/multiversion.h"

namespace glimpse::dnn {
namespace {

struct Tanh {
  GLIMPSE_INLINE static float of(float x) { return tanh_of(x); }
};
struct Relu {
  GLIMPSE_INLINE static float of(float x) { return relu_of(x); }
};

GLIMPSE_INLINE float maximum(const float* values, std::size_t count) {
  float top = -std::numeric_limits<float>::infinity();
#pragma omp simd reduction(max : top)
  for (std::size_t i = 0; i < count; ++i) top = top > values[i] ? top : values[i];
  return top;
}

// Four cells at a time: the query and the weights are loaded once for them, and their sums are independent chains.
template <typename F>
GLIMPSE_INLINE void additive_scores(const AdditiveScores& args) {
  constexpr std::int64_t kCells = 4;
  const float* query = args.query;
  const float* weight = args.weight;
  const std::int64_t size = args.size;
  std::int64_t cell = 0;
  for (; cell + kCells <= args.cells; cell += kCells) {
    const float* k0 = args.keys + cell * size;
    const float* k1 = k0 + size;
    const float* k2 = k1 + size;
    const float* k3 = k2 + size;
    float s0 = 0, s1 = 0, s2 = 0, s3 = 0;
#pragma omp simd reduction(+ : s0, s1, s2, s3)
    for (std::int64_t a = 0; a < size; ++a) {
      s0 += weight[a] * F::of(k0[a] + query[a]);
      s1 += weight[a] * F::of(k1[a] + query[a]);
      s2 += weight[a] * F::of(k2[a] + query[a]);
      s3 += weight[a] * F::of(k3[a] + query[a]);
    }
    args.scores[cell] = s0;
    args.scores[cell + 1] = s1;
    args.scores[cell + 2] = s2;
    args.scores[cell + 3] = s3;
  }
  for (; cell < args.cells; ++cell) {
    const float* key = args.keys + cell * size;
    float sum = 0;
#pragma omp simd reduction(+ : sum)
    for (std::int64_t a = 0; a < size; ++a) sum += weight[a] * F::of(key[a] + query[a]);
    args.scores[cell] = sum;
  }
}

/// Calls copy(place in [rows, heads, size], place in [heads, rows, size]) for each head of each row.
template <typename Copy>
void over_heads(const HeadShape& shape, Copy copy) {
  for (std::int64_t row = 0; row < shape.rows; ++row) {
    for (std::int64_t head = 0; head < shape.heads; ++head) {
      copy((row * shape.heads + head) * shape.size, (head * shape.rows + row) * shape.size);
    }
  }
}

}  // namespace

GLIMPSE_MULTIVERSION void exp_in_place(std::span<float> values) {
  float* x = values.data();
  const std::size_t count = values.size();
#pragma omp simd
  for (std::size_t i = 0; i < count; ++i) x[i] = exp_of(x[i]);
}

GLIMPSE_MULTIVERSION void tanh_in_place(std::span<float> values) {
  float* x = values.data();
  const std::size_t count = values.size();
#pragma omp simd
  for (std::size_t i = 0; i < count; ++i) x[i] = tanh_of(x[i]);
}

GLIMPSE_MULTIVERSION void sigmoid_in_place(std::span<float> values) {
  float* x = values.data();
  const std::size_t count = values.size();
#pragma omp simd
  for (std::size_t i = 0; i < count; ++i) x[i] = sigmoid_of(x[i]);
}

GLIMPSE_MULTIVERSION void add(std::span<const float> a, const float* b, float* dst) {
  const float* x = a.data();
  const std::size_t count = a.size();
#pragma omp simd
  for (std::size_t i = 0; i < count; ++i) dst[i] = x[i] + b[i];
}

GLIMPSE_MULTIVERSION void add_tanh(std::span<const float> a, const float* b, float* dst) {
  const float* x = a.data();
  const std::size_t count = a.size();
#pragma omp simd
  for (std::size_t i = 0; i < count; ++i) dst[i] = tanh_of(x[i] + b[i]);
}

GLIMPSE_MULTIVERSION void softmax_in_place(std::span<float> values) {
  float* x = values.data();
  const std::size_t count = values.size();
  const float top = maximum(x, count);
  float sum = 0;
#pragma omp simd reduction(+ : sum)
  for (std::size_t i = 0; i < count; ++i) {
    x[i] = exp_of(x[i] - top);
    sum += x[i];
  }
  const float factor = 1.0F / sum;
#pragma omp simd
  for (std::size_t i = 0; i < count; ++i) x[i] *= factor;
}

GLIMPSE_MULTIVERSION void log_softmax_in_place(std::span<float> values) {
  float* x = values.data();
  const std::size_t count = values.size();
  const float top = maximum(x, count);
  float sum = 0;
#pragma omp simd reduction(+ : sum)
  for (std::size_t i = 0; i < count; ++i) sum += exp_of(x[i] - top);
  const float shift = std::log(sum);
  // Two subtractions, as top + shift would round away digits of shift.
#pragma omp simd
  for (std::size_t i = 0; i < count; ++i) x[i] = (x[i] - top) - shift;
}

GLIMPSE_MULTIVERSION float scale_by_sigmoid(std::span<const float> src, const float* gate, float* dst) {
  const float* x = src.data();
  const std::size_t count = src.size();
  float sum = 0;
#pragma omp simd reduction(+ : sum)
  for (std::size_t i = 0; i < count; ++i) {
    const float open = sigmoid_of(gate[i]);
    dst[i] = x[i] * open;
    sum += open;
  }
  return sum / static_cast<float>(count);
}

GLIMPSE_MULTIVERSION void scale(std::span<const float> src, float factor, float* dst) {
  const float* x = src.data();
  const std::size_t count = src.size();
#pragma omp simd
  for (std::size_t i = 0; i < count; ++i) dst[i] = x[i] * factor;
}

GLIMPSE_MULTIVERSION void scale_each(std::span<const float> src, const float* factors, float* dst) {
  const float* x = src.data();
  const std::size_t count = src.size();
#pragma omp simd
  for (std::size_t i = 0; i < count; ++i) dst[i] = x[i] * factors[i];
}

GLIMPSE_MULTIVERSION void mean_of_rows(const float* src, std::int64_t rows, std::span<float> dst) {
  float* sum = dst.data();
  const std::size_t cols = dst.size();
  std::fill(dst.begin(), dst.end(), 0.0F);
  for (std::int64_t row = 0; row < rows; ++row, src += cols) {
#pragma omp simd
    for (std::size_t i = 0; i < cols; ++i) sum[i] += src[i];
  }
  const float factor = 1.0F / static_cast<float>(rows);
#pragma omp simd
  for (std::size_t i = 0; i < cols; ++i) sum[i] *= factor;
}

GLIMPSE_MULTIVERSION void lstm_row(const LstmRow& row, std::int64_t n) {
  const float* a = row.a;
  const float* b = row.b;
  const float* c_before = row.c_before;
  float* c_out = row.c;
  float* h_out = row.h;
#pragma omp simd
  for (std::int64_t j = 0; j < n; ++j) {
    const float in = sigmoid_of(a[j] + b[j]);
    const float forget = sigmoid_of(a[n + j] + b[n + j]);
    const float fresh = tanh_of(a[2 * n + j] + b[2 * n + j]);
    const float out = sigmoid_of(a[3 * n + j] + b[3 * n + j]);
    const float c = forget * c_before[j] + in * fresh;
    c_out[j] = c;
    h_out[j] = out * tanh_of(c);
  }
}

GLIMPSE_MULTIVERSION void additive_scores_tanh(const AdditiveScores& args) { additive_scores<Tanh>(args); }
GLIMPSE_MULTIVERSION void additive_scores_relu(const AdditiveScores& args) { additive_scores<Relu>(args); }

GLIMPSE_MULTIVERSION void dots_with_rows(const float* query, const float* rows, std::int64_t count, float* dst,
                                         std::int64_t size) {
  std::int64_t i = 0;
  for (; i + 4 <= count; i += 4) {
    const float* r0 = rows + i * size;
    const float* r1 = r0 + size;
    const float* r2 = r1 + size;
    const float* r3 = r2 + size;
    float s0 = 0, s1 = 0, s2 = 0, s3 = 0;
#pragma omp simd reduction(+ : s0, s1, s2, s3)
    for (std::int64_t j = 0; j < size; ++j) {
      s0 += query[j] * r0[j];
      s1 += query[j] * r1[j];
      s2 += query[j] * r2[j];
      s3 += query[j] * r3[j];
    }
    dst[i] = s0;
    dst[i + 1] = s1;
    dst[i + 2] = s2;
    dst[i + 3] = s3;
  }
  for (; i < count; ++i) {
    float sum = 0;
#pragma omp simd reduction(+ : sum)
    for (std::int64_t j = 0; j < size; ++j) sum += query[j] * rows[i * size + j];
    dst[i] = sum;
  }
}

GLIMPSE_MULTIVERSION void channel_scores(const ChannelScores& args) {
  const float* values = args.values;
  float* scores = args.scores;
  const std::int64_t channels = args.channels;
  std::fill(scores, scores + channels, 0.0F);
  for (std::int64_t a = 0; a < args.size; ++a) {
    const float slope = args.slope[a];
    const float shift = args.shift[a];
    const float weight = args.weight[a];
#pragma omp simd
    for (std::int64_t c = 0; c < channels; ++c) scores[c] += weight * tanh_of(slope * values[c] + shift);
  }
}

GLIMPSE_MULTIVERSION void add_opened(const OpenedCell& cell, std::span<float> dst) {
  const float* src = cell.src;
  const float* key = cell.key;
  const float* query = cell.query;
  const float factor = cell.factor;
  float* sum = dst.data();
  const std::size_t count = dst.size();
#pragma omp simd
  for (std::size_t i = 0; i < count; ++i) sum[i] += factor * src[i] * sigmoid_of(key[i] + query[i]);
}

void split_heads(const float* src, const HeadShape& shape, float* dst) {
  over_heads(shape, [&](std::int64_t joint, std::int64_t apart) { std::copy_n(src + joint, shape.size, dst + apart); });
}

void merge_heads(const float* src, const HeadShape& shape, float* dst) {
  over_heads(shape, [&](std::int64_t joint, std::int64_t apart) { std::copy_n(src + apart, shape.size, dst + joint); });
}

}  // namespace glimpse::dnn
