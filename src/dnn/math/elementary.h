/// exp, sigmoid and tanh of one number, for loops that the compiler vectorises. Internal to src/dnn; accuracy:
/// vector_math.h.
#pragma once

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstdint>

#include "dnn/math/multiversion.h"

namespace glimpse::dnn {

// exp(x) = 2^n · exp(r), n = round(x / ln 2), |r| ≤ ln 2 / 2. ln 2 is split in two so that n · ln 2 loses nothing
// (Cody and Waite). Adding kRound rounds to an integer that then stands in the low bits of the float.
inline constexpr float kRound = 12582912.0F;  // 1.5 · 2^23
inline constexpr float kLog2E = 1.44269504F;
inline constexpr float kLn2High = 0.693359375F;
inline constexpr float kLn2Low = -2.12194440e-4F;
inline constexpr float kExpLowest = -87.0F;
inline constexpr float kExpHighest = 88.0F;

GLIMPSE_INLINE float exp_of(float x) {
  const float clamped = std::min(std::max(x, kExpLowest), kExpHighest);
  const float shifted = clamped * kLog2E + kRound;
  const float n = shifted - kRound;
  const float r = (clamped - n * kLn2High) - n * kLn2Low;
  // exp(r) by its Taylor series: the first term left out is below 1.2e-8 for |r| ≤ 0.347.
  float p = 1.0F / 5040.0F;
  p = p * r + 1.0F / 720.0F;
  p = p * r + 1.0F / 120.0F;
  p = p * r + 1.0F / 24.0F;
  p = p * r + 1.0F / 6.0F;
  p = p * r + 0.5F;
  p = p * r * r + r + 1.0F;
  const std::uint32_t scaled = std::bit_cast<std::uint32_t>(p) + (std::bit_cast<std::uint32_t>(shifted) << 23U);
  return x < kExpLowest ? 0.0F : std::bit_cast<float>(scaled);
}

GLIMPSE_INLINE float sigmoid_of(float x) { return 1.0F / (1.0F + exp_of(-x)); }

// Near 0, where 1 − 2 / (exp(2x) + 1) would cancel: x + x³ P(x²), |x| < 0.625 (coefficients: Cephes, tanhf).
GLIMPSE_INLINE float tanh_of(float x) {
  const float square = x * x;
  float p = -5.70498872745e-3F;
  p = p * square + 2.06390887954e-2F;
  p = p * square - 5.37397155531e-2F;
  p = p * square + 1.33314422036e-1F;
  p = p * square - 3.33332819422e-1F;
  const float near = x + x * square * p;
  const float far = 1.0F - 2.0F / (exp_of(2.0F * x) + 1.0F);
  return std::fabs(x) < 0.625F ? near : far;
}

GLIMPSE_INLINE float relu_of(float x) { return x > 0.0F ? x : 0.0F; }

}  // namespace glimpse::dnn
