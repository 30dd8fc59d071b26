/// Tensors of random numbers that follow from a seed.
#pragma once

#include <cstdint>

#include "core/random.h"
#include "core/tensor.h"

namespace glimpse::testing {

/// Uniform in [−1, 1).
inline Tensor uniform_tensor(const Shape& shape, std::uint64_t seed) {
  Tensor tensor(shape);
  Random random(seed);
  for (float& value : tensor.values()) value = static_cast<float>(2 * random.uniform() - 1);
  return tensor;
}

/// Mean 0, deviation 1.
inline Tensor normal_tensor(const Shape& shape, std::uint64_t seed) {
  Tensor tensor(shape);
  Random random(seed);
  for (float& value : tensor.values()) value = static_cast<float>(random.normal());
  return tensor;
}

}  // namespace glimpse::testing
