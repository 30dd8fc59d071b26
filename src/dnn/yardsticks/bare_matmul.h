/// The yardstick for decoding steps: one matrix product as oneDNN alone would run it, in dense buffers of its own, with
/// nothing fused.
#pragma once

#include <cstdint>
#include <memory>
#include <string>

namespace glimpse::dnn {

struct MatmulProblem {
  std::string name;
  std::int64_t batch = 1;
  std::int64_t rows = 1;
  std::int64_t inner = 1;
  std::int64_t cols = 1;
  bool constant = true;  ///< the right side is weights, which are packed beforehand

  double flops() const { return 2.0 * static_cast<double>(batch * rows) * static_cast<double>(inner * cols); }
};

class BareMatmul {
 public:
  /// Of oneDNN's two primitives for products with weights, matmul and inner product, the one that is faster here.
  BareMatmul(const MatmulProblem& problem, int threads);
  ~BareMatmul();
  BareMatmul(BareMatmul&&) noexcept;
  BareMatmul& operator=(BareMatmul&&) noexcept;

  double run();  ///< seconds of one execution
  const std::string& implementation() const;

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace glimpse::dnn
