/// The innermost loops of row_math.cc, over one row or one query. Internal to src/dnn; each is compiled once per
/// instruction set.
#pragma once

#include <cstdint>

#include "dnn/math/vector_math.h"

namespace glimpse::dnn {

/// Which numbers a dropout with `seed` keeps is a function of seed and position alone.
struct DropoutMask {
  std::uint32_t seed = 0;
  std::uint32_t dropped_below = 0;  ///< of 2^32: the share that becomes 0
  float scale = 1;                  ///< of those that are kept
};
/// dst[i] = src[i] · mask(first + i); dst may be src.
void dropout(const float* src, std::uint32_t first, const DropoutMask& mask, float* dst, std::int64_t count);

/// dst [cols] += Σ over rows of src [rows], `stride` floats apart.
void add_column_sums(const float* src, std::int64_t rows, std::int64_t stride, float* dst, std::int64_t cols);

/// probabilities = softmax(logits). Gives log Σ exp(logits) and Σ logits.
struct LogSum {
  float log_sum_exp;
  float sum;
};
LogSum softmax_to(const float* logits, float* probabilities, std::int64_t count);
void scale_and_shift(float* values, float factor, float shift, std::int64_t count);
/// d_src = y · (d_dst − Σ y · d_dst) for y = softmax(src). d_src may be d_dst.
void softmax_d_src(const float* y, const float* d_dst, float* d_src, std::int64_t count);

/// Layer norm of one row; gives mean and 1/deviation.
struct RowStatistics {
  float mean;
  float factor;
};
RowStatistics layer_norm(const float* src, const float* scale, const float* shift, float epsilon, float* dst,
                         std::int64_t count);
/// d_src, and d_scale and d_shift added to.
struct LayerNormGradients {
  float* src;
  float* scale;
  float* shift;
};
void layer_norm_gradients(const float* src, const float* scale, const RowStatistics& statistics, const float* d_dst,
                          const LayerNormGradients& gradients, std::int64_t count);

/// One row of an LSTM: gates [4n] hold the sums of i, f, g, o and afterwards what their σ and tanh gave.
void lstm_forward(float* gates, const float* c_before, float* c, float* h, std::int64_t n);
/// d_gates [4n] of the sums. d_c comes in as what flows into c from later steps and goes out as d_c_before; d_h may be
/// null.
struct LstmBackwardRow {
  const float* gates;     ///< [4n], what lstm_forward left
  const float* c_before;  ///< [n]
  const float* c;         ///< [n]
  const float* d_h;       ///< [n]
  float* d_c;             ///< [n]
  float* d_gates;         ///< [4n]
};
void lstm_backward(const LstmBackwardRow& row, std::int64_t n);

/// dst [size] = Σ_i weights[i] · rows[i].
void weighted_rows(const float* weights, const float* rows, std::int64_t count, float* dst, std::int64_t size);
/// rows[i] += weights[i] · query, for several weights [queries, count] and queries [queries, size] at once.
void add_outer(const float* weights, const float* query, std::int64_t queries, float* rows, std::int64_t count,
               std::int64_t size);

/// Backward of additive_scores_* (vector_math.h): adds to d_keys [cells, size], d_query [size] and d_weight [size].
struct AdditiveScoresBackward {
  const float* keys = nullptr;
  const float* query = nullptr;
  const float* weight = nullptr;
  const float* d_scores = nullptr;
  float* d_keys = nullptr;
  float* d_query = nullptr;
  float* d_weight = nullptr;
  std::int64_t cells = 0;
  std::int64_t size = 0;
};
void additive_scores_tanh_backward(const AdditiveScoresBackward& args);
void additive_scores_relu_backward(const AdditiveScoresBackward& args);

/// Backward of channel_scores (vector_math.h): adds to d_values [channels], d_slope, d_shift and d_weight [size].
struct ChannelScoresBackward {
  ChannelScores scores;  ///< its scores are not looked at
  const float* d_scores = nullptr;
  float* d_values = nullptr;
  float* d_slope = nullptr;
  float* d_shift = nullptr;
  float* d_weight = nullptr;
};
void channel_scores_backward(const ChannelScoresBackward& args);

/// Backward of add_opened (vector_math.h): adds to d_src, d_key and d_query, all [count]; gives the factor's gradient.
struct OpenedCellBackward {
  OpenedCell cell;
  const float* d_dst = nullptr;
  float* d_src = nullptr;
  float* d_key = nullptr;
  float* d_query = nullptr;
};
float opened_backward(const OpenedCellBackward& args, std::int64_t count);

/// dst = src · open, and its gradients: d_src += d_dst · open, d_gate += d_dst · src · open · (1 − open).
void gate_backward(const float* src, const float* open, const float* d_dst, float* d_src, float* d_gate,
                   std::int64_t count);
void add_product(const float* a, const float* b, float* dst, std::int64_t count);  ///< dst += a · b
float dot(const float* a, const float* b, std::int64_t count);
/// dst += factor · src.
void add_scaled(const float* src, float factor, float* dst, std::int64_t count);

}  // namespace glimpse::dnn
