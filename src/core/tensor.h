/// Shapes, element types and the two ways to hold a tensor: a view of somebody's bytes, and an owned array of floats.
/// Both are dense and row-major: the last dimension is contiguous.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "core/buffer.h"

namespace glimpse {

enum class DType { kF32, kF16, kBF16, kI8, kU8, kI32, kI64 };

std::size_t size_of(DType type);         ///< bytes an element
std::string_view to_string(DType type);  ///< as safetensors spells it: "F32", "BF16", …
std::optional<DType> parse_dtype(std::string_view name);

using Shape = std::vector<std::int64_t>;

std::int64_t element_count(std::span<const std::int64_t> shape);  ///< product of the dimensions; 1 for a scalar
std::string to_string(std::span<const std::int64_t> shape);       ///< "[64,3,7,7]"

/// Somebody else's tensor, whose bytes must outlive the view. `data` may be unaligned (safetensors promises no
/// alignment).
struct TensorView {
  const std::byte* data = nullptr;
  DType dtype = DType::kF32;
  Shape shape;

  std::int64_t count() const { return element_count(shape); }
  std::size_t bytes() const { return static_cast<std::size_t>(count()) * size_of(dtype); }
};

/// An owned f32 tensor, 64-byte aligned. Moves are cheap, copies are explicit (`clone`).
class Tensor {
 public:
  Tensor() = default;
  /// Uninitialised; throws std::bad_alloc.
  explicit Tensor(Shape shape);
  /// Copies. Throws Error(kUsage) unless there are as many values as elements.
  Tensor(Shape shape, std::span<const float> values);

  const Shape& shape() const { return shape_; }
  std::int64_t dim(std::size_t i) const { return shape_[i]; }
  std::int64_t count() const { return element_count(shape_); }
  float* data() { return reinterpret_cast<float*>(buffer_.data()); }
  const float* data() const { return reinterpret_cast<const float*>(buffer_.data()); }
  std::span<float> values() { return {data(), static_cast<std::size_t>(count())}; }
  std::span<const float> values() const { return {data(), static_cast<std::size_t>(count())}; }
  TensorView view() const { return {buffer_.data(), DType::kF32, shape_}; }
  Tensor clone() const { return Tensor(shape_, values()); }

 private:
  Shape shape_ = {0};
  AlignedBuffer buffer_;
};

/// A copy of `view` as floats, from any element type.
Tensor to_float(const TensorView& view);

/// Round-to-nearest-even conversions, for writers and tests.
std::uint16_t float_to_f16(float value);
float f16_to_float(std::uint16_t bits);
std::uint16_t float_to_bf16(float value);
float bf16_to_float(std::uint16_t bits);

}  // namespace glimpse
