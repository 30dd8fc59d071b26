#include "dnn/kernels/array.h"

#include <algorithm>
#include <bit>
#include <cassert>
#include <unordered_map>
#include <utility>
#include <vector>

namespace glimpse::dnn {
namespace {

/// Sizes are rounded up to eight steps a power of two, so that batches of nearly the same size share memory.
std::size_t size_class(std::size_t bytes) {
  const std::size_t step = std::max<std::size_t>(AlignedBuffer::kAlignment, std::bit_floor(bytes) / 8);
  return (bytes + step - 1) / step * step;
}

}  // namespace

Array Array::borrow(const Shape& shape, float* values) {
  Array result;
  result.shape_ = shape;
  result.held_ = element_count(shape);
  result.borrowed_ = true;
  result.numbers_ = std::shared_ptr<float>(values, [](float*) {});
  return result;
}

void Array::clear_padding() const {
  if (block_ == 1) return;
  const Extent e = extent_of(shape_, block_);
  const std::int64_t used = shape_[1] - (e.blocks - 1) * e.lanes;
  if (used == e.lanes) return;
  for (std::int64_t n = 0; n < e.n; ++n) {
    float* last = data() + ((n + 1) * e.blocks - 1) * e.cells * e.lanes;
    for (std::int64_t i = 0; i < e.cells; ++i) std::fill(last + i * e.lanes + used, last + (i + 1) * e.lanes, 0.0F);
  }
}

Array Array::reshaped(const Shape& shape) const {
  assert(block_ == 1 && element_count(shape) == count());
  Array result = *this;
  result.shape_ = shape;
  return result;
}

Extent extent_of(const Shape& shape, std::int64_t block) {
  Extent e;
  if (!shape.empty()) e.n = shape[0];
  if (shape.size() > 1) e.blocks = (shape[1] + block - 1) / block;
  for (std::size_t i = 2; i < shape.size(); ++i) e.cells *= shape[i];
  e.lanes = block;
  return e;
}

struct ArrayPool::Shelves {
  std::unordered_map<std::size_t, std::vector<AlignedBuffer>> free;
  std::size_t bytes = 0;
};

ArrayPool::ArrayPool() : shelves_(std::make_shared<Shelves>()) {}

std::size_t ArrayPool::bytes() const { return shelves_->bytes; }

Array ArrayPool::take(const Shape& shape, std::int64_t block) {
  const Extent e = extent_of(shape, block);
  Array result;
  result.shape_ = shape;
  result.block_ = block;
  result.held_ = e.n * e.blocks * e.cells * e.lanes;
  const std::size_t size =
      size_class(static_cast<std::size_t>(std::max<std::int64_t>(1, result.held_)) * sizeof(float));
  AlignedBuffer buffer;
  if (auto& shelf = shelves_->free[size]; !shelf.empty()) {
    buffer = std::move(shelf.back());
    shelf.pop_back();
  } else {
    buffer = AlignedBuffer(size);
    shelves_->bytes += size;
  }
  auto* numbers = reinterpret_cast<float*>(buffer.data());
  result.numbers_ =
      std::shared_ptr<float>(numbers, [shelves = shelves_, kept = std::make_shared<AlignedBuffer>(std::move(buffer)),
                                       size](float*) { shelves->free[size].push_back(std::move(*kept)); });
  result.clear_padding();
  return result;
}

}  // namespace glimpse::dnn
