#include "pipeline/region.h"

#include <algorithm>
#include <cmath>
#include <string>

#include "core/error.h"

namespace glimpse {
namespace {

Rect intersection(const Rect& a, const Rect& b) {
  const double left = std::max(a.x, b.x);
  const double top = std::max(a.y, b.y);
  return {left, top, std::max(0.0, std::min(a.x + a.width, b.x + b.width) - left),
          std::max(0.0, std::min(a.y + a.height, b.y + b.height) - top)};
}

/// How much of the stretch from `from` to `to` lies in pixel i.
double overlap(double from, double to, int i) {
  return std::max(0.0, std::min(to, static_cast<double>(i) + 1) - std::max(from, static_cast<double>(i)));
}

/// Σ over the pixels of `mask` of their whiteness, 0 to 1, times their area in `rect`, which is in its pixels.
double whiteness(const Image& mask, const Rect& rect) {
  double sum = 0;
  const int last_row = std::min(mask.height, static_cast<int>(std::ceil(rect.y + rect.height)));
  const int last_col = std::min(mask.width, static_cast<int>(std::ceil(rect.x + rect.width)));
  for (int y = std::max(0, static_cast<int>(rect.y)); y < last_row; ++y) {
    const double height = overlap(rect.y, rect.y + rect.height, y);
    for (int x = std::max(0, static_cast<int>(rect.x)); x < last_col; ++x) {
      sum += height * overlap(rect.x, rect.x + rect.width, x) * mask.row(y)[3 * x] / 255;
    }
  }
  return sum;
}

}  // namespace

std::vector<float> cell_weights(const Region& region, const ViewTransform& transform, int rows, int cols) {
  std::vector<float> weights;
  for (int row = 0; row < rows; ++row) {
    for (int col = 0; col < cols; ++col) {
      const Rect cell = transform.cells_to_source(row, col, 1, 1, rows, cols);
      const Rect seen = region.box ? intersection(cell, *region.box) : cell;
      const double area = cell.width * cell.height;
      double share = area > 0 ? seen.width * seen.height / area : 0;
      if (region.mask && area > 0) {
        const double x = static_cast<double>(region.mask->width) / transform.source_width;
        const double y = static_cast<double>(region.mask->height) / transform.source_height;
        share = whiteness(*region.mask, {seen.x * x, seen.y * y, seen.width * x, seen.height * y}) / (area * x * y);
      }
      weights.push_back(static_cast<float>(std::clamp(share, 0.0, 1.0)));
    }
  }
  if (std::ranges::any_of(weights, [](float weight) { return weight > 0; })) return weights;
  throw Error(ErrorCode::kUsage, "the region to look at has nothing of what the model sees of a picture of " +
                                     std::to_string(transform.source_width) + "×" +
                                     std::to_string(transform.source_height) + " pixels");
}

}  // namespace glimpse
