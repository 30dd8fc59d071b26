/// Rectangles in picture coordinates: x to the right, y down, the origin at the top-left corner of the top-left pixel.
#pragma once

namespace glimpse {

/// A rectangle in pixels, with fractions.
struct Rect {
  double x = 0;
  double y = 0;
  double width = 0;
  double height = 0;
};

}  // namespace glimpse
