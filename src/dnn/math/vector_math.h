/// Element-wise loops that oneDNN has no fused primitive for, vectorised for whatever instruction set the processor has
/// (chosen once per process). Relative error of exp, tanh and sigmoid: a few units in the last place of a float
/// (tests/dnn/vector_math_test.cc). Each function is sequential: callers split rows over threads with parallel_for,
/// so results do not depend on the thread count.
#pragma once

#include <cstdint>
#include <span>

namespace glimpse::dnn {

void exp_in_place(std::span<float> values);  ///< 0 below −87, the largest powers of e that fit a float above 88
void tanh_in_place(std::span<float> values);
void sigmoid_in_place(std::span<float> values);

/// dst = a + b, or tanh(a + b).
void add(std::span<const float> a, const float* b, float* dst);
void add_tanh(std::span<const float> a, const float* b, float* dst);

void softmax_in_place(std::span<float> values);
/// values − log Σ exp(values).
void log_softmax_in_place(std::span<float> values);

/// dst = src · sigmoid(gate), element by element; returns the mean of the sigmoids.
float scale_by_sigmoid(std::span<const float> src, const float* gate, float* dst);
void scale(std::span<const float> src, float factor, float* dst);

void scale_each(std::span<const float> src, const float* factors, float* dst);  ///< dst = src · factors

/// mean over rows of src [rows, cols] → dst [cols].
void mean_of_rows(const float* src, std::int64_t rows, std::span<float> dst);

/// One row of an LSTM: i, f, g, o = a + b, each [n]; c = σ(f) c_before + σ(i) tanh(g); h = σ(o) tanh(c).
struct LstmRow {
  const float* a = nullptr;         ///< [4n], gates in the order i, f, g, o
  const float* b = nullptr;         ///< [4n]
  const float* c_before = nullptr;  ///< [n]
  float* c = nullptr;               ///< [n]
  float* h = nullptr;               ///< [n]
};
void lstm_row(const LstmRow& row, std::int64_t n);

/// Additive attention's scores of one query over some cells: scores[i] = Σ_a weight[a] · f(keys[i, a] + query[a]).
struct AdditiveScores {
  const float* keys = nullptr;    ///< [cells, size]
  const float* query = nullptr;   ///< [size]
  const float* weight = nullptr;  ///< [size]
  float* scores = nullptr;        ///< [cells]
  std::int64_t cells = 0;
  std::int64_t size = 0;
};
void additive_scores_tanh(const AdditiveScores& args);
void additive_scores_relu(const AdditiveScores& args);

/// dst [count] = rows[i] · query: the scores of dot attention among others.
void dots_with_rows(const float* query, const float* rows, std::int64_t count, float* dst, std::int64_t size);

/// Scores of channels that one number each is known of: scores[c] = Σ_a weight[a] · tanh(slope[a] · values[c] +
/// shift[a]).
struct ChannelScores {
  const float* values = nullptr;  ///< [channels]
  const float* slope = nullptr;   ///< [size]
  const float* shift = nullptr;   ///< [size]
  const float* weight = nullptr;  ///< [size]
  float* scores = nullptr;        ///< [channels]
  std::int64_t channels = 0;
  std::int64_t size = 0;
};
void channel_scores(const ChannelScores& args);

/// dst += factor · src · sigmoid(key + query), element by element: what a cell adds that is weighed as a whole and in
/// each of its channels.
struct OpenedCell {
  const float* src = nullptr;
  const float* key = nullptr;
  const float* query = nullptr;
  float factor = 1;
};
void add_opened(const OpenedCell& cell, std::span<float> dst);

/// Rows of an image as several heads have them, an equal share of the columns each (Vaswani et al. 2017).
struct HeadShape {
  std::int64_t rows = 1;
  std::int64_t heads = 1;
  std::int64_t size = 1;  ///< columns of one head
};
/// src [rows, heads · size] → dst [heads, rows, size]; and back.
void split_heads(const float* src, const HeadShape& shape, float* dst);
void merge_heads(const float* src, const HeadShape& shape, float* dst);

}  // namespace glimpse::dnn
