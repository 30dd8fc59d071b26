/// oneDNN's training primitives, forward and backward, as functions on Arrays. A primitive is built when its shape is
/// first met and kept, so a training step of known shapes only executes. Convolutions take and give maps in blocks of
/// `block()` channels, but plain pictures of few channels; what is plain or blocked otherwise is reordered.
///
/// Gradients are named as in "how the loss changes with": `d_src` of a function with argument `src`. Errors:
/// Error(kModel) where oneDNN refuses a shape.
#pragma once

#include <cstdint>
#include <memory>

#include "dnn/kernels/array.h"
#include "dnn/plan/plan.h"

namespace glimpse::dnn {

/// One per trainer, used by one thread at a time; its primitives run on `threads` threads.
class Kernels {
 public:
  struct Impl;
  explicit Kernels(int threads);
  ~Kernels();
  Kernels(const Kernels&) = delete;
  Kernels& operator=(const Kernels&) = delete;

  int threads() const;
  std::int64_t block() const;  ///< channels that fill a vector register: 16 with AVX-512, else 8
  std::size_t bytes() const;   ///< of all arrays, alive or kept for reuse

  Array take(const Shape& shape, std::int64_t block = 1);  ///< uninitialised
  Array take_like(const Array& array) { return take(array.shape(), array.block()); }
  Array zeros(const Shape& shape, std::int64_t block = 1);
  Array copy(const Array& src);
  /// `src` itself where it has that layout.
  Array reordered(const Array& src, std::int64_t block);

  /// weight [out, in/groups, kh, kw], bias [out] or none, both plain. The options' activation is not looked at.
  Array convolution(const Array& src, const Array& weight, const Array& bias, const ConvolutionOptions& options);
  Array convolution_d_src(const Array& d_dst, const Array& weight, const Shape& src, const ConvolutionOptions& options);
  struct WeightGradients {
    Array weight;  ///< plain
    Array bias;    ///< none without a bias
  };
  WeightGradients convolution_d_weight(const Array& src, const Array& d_dst, const Shape& weight, bool bias,
                                       const ConvolutionOptions& options);

  /// dst = scale · (src − mean) / √(variance + ε) + shift, then max(0, ·) where `relu` (Ioffe and Szegedy 2015). Mean
  /// and variance (biased) are the batch's, or those given.
  struct Normalised {
    Array dst;
    Array mean;      ///< [C]
    Array variance;  ///< [C]
    Array positive;  ///< with `relu`: where dst is not cut off, as the backward pass reads it
  };
  struct NormOptions {
    float epsilon = 1e-5F;
    bool relu = false;
  };
  Normalised batch_norm(const Array& src, const Array& scale, const Array& shift, const NormOptions& options);
  Normalised batch_norm_by(const Array& src, const Array& scale, const Array& shift, const Array& mean,
                           const Array& variance, const NormOptions& options);
  struct NormGradients {
    Array src;
    Array scale;
    Array shift;
  };
  /// `given`: mean and variance were given, not the batch's.
  NormGradients batch_norm_gradients(const Array& src, const Normalised& forward, const Array& scale,
                                     const Array& d_dst, const NormOptions& options, bool given);

  struct Maximum {
    Array dst;
    Array where;  ///< which cell of each window was the largest, as the backward pass reads it
  };
  Maximum max_pooling(const Array& src, const PoolingOptions& options);
  Array max_pooling_d_src(const Array& d_dst, const Array& where, const Shape& src, const PoolingOptions& options);
  /// The options' kind is one of the averages.
  Array average_pooling(const Array& src, const PoolingOptions& options);
  Array average_pooling_d_src(const Array& d_dst, const Shape& src, const PoolingOptions& options);
  /// See PlanBuilder::adaptive_average.
  Array adaptive_average(const Array& src, std::int64_t rows, std::int64_t cols);
  Array adaptive_average_d_src(const Array& d_dst, const Shape& src);

  /// dst = left · right, each transposed first where asked: [rows, inner] · [inner, cols]; `accumulate` adds to dst.
  struct ProductOptions {
    bool transpose_left = false;
    bool transpose_right = false;
    bool accumulate = false;
  };
  void product(const Array& left, const Array& right, const Array& dst, const ProductOptions& options);
  /// The same for every b of left [batch, …], right [batch, …], dst [batch, …].
  void batched_product(const Array& left, const Array& right, const Array& dst, const ProductOptions& options);

 private:
  std::unique_ptr<Impl> impl_;
};

}  // namespace glimpse::dnn
