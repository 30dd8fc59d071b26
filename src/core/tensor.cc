#include "core/tensor.h"

#include <algorithm>
#include <array>
#include <bit>
#include <cstring>

#include "core/error.h"

namespace glimpse {
namespace {

struct DTypeInfo {
  DType type;
  std::string_view name;
  std::size_t size;
};
constexpr std::array<DTypeInfo, 7> kDTypes = {{{DType::kF32, "F32", 4},
                                               {DType::kF16, "F16", 2},
                                               {DType::kBF16, "BF16", 2},
                                               {DType::kI8, "I8", 1},
                                               {DType::kU8, "U8", 1},
                                               {DType::kI32, "I32", 4},
                                               {DType::kI64, "I64", 8}}};

const DTypeInfo& info(DType type) { return kDTypes[static_cast<std::size_t>(type)]; }

/// Reads elements of type T from unaligned `src` and widens each with `convert`.
template <typename T, typename Convert>
void widen(const std::byte* src, std::span<float> dst, Convert convert) {
  for (std::size_t i = 0; i < dst.size(); ++i) {
    T value;
    std::memcpy(&value, src + i * sizeof(T), sizeof(T));
    dst[i] = convert(value);
  }
}

}  // namespace

std::size_t size_of(DType type) { return info(type).size; }

std::string_view to_string(DType type) { return info(type).name; }

std::optional<DType> parse_dtype(std::string_view name) {
  for (const DTypeInfo& candidate : kDTypes)
    if (candidate.name == name) return candidate.type;
  return std::nullopt;
}

std::int64_t element_count(std::span<const std::int64_t> shape) {
  std::int64_t count = 1;
  for (const std::int64_t dim : shape) count *= dim;
  return count;
}

std::string to_string(std::span<const std::int64_t> shape) {
  std::string text = "[";
  for (std::size_t i = 0; i < shape.size(); ++i) {
    if (i > 0) text += ',';
    text += std::to_string(shape[i]);
  }
  return text + "]";
}

Tensor::Tensor(Shape shape)
    : shape_(std::move(shape)), buffer_(static_cast<std::size_t>(element_count(shape_)) * sizeof(float)) {}

Tensor::Tensor(Shape shape, std::span<const float> values) : Tensor(std::move(shape)) {
  if (std::ssize(values) != count()) {
    throw Error(ErrorCode::kUsage, "a tensor of shape " + to_string(shape_) + " was given " +
                                       std::to_string(values.size()) + " values; it takes " + std::to_string(count()));
  }
  std::copy(values.begin(), values.end(), data());
}

Tensor to_float(const TensorView& view) {
  Tensor result(view.shape);
  const std::span<float> dst = result.values();
  switch (view.dtype) {
    case DType::kF32:
      if (!dst.empty()) std::memcpy(dst.data(), view.data, view.bytes());
      break;
    case DType::kF16:
      widen<std::uint16_t>(view.data, dst, f16_to_float);
      break;
    case DType::kBF16:
      widen<std::uint16_t>(view.data, dst, bf16_to_float);
      break;
    case DType::kI8:
      widen<std::int8_t>(view.data, dst, [](std::int8_t v) { return static_cast<float>(v); });
      break;
    case DType::kU8:
      widen<std::uint8_t>(view.data, dst, [](std::uint8_t v) { return static_cast<float>(v); });
      break;
    case DType::kI32:
      widen<std::int32_t>(view.data, dst, [](std::int32_t v) { return static_cast<float>(v); });
      break;
    case DType::kI64:
      widen<std::int64_t>(view.data, dst, [](std::int64_t v) { return static_cast<float>(v); });
      break;
  }
  return result;
}

// The half conversions below move exponent and mantissa in integer registers, branch-light so that the compiler
// vectorises the loops over them.

float f16_to_float(std::uint16_t bits) {
  const std::uint32_t sign = (bits & 0x8000u) << 16;
  const std::uint32_t magnitude = bits & 0x7fffu;
  if (magnitude >= 0x7c00u) return std::bit_cast<float>(sign | 0x7f800000u | (magnitude & 0x3ffu) << 13);
  // Scaling by 2^112 rebuilds the exponent and normalises subnormal numbers in one exact multiplication.
  const float scaled = std::bit_cast<float>(magnitude << 13) * 0x1p112F;
  return std::bit_cast<float>(std::bit_cast<std::uint32_t>(scaled) | sign);
}

std::uint16_t float_to_f16(float value) {
  const std::uint32_t bits = std::bit_cast<std::uint32_t>(value);
  const auto sign = static_cast<std::uint16_t>((bits >> 16) & 0x8000u);
  const std::uint32_t magnitude = bits & 0x7fffffffu;
  if (magnitude > 0x7f800000u) return sign | 0x7e00u;   // NaN
  if (magnitude >= 0x477ff000u) return sign | 0x7c00u;  // rounds to 2^16 or more: infinity
  if (magnitude < 0x38800000u) {
    // Subnormal in f16: adding 0.5 leaves the rounded multiple of 2^-24 in the low mantissa bits.
    const float shifted = std::bit_cast<float>(magnitude) + 0.5F;
    return sign | static_cast<std::uint16_t>(std::bit_cast<std::uint32_t>(shifted) - 0x3f000000u);
  }
  const std::uint32_t rounded = magnitude - 0x38000000u + 0x0fffu + ((magnitude >> 13) & 1u);
  return sign | static_cast<std::uint16_t>(rounded >> 13);
}

float bf16_to_float(std::uint16_t bits) { return std::bit_cast<float>(static_cast<std::uint32_t>(bits) << 16); }

std::uint16_t float_to_bf16(float value) {
  const std::uint32_t bits = std::bit_cast<std::uint32_t>(value);
  if ((bits & 0x7fffffffu) > 0x7f800000u) return static_cast<std::uint16_t>((bits >> 16) | 0x40u);
  return static_cast<std::uint16_t>((bits + 0x7fffu + ((bits >> 16) & 1u)) >> 16);
}

}  // namespace glimpse
