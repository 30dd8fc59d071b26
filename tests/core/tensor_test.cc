#include "core/tensor.h"

#include <gtest/gtest.h>

#include <bit>
#include <cmath>
#include <cstring>
#include <limits>

#include "support/usage_error.h"

namespace glimpse {
namespace {

TEST(Half, EveryF16SurvivesTheRoundTrip) {
  for (std::uint32_t bits = 0; bits < 0x10000; ++bits) {
    const auto half = static_cast<std::uint16_t>(bits);
    const float value = f16_to_float(half);
    if (std::isnan(value)) {
      EXPECT_TRUE(std::isnan(f16_to_float(float_to_f16(value))));
    } else {
      ASSERT_EQ(float_to_f16(value), half) << "f16 bits " << bits << ", value " << value;
    }
  }
}

TEST(Half, F16KnownValues) {
  EXPECT_EQ(f16_to_float(0x3c00), 1.0F);
  EXPECT_EQ(f16_to_float(0xc000), -2.0F);
  EXPECT_EQ(f16_to_float(0x0001), 0x1p-24F);
  EXPECT_EQ(f16_to_float(0x7bff), 65504.0F);
  EXPECT_EQ(f16_to_float(0x7c00), std::numeric_limits<float>::infinity());
}

TEST(Half, RoundsToNearestEven) {
  EXPECT_EQ(float_to_f16(1.0F + 0x1p-11F), 0x3c00);             // half-way, down to even
  EXPECT_EQ(float_to_f16(1.0F + 3 * 0x1p-11F), 0x3c02);         // half-way, up to even
  EXPECT_EQ(float_to_f16(1.0F + 0x1p-11F + 0x1p-20F), 0x3c01);  // just above half-way
  EXPECT_EQ(float_to_f16(65519.0F), 0x7bff);
  EXPECT_EQ(float_to_f16(65520.0F), 0x7c00);
  EXPECT_EQ(float_to_f16(0x1p-25F), 0);
  EXPECT_EQ(float_to_bf16(1.0F + 0x1p-8F), 0x3f80);
  EXPECT_EQ(float_to_bf16(1.0F + 3 * 0x1p-8F), 0x3f82);
}

TEST(Half, EveryBf16SurvivesTheRoundTrip) {
  for (std::uint32_t bits = 0; bits < 0x10000; ++bits) {
    const float value = bf16_to_float(static_cast<std::uint16_t>(bits));
    if (!std::isnan(value)) {
      ASSERT_EQ(float_to_bf16(value), bits);
    }
  }
}

TEST(ToFloat, ReadsEveryTypeUnaligned) {
  // One byte of displacement: safetensors promises no alignment.
  std::array<std::byte, 64> bytes = {};
  const auto check = [&]<typename T>(DType type, std::array<T, 2> values, std::array<float, 2> expected) {
    std::memcpy(bytes.data() + 1, values.data(), sizeof(values));
    const Tensor tensor = to_float({bytes.data() + 1, type, {2}});
    EXPECT_EQ(tensor.values()[0], expected[0]) << to_string(type);
    EXPECT_EQ(tensor.values()[1], expected[1]) << to_string(type);
  };
  check(DType::kF32, std::array<float, 2>{1.5F, -2}, {1.5F, -2});
  check(DType::kF16, std::array<std::uint16_t, 2>{0x3c00, 0xc000}, {1, -2});
  check(DType::kBF16, std::array<std::uint16_t, 2>{0x3f80, 0xc000}, {1, -2});
  check(DType::kI8, std::array<std::int8_t, 2>{-128, 127}, {-128, 127});
  check(DType::kU8, std::array<std::uint8_t, 2>{0, 255}, {0, 255});
  check(DType::kI32, std::array<std::int32_t, 2>{-70000, 7}, {-70000, 7});
  check(DType::kI64, std::array<std::int64_t, 2>{-70000, 7}, {-70000, 7});
}

TEST(Tensor, IsAlignedAndMoves) {
  Tensor tensor({2, 3}, std::vector<float>{1, 2, 3, 4, 5, 6});
  EXPECT_EQ(reinterpret_cast<std::uintptr_t>(tensor.data()) % AlignedBuffer::kAlignment, 0U);
  const float* data = tensor.data();
  const Tensor moved = std::move(tensor);
  EXPECT_EQ(moved.data(), data);
  EXPECT_EQ(moved.values()[5], 6);
  EXPECT_EQ(to_string(moved.shape()), "[2,3]");
  EXPECT_EQ(element_count(Shape{}), 1);
}

TEST(Tensor, TakesAsManyValuesAsItHasElements) {
  const std::vector<float> values(7, 1.0F);
  EXPECT_THAT([&] { Tensor({2, 3}, values); }, testing::throws_usage("[2,3] was given 7 values; it takes 6"));
  EXPECT_THAT([&] { Tensor({2, 4}, values); }, testing::throws_usage("it takes 8"));
}

}  // namespace
}  // namespace glimpse
