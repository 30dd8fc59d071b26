/// Loops over matrices that training needs between the products, on plain Arrays, split over threads in a way that does
/// not change the result. [rows, cols] unless a comment says otherwise; what is "added to" is read before.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "dnn/kernels/array.h"

namespace glimpse::dnn {

void scale(const Array& src, float factor, const Array& dst, int threads);  ///< dst = factor · src; dst may be src
void add_bias(const Array& dst, const Array& bias, int threads);            ///< every row of dst += bias [cols]
void add_column_sums(const Array& src, const Array& sum, int threads);      ///< sum [cols] += Σ over rows

/// dst[i] = src[rows[i]].
void gather_rows(const Array& src, std::span<const int> rows, const Array& dst);
/// dst[rows[i]] += src[i]; rows may repeat.
void scatter_add_rows(const Array& src, std::span<const int> rows, const Array& dst);

/// A rectangle of a matrix.
struct Corner {
  std::int64_t row = 0;
  std::int64_t col = 0;
};
/// dst = the rectangle of src at `from` of dst's size.
void copy_from(const Array& src, Corner from, const Array& dst, int threads);
/// The rectangle of dst at `to` of src's size = src, or += src.
void copy_to(const Array& src, const Array& dst, Corner to, int threads);
void add_to(const Array& src, const Array& dst, Corner to, int threads);

/// dst = src · mask / (1 − rate); which numbers are 0 depends on seed and position alone. dst may be src.
void dropout(const Array& src, double rate, std::uint64_t seed, const Array& dst, int threads);

void softmax_rows(const Array& src, const Array& dst, int threads);
void softmax_rows_d_src(const Array& dst, const Array& d_dst, const Array& d_src, int threads);

/// dst = scale · (src − mean) / √(variance + ε) + shift, over each row (Ba, Kiros and Hinton 2016). statistics
/// [rows, 2]: mean and 1/√(variance + ε), for the gradients.
void layer_norm_rows(const Array& src, const Array& scale, const Array& shift, float epsilon, const Array& dst,
                     const Array& statistics, int threads);
/// d_scale and d_shift are added to.
void layer_norm_rows_gradients(const Array& src, const Array& scale, const Array& statistics, const Array& d_dst,
                               const Array& d_src, const Array& d_scale, const Array& d_shift);

/// dst = src / |src| of each row, norms [rows, 1]; rows of zeros stay so. And its gradient.
void unit_rows(const Array& src, const Array& dst, const Array& norms, int threads);
void unit_rows_d_src(const Array& dst, const Array& norms, const Array& d_dst, const Array& d_src, int threads);

/// src [N · L, H · a] → dst [N · H · L, a]: each head's columns of an image's L rows one below the other; and back.
void split_heads(const Array& src, std::int64_t cells, const Array& dst, int threads);
void merge_heads(const Array& src, std::int64_t cells, const Array& dst, int threads);

/// src [N, L, D] → dst [N, D]: the mean over L, and its gradient.
void mean_over_cells(const Array& src, const Array& dst, int threads);
void mean_over_cells_d_src(const Array& d_dst, const Array& d_src, int threads);

/// What cross entropy is taken against: in row r the distribution (1 − smoothing) · [k = ids[r]] + smoothing / cols.
struct CrossEntropyTarget {
  std::span<const int> ids;
  std::span<const float> weights;  ///< a row's share in the loss
  float smoothing = 0;
};
struct CrossEntropySums {
  double loss = 0;            ///< Σ_r weight_r · cross entropy_r
  std::vector<double> plain;  ///< −log p(ids[r]) of each row, unweighted, unsmoothed
};
/// d_logits = the gradient of `loss`.
CrossEntropySums cross_entropy(const Array& logits, const CrossEntropyTarget& target, const Array& d_logits,
                               int threads);

}  // namespace glimpse::dnn
