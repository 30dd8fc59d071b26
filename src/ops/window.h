/// Windows that slide over a map: what convolutions and pools share.
#pragma once

#include <array>
#include <cstdint>

#include "dnn/plan/plan.h"
#include "ops/operation.h"

namespace glimpse::ops {

/// Rows first.
struct Window {
  std::array<std::int64_t, 2> kernel;
  std::array<std::int64_t, 2> stride;
  std::array<std::int64_t, 2> dilation;
  dnn::Padding padding;
  bool ceil = false;  ///< a last, partial window counts, as in torch's ceil_mode
};

/// Positions of the window along rows (axis 0) or columns (axis 1) of the node's first source; view.fail where there is
/// none.
std::int64_t window_count(const NodeView& view, const Window& window, std::size_t axis);

}  // namespace glimpse::ops
