/// Rectangles in pictures and maps of cells. In pictures x goes to the right and y down, the origin is the top-left
/// corner of the top-left pixel.
#pragma once

namespace glimpse {

/// A rectangle in pixels, with fractions.
struct Rect {
  double x = 0;
  double y = 0;
  double width = 0;
  double height = 0;
};

/// The cells of a map.
struct Grid {
  int rows = 1;
  int cols = 1;
  int cells() const { return rows * cols; }
};

}  // namespace glimpse
