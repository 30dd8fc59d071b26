/// Operations on matrices [rows, cols], each with its gradient: what a decoder is made of between its time steps. All
/// arrays are plain. Sums, products and activations number by number: map_ops.h.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "autograd/tape.h"
#include "dnn/math/row_math.h"

namespace glimpse::train {

/// The same numbers in another shape.
Variable reshape(Tape& tape, const Variable& src, const Shape& shape);

/// src [rows, in] · weightᵀ + bias: weight [out, in], bias [out] or none.
Variable linear(Tape& tape, const Variable& src, const Variable& weight, const Variable& bias);

/// dst[b] = left[b] · right[b], the right one transposed first where asked: [B, rows, inner] · [B, inner, cols].
Variable batched_product(Tape& tape, const Variable& left, const Variable& right, bool transpose_right);

/// Row rows[i] of `src`; rows may repeat. With a table of words' vectors for `src` an embedding.
Variable gather_rows(Tape& tape, const Variable& src, std::vector<int> rows);
/// The first `count` rows: those that live on in a batch sorted by length.
Variable first_rows(Tape& tape, const Variable& src, std::int64_t count);
/// Along the first dimension; the others are the same.
Variable concat_rows(Tape& tape, std::span<const Variable> srcs);
/// The rectangle of `src` from `corner` on, [rows, cols].
Variable rectangle(Tape& tape, const Variable& src, dnn::Corner corner, std::int64_t rows, std::int64_t cols);
Variable slice_columns(Tape& tape, const Variable& src, std::int64_t first, std::int64_t count);
Variable concat_columns(Tape& tape, std::span<const Variable> srcs);

/// Numbers become 0 with probability `rate` in [0, 1), the others grow by 1 / (1 − rate) (Srivastava et al. 2014).
/// Which do depends on the seed and their place alone.
Variable dropout(Tape& tape, const Variable& src, double rate, std::uint64_t seed);

Variable softmax(Tape& tape, const Variable& src);  ///< of each row
/// scale · (src − mean) / √(variance + ε) + shift over each row (Ba, Kiros and Hinton 2016); scale, shift [cols].
Variable layer_norm(Tape& tape, const Variable& src, const Variable& scale, const Variable& shift,
                    float epsilon = 1e-5F);
Variable mean_of_cells(Tape& tape, const Variable& src);  ///< [N, L, D] → [N, D]

/// What cross entropy is taken against: in row r the distribution (1 − smoothing) · [k = ids[r]] + smoothing / cols
/// (Szegedy et al. 2016).
struct CrossEntropyOptions {
  std::vector<int> ids;        ///< one a row
  std::vector<float> weights;  ///< one a row
  float smoothing = 0;
  float temperature = 1;           ///< of the softmax: p is that of logits / temperature
  std::vector<int> left_out = {};  ///< columns that the softmax is not over; no ids of theirs, nor smoothing, then
};
struct CrossEntropy {
  Variable loss;                        ///< [1]: Σ_r weights[r] · cross entropy of row r
  std::vector<double> log_likelihoods;  ///< log p(ids[r]) of each row, neither weighted nor smoothed
};
CrossEntropy cross_entropy(Tape& tape, const Variable& logits, const CrossEntropyOptions& options);

}  // namespace glimpse::train
