#include "dnn/plan/network.h"

namespace glimpse::dnn {

Shape ConvolutionProblem::dst() const {
  const auto extent = [&](std::size_t axis, std::int64_t before, std::int64_t after) {
    const std::int64_t reach = (weight[axis + 2] - 1) * options.dilation[axis] + 1;
    return (src[axis + 2] + before + after - reach) / options.stride[axis] + 1;
  };
  return {src[0], weight[0], extent(0, options.padding.top, options.padding.bottom),
          extent(1, options.padding.left, options.padding.right)};
}

std::int64_t ConvolutionProblem::flops() const { return 2 * element_count(dst()) * weight[1] * weight[2] * weight[3]; }

std::vector<int> Network::last_uses() const {
  std::vector<int> last(shapes.size(), -1);
  for (std::size_t i = 0; i < ops.size(); ++i) {
    for (const int src : ops[i].srcs) last[static_cast<std::size_t>(src)] = static_cast<int>(i);
  }
  for (const int input : inputs) last[static_cast<std::size_t>(input)] = kForever;
  for (const Output& output : outputs) last[static_cast<std::size_t>(output.value)] = kForever;
  return last;
}

}  // namespace glimpse::dnn
