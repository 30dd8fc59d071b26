/// 3×3 convolutions of stride 1 by Winograd's minimal filtering, F(4×4, 3×3): 36 products for 144, on any processor
/// (Lavin and Gray 2016, arXiv:1509.09308). oneDNN has this with AVX-512 only, and not with dilation. Internal to
/// src/dnn.
///
/// A tile of 6×6 cells makes 4×4 outputs. Its channels and the filters are transformed to 36 values each; each of the
/// 36 is one product of matrices, [tiles, in] · [in, out]. A convolution with dilation d is d² ones without, each on
/// every d-th row and column. The gradients are the same linear maps transposed, so they are exact.
#pragma once

#include <memory>

#include "core/buffer.h"
#include "dnn/runtime/engine.h"
#include "dnn/kernels/kernels.h"

namespace glimpse::dnn {

/// Whether Winograd applies: 3×3, stride 1, no groups, an activation that clips or none, and enough channels to be
/// worth it, which fill their blocks.
bool winograd_fits(const ConvolutionProblem& problem, std::int64_t block);

/// A plan's convolution. Const: run by several threads at once, each with its own scratch.
class WinogradConvolution {
 public:
  /// weight [out, in, 3, 3] is packed; bias [out] or null is kept.
  WinogradConvolution(const ConvolutionProblem& problem, const float* weight, const float* bias, std::int64_t block);
  ~WinogradConvolution();

  std::size_t scratch_bytes() const;
  std::size_t weight_bytes() const;
  /// Runs on the current thread count. src and dst are blocked; a residual must be in dst beforehand.
  void run(const float* src, float* dst, float* scratch) const;

  static constexpr const char* kName = "winograd 4x3";

 private:
  struct Impl;
  std::unique_ptr<const Impl> impl_;
};

// For training, problems without a bias.
Array winograd(Kernels& kernels, const ConvolutionProblem& problem, const Array& src, const Array& weight);
Array winograd_d_src(Kernels& kernels, const ConvolutionProblem& problem, const Array& d_dst, const Array& weight);
Array winograd_d_weight(Kernels& kernels, const ConvolutionProblem& problem, const Array& src, const Array& d_dst);

}  // namespace glimpse::dnn
