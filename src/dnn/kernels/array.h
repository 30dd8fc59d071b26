/// The tensors of training: f32, reference-counted, from a pool that reuses freed memory of the same size.
///
/// Layout: the channels of [N,C,H,W] stand in blocks, [N, ⌈C/B⌉, H·W, B], so that a vector register holds neighbouring
/// channels. B = 1 is the plain, dense, row-major layout, which every shape that is not a map of features has.
#pragma once

#include <cstdint>
#include <memory>
#include <span>

#include "core/tensor.h"

namespace glimpse::dnn {

/// A handle: copies share the numbers.
class Array {
 public:
  Array() = default;
  /// Borrows dense numbers, which must outlive all copies.
  static Array borrow(const Shape& shape, float* values);
  static Array borrow(Tensor& tensor) { return borrow(tensor.shape(), tensor.data()); }

  explicit operator bool() const { return numbers_ != nullptr; }
  const Shape& shape() const { return shape_; }
  std::int64_t dim(std::size_t i) const { return shape_[i]; }
  std::int64_t count() const { return element_count(shape_); }
  std::int64_t block() const { return block_; }  ///< B; 1: plain
  /// All numbers held. Where C is no multiple of B, more than `count()`: the rest of the last block, which is zero.
  std::span<float> values() const { return {numbers_.get(), static_cast<std::size_t>(held_)}; }
  float* data() const { return numbers_.get(); }
  /// True if no other handle shares the numbers, so that they may be overwritten in place.
  bool unique() const { return numbers_.use_count() == 1 && !borrowed_; }
  /// The same, or they are somebody else's that were lent to be written to.
  bool owned() const { return borrowed_ || unique(); }
  /// Zeros in the rest of the last block, after an operation that made something else of them.
  void clear_padding() const;
  /// The same numbers under another shape of as many elements. Plain arrays only.
  Array reshaped(const Shape& shape) const;

 private:
  friend class ArrayPool;
  Shape shape_;
  std::int64_t block_ = 1;
  std::int64_t held_ = 0;
  bool borrowed_ = false;
  std::shared_ptr<float> numbers_;
};

/// A map's extent as loops see it: [n, blocks, cells, lanes].
struct Extent {
  std::int64_t n = 1;
  std::int64_t blocks = 1;
  std::int64_t cells = 1;
  std::int64_t lanes = 1;
};
/// `shape` as [N,C,...]: all dimensions after the second are cells.
Extent extent_of(const Shape& shape, std::int64_t block);

/// Used by one thread at a time; arrays may outlive it.
class ArrayPool {
 public:
  ArrayPool();
  /// Uninitialised, but for the padding of the last block.
  Array take(const Shape& shape, std::int64_t block = 1);
  /// Bytes of all arrays alive, and of those kept for reuse.
  std::size_t bytes() const;

 private:
  struct Shelves;
  std::shared_ptr<Shelves> shelves_;
};

}  // namespace glimpse::dnn
