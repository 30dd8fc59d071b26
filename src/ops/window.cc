#include "ops/window.h"

namespace glimpse::ops {

std::int64_t window_count(const NodeView& view, const Window& window, std::size_t axis) {
  const dnn::Padding& pad = window.padding;
  const std::int64_t before = axis == 0 ? pad.top : pad.left;
  const std::int64_t after = axis == 0 ? pad.bottom : pad.right;
  const std::int64_t extent = view.src()[2 + axis];
  const std::int64_t reach = window.dilation[axis] * (window.kernel[axis] - 1) + 1;
  const std::int64_t stride = window.stride[axis];
  const std::int64_t room = extent + before + after - reach;
  if (room < 0) {
    view.fail(std::string("its window of ") + std::to_string(reach) + (axis == 0 ? " rows" : " columns") +
              " is larger than its padded input of " + std::to_string(extent + before + after));
  }
  if (!window.ceil) return room / stride + 1;
  const std::int64_t count = (room + stride - 1) / stride + 1;
  // As torch has it: the last window must start inside the input or the padding before it.
  return (count - 1) * stride >= extent + before ? count - 1 : count;
}

}  // namespace glimpse::ops
