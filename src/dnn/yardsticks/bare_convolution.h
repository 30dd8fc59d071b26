/// The yardsticks that benchmarks hold a Plan against, each a single oneDNN primitive with buffers of its own: a
/// convolution as oneDNN alone would run it (direct, in the layout it prefers, weights packed, nothing fused that the
/// problem does not ask for), and a large matrix product for the processor's ceiling.
#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include "dnn/plan/plan.h"

namespace glimpse::dnn {

class BareConvolution {
 public:
  BareConvolution(const ConvolutionProblem& problem, int threads);
  ~BareConvolution();
  BareConvolution(BareConvolution&&) noexcept;
  BareConvolution& operator=(BareConvolution&&) noexcept;

  double run();  ///< seconds of one execution
  const std::string& implementation() const;

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

/// dst = a · b, all square f32 matrices of `size`, b packed.
class BareProduct {
 public:
  BareProduct(std::int64_t size, int threads);
  ~BareProduct();

  double run();  ///< seconds of one execution
  std::int64_t flops() const;

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace glimpse::dnn
