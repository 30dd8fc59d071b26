/// The gradient check (gradient_check.h) for operations on maps: in every layout, and with numbers that keep clear of
/// kinks.
#pragma once

#include <string>
#include <utility>

#include "autograd/gradient_check.h"

namespace glimpse::train {

/// The check twice: with maps in the plain layout and in blocks of channels. Inputs of four dimensions whose position
/// is below `maps` are maps.
inline void check_layouts(GradientCase c, std::size_t maps) {
  const std::string name = c.name;
  for (const std::int64_t block : {std::int64_t{1}, dnn::Kernels(1).block()}) {
    c.name = name + (block == 1 ? ", plain" : ", in blocks");
    for (std::size_t i = 0; i < maps; ++i) c.inputs[i].block = block;
    check_gradient(c);
  }
}

/// Numbers in [−1, 1) in random order, no two the same or nearer to each other, or to zero, than a difference's step:
/// for what has kinks and maxima.
inline GradientInput spread(const Shape& shape) {
  GradientInput input{.shape = shape};
  const std::int64_t count = element_count(shape);
  for (std::int64_t i = 0; i < count; ++i) {
    input.values.push_back(static_cast<float>(2 * i + 1 - count - count % 2) / static_cast<float>(count));
  }
  Random random(static_cast<std::uint64_t>(count));
  for (std::size_t i = input.values.size(); i > 1; --i) std::swap(input.values[i - 1], input.values[random.below(i)]);
  return input;
}

}  // namespace glimpse::train
