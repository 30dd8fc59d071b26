/// Batched matrix products of two changing operands: attention's weighted sums.
#pragma once

#include <cstdint>
#include <memory>
#include <string>

namespace glimpse::dnn {

struct ProductShape {
  std::int64_t batch = 1;
  std::int64_t rows = 1;
  std::int64_t inner = 1;
  std::int64_t cols = 1;
};

/// dst[b] = left[b] · right[b] for a fixed shape: one primitive with its scratchpad and stream, run by one thread at a
/// time; it runs on as many threads as were in force when it was built.
class BatchedProduct {
 public:
  /// Throws Error(kModel) naming `name` where oneDNN refuses the shape.
  BatchedProduct(const std::string& name, const ProductShape& shape);
  ~BatchedProduct();
  BatchedProduct(BatchedProduct&&) noexcept;
  BatchedProduct& operator=(BatchedProduct&&) noexcept;

  /// left [batch, rows, inner], right [batch, inner, cols], dst [batch, rows, cols], all dense: oneDNN's faster kernels
  /// take nothing else, and the others allocate as they run.
  void run(const float* left, const float* right, float* dst);
  std::string implementation() const;

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace glimpse::dnn
