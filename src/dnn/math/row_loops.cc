#include "dnn/math/row_loops.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include "dnn/math/elementary.h"
#include "dnn/math/multiversion.h"

namespace glimpse::dnn {
namespace {

/// Mixes a position into 32 random-looking bits (the finaliser "lowbias32", C. Wellons 2018).
GLIMPSE_INLINE std::uint32_t mixed(std::uint32_t x) {
  x ^= x >> 16;
  x *= 0x7feb352dU;
  x ^= x >> 15;
  x *= 0x846ca68bU;
  x ^= x >> 16;
  return x;
}

struct TanhSlope {
  GLIMPSE_INLINE static float of(float x) { return tanh_of(x); }
  GLIMPSE_INLINE static float slope(float y) { return 1.0F - y * y; }
};
struct ReluSlope {
  GLIMPSE_INLINE static float of(float x) { return relu_of(x); }
  GLIMPSE_INLINE static float slope(float y) { return y > 0.0F ? 1.0F : 0.0F; }
};

template <typename F>
GLIMPSE_INLINE void scores_backward(const AdditiveScoresBackward& args) {
  const float* query = args.query;
  const float* weight = args.weight;
  float* d_query = args.d_query;
  float* d_weight = args.d_weight;
  for (std::int64_t cell = 0; cell < args.cells; ++cell) {
    const float* key = args.keys + cell * args.size;
    float* d_key = args.d_keys + cell * args.size;
    const float d_score = args.d_scores[cell];
#pragma omp simd
    for (std::int64_t a = 0; a < args.size; ++a) {
      const float y = F::of(key[a] + query[a]);
      const float d = d_score * weight[a] * F::slope(y);
      d_key[a] += d;
      d_query[a] += d;
      d_weight[a] += d_score * y;
    }
  }
}

}  // namespace

GLIMPSE_MULTIVERSION void dropout(const float* src, std::uint32_t first, const DropoutMask& mask, float* dst,
                                  std::int64_t count) {
  const std::uint32_t seed = mixed(mask.seed);
  const std::uint32_t bound = mask.dropped_below;
  const float scale = mask.scale;
#pragma omp simd
  for (std::int64_t i = 0; i < count; ++i) {
    const std::uint32_t bits = mixed((first + static_cast<std::uint32_t>(i)) ^ seed);
    dst[i] = bits < bound ? 0.0F : src[i] * scale;
  }
}

GLIMPSE_MULTIVERSION void add_column_sums(const float* src, std::int64_t rows, std::int64_t stride, float* dst,
                                          std::int64_t cols) {
  for (std::int64_t row = 0; row < rows; ++row, src += stride) {
#pragma omp simd
    for (std::int64_t i = 0; i < cols; ++i) dst[i] += src[i];
  }
}

GLIMPSE_MULTIVERSION LogSum softmax_to(const float* logits, float* probabilities, std::int64_t count) {
  float top = -std::numeric_limits<float>::infinity();
  float all = 0;
#pragma omp simd reduction(max : top) reduction(+ : all)
  for (std::int64_t i = 0; i < count; ++i) {
    top = top > logits[i] ? top : logits[i];
    all += logits[i];
  }
  float sum = 0;
#pragma omp simd reduction(+ : sum)
  for (std::int64_t i = 0; i < count; ++i) {
    probabilities[i] = exp_of(logits[i] - top);
    sum += probabilities[i];
  }
  const float factor = 1.0F / sum;
#pragma omp simd
  for (std::int64_t i = 0; i < count; ++i) probabilities[i] *= factor;
  return {top + std::log(sum), all};
}

GLIMPSE_MULTIVERSION void scale_and_shift(float* values, float factor, float shift, std::int64_t count) {
#pragma omp simd
  for (std::int64_t i = 0; i < count; ++i) values[i] = values[i] * factor + shift;
}

GLIMPSE_MULTIVERSION void softmax_d_src(const float* y, const float* d_dst, float* d_src, std::int64_t count) {
  float sum = 0;
#pragma omp simd reduction(+ : sum)
  for (std::int64_t i = 0; i < count; ++i) sum += y[i] * d_dst[i];
#pragma omp simd
  for (std::int64_t i = 0; i < count; ++i) d_src[i] = y[i] * (d_dst[i] - sum);
}

GLIMPSE_MULTIVERSION RowStatistics layer_norm(const float* src, const float* scale, const float* shift, float epsilon,
                                              float* dst, std::int64_t count) {
  float sum = 0;
#pragma omp simd reduction(+ : sum)
  for (std::int64_t i = 0; i < count; ++i) sum += src[i];
  const float mean = sum / static_cast<float>(count);
  float squares = 0;
#pragma omp simd reduction(+ : squares)
  for (std::int64_t i = 0; i < count; ++i) squares += (src[i] - mean) * (src[i] - mean);
  const float factor = 1.0F / std::sqrt(squares / static_cast<float>(count) + epsilon);
#pragma omp simd
  for (std::int64_t i = 0; i < count; ++i) dst[i] = (src[i] - mean) * factor * scale[i] + shift[i];
  return {mean, factor};
}

GLIMPSE_MULTIVERSION void layer_norm_gradients(const float* src, const float* scale, const RowStatistics& statistics,
                                               const float* d_dst, const LayerNormGradients& gradients,
                                               std::int64_t count) {
  const float mean = statistics.mean;
  const float factor = statistics.factor;
  float sum = 0;
  float product = 0;
#pragma omp simd reduction(+ : sum, product)
  for (std::int64_t i = 0; i < count; ++i) {
    const float d = d_dst[i] * scale[i];
    sum += d;
    product += d * (src[i] - mean) * factor;
  }
  const float mean_d = sum / static_cast<float>(count);
  const float mean_product = product / static_cast<float>(count);
#pragma omp simd
  for (std::int64_t i = 0; i < count; ++i) {
    const float normal = (src[i] - mean) * factor;
    gradients.src[i] = factor * (d_dst[i] * scale[i] - mean_d - normal * mean_product);
    gradients.scale[i] += d_dst[i] * normal;
    gradients.shift[i] += d_dst[i];
  }
}

GLIMPSE_MULTIVERSION void lstm_forward(float* gates, const float* c_before, float* c, float* h, std::int64_t n) {
#pragma omp simd
  for (std::int64_t j = 0; j < n; ++j) {
    const float in = sigmoid_of(gates[j]);
    const float forget = sigmoid_of(gates[n + j]);
    const float fresh = tanh_of(gates[2 * n + j]);
    const float out = sigmoid_of(gates[3 * n + j]);
    gates[j] = in;
    gates[n + j] = forget;
    gates[2 * n + j] = fresh;
    gates[3 * n + j] = out;
    c[j] = forget * c_before[j] + in * fresh;
    h[j] = out * tanh_of(c[j]);
  }
}

GLIMPSE_MULTIVERSION void lstm_backward(const LstmBackwardRow& row, std::int64_t n) {
  const float* gates = row.gates;
  const float* c_before = row.c_before;
  const float* c = row.c;
  const float* d_h = row.d_h;
  float* d_c = row.d_c;
  float* d_gates = row.d_gates;
  const float reaches = d_h != nullptr ? 1.0F : 0.0F;
  if (d_h == nullptr) d_h = d_c;
#pragma omp simd
  for (std::int64_t j = 0; j < n; ++j) {
    const float in = gates[j];
    const float forget = gates[n + j];
    const float fresh = gates[2 * n + j];
    const float out = gates[3 * n + j];
    const float squashed = tanh_of(c[j]);
    const float from_h = reaches * d_h[j];
    const float d = d_c[j] + from_h * out * (1.0F - squashed * squashed);
    d_gates[j] = d * fresh * in * (1.0F - in);
    d_gates[n + j] = d * c_before[j] * forget * (1.0F - forget);
    d_gates[2 * n + j] = d * in * (1.0F - fresh * fresh);
    d_gates[3 * n + j] = from_h * squashed * out * (1.0F - out);
    d_c[j] = d * forget;
  }
}

// Four rows at a time, so that the sum is loaded and stored once for them.
GLIMPSE_MULTIVERSION void weighted_rows(const float* weights, const float* rows, std::int64_t count, float* dst,
                                        std::int64_t size) {
  std::fill_n(dst, size, 0.0F);
  std::int64_t i = 0;
  for (; i + 4 <= count; i += 4) {
    const float* r0 = rows + i * size;
    const float* r1 = r0 + size;
    const float* r2 = r1 + size;
    const float* r3 = r2 + size;
    const float w0 = weights[i], w1 = weights[i + 1], w2 = weights[i + 2], w3 = weights[i + 3];
#pragma omp simd
    for (std::int64_t j = 0; j < size; ++j) dst[j] += w0 * r0[j] + w1 * r1[j] + (w2 * r2[j] + w3 * r3[j]);
  }
  for (; i < count; ++i) {
    const float* row = rows + i * size;
    const float w = weights[i];
#pragma omp simd
    for (std::int64_t j = 0; j < size; ++j) dst[j] += w * row[j];
  }
}

GLIMPSE_MULTIVERSION void add_outer(const float* weights, const float* query, std::int64_t queries, float* rows,
                                    std::int64_t count, std::int64_t size) {
  for (std::int64_t i = 0; i < count; ++i) {
    float* row = rows + i * size;
    std::int64_t q = 0;
    for (; q + 4 <= queries; q += 4) {
      const float* q0 = query + q * size;
      const float* q1 = q0 + size;
      const float* q2 = q1 + size;
      const float* q3 = q2 + size;
      const float* w = weights + q * count + i;
      const float w0 = w[0], w1 = w[count], w2 = w[2 * count], w3 = w[3 * count];
#pragma omp simd
      for (std::int64_t j = 0; j < size; ++j) row[j] += w0 * q0[j] + w1 * q1[j] + (w2 * q2[j] + w3 * q3[j]);
    }
    for (; q < queries; ++q) {
      const float w = weights[q * count + i];
#pragma omp simd
      for (std::int64_t j = 0; j < size; ++j) row[j] += w * query[q * size + j];
    }
  }
}

GLIMPSE_MULTIVERSION void additive_scores_tanh_backward(const AdditiveScoresBackward& args) {
  scores_backward<TanhSlope>(args);
}
GLIMPSE_MULTIVERSION void additive_scores_relu_backward(const AdditiveScoresBackward& args) {
  scores_backward<ReluSlope>(args);
}

GLIMPSE_MULTIVERSION void gate_backward(const float* src, const float* open, const float* d_dst, float* d_src,
                                        float* d_gate, std::int64_t count) {
#pragma omp simd
  for (std::int64_t j = 0; j < count; ++j) {
    d_gate[j] += d_dst[j] * src[j] * open[j] * (1.0F - open[j]);
    d_src[j] += d_dst[j] * open[j];
  }
}

GLIMPSE_MULTIVERSION void channel_scores_backward(const ChannelScoresBackward& args) {
  const float* values = args.scores.values;
  const float* d_scores = args.d_scores;
  float* d_values = args.d_values;
  const std::int64_t channels = args.scores.channels;
  for (std::int64_t a = 0; a < args.scores.size; ++a) {
    const float slope = args.scores.slope[a];
    const float shift = args.scores.shift[a];
    const float weight = args.scores.weight[a];
    float d_weight = 0, d_shift = 0, d_slope = 0;
#pragma omp simd reduction(+ : d_weight, d_shift, d_slope)
    for (std::int64_t c = 0; c < channels; ++c) {
      const float y = tanh_of(slope * values[c] + shift);
      const float d = d_scores[c] * weight * (1.0F - y * y);
      d_weight += d_scores[c] * y;
      d_shift += d;
      d_slope += d * values[c];
      d_values[c] += d * slope;
    }
    args.d_weight[a] += d_weight;
    args.d_shift[a] += d_shift;
    args.d_slope[a] += d_slope;
  }
}

GLIMPSE_MULTIVERSION float opened_backward(const OpenedCellBackward& args, std::int64_t count) {
  const float* src = args.cell.src;
  const float* key = args.cell.key;
  const float* query = args.cell.query;
  const float factor = args.cell.factor;
  const float* d_dst = args.d_dst;
  float* d_src = args.d_src;
  float* d_key = args.d_key;
  float* d_query = args.d_query;
  float d_factor = 0;
#pragma omp simd reduction(+ : d_factor)
  for (std::int64_t j = 0; j < count; ++j) {
    const float open = sigmoid_of(key[j] + query[j]);
    const float d = d_dst[j] * open;
    d_factor += d * src[j];
    d_src[j] += d * factor;
    const float d_sum = d * factor * src[j] * (1.0F - open);
    d_key[j] += d_sum;
    d_query[j] += d_sum;
  }
  return d_factor;
}

GLIMPSE_MULTIVERSION void add_product(const float* a, const float* b, float* dst, std::int64_t count) {
#pragma omp simd
  for (std::int64_t i = 0; i < count; ++i) dst[i] += a[i] * b[i];
}

GLIMPSE_MULTIVERSION float dot(const float* a, const float* b, std::int64_t count) {
  float sum = 0;
#pragma omp simd reduction(+ : sum)
  for (std::int64_t i = 0; i < count; ++i) sum += a[i] * b[i];
  return sum;
}

GLIMPSE_MULTIVERSION void add_scaled(const float* src, float factor, float* dst, std::int64_t count) {
#pragma omp simd
  for (std::int64_t i = 0; i < count; ++i) dst[i] += factor * src[i];
}

}  // namespace glimpse::dnn
