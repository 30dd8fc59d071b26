/// Where in a picture a model may look: a rectangle, or whatever a mask shows white.
#pragma once

#include <memory>
#include <optional>
#include <vector>

#include "core/geometry.h"
#include "image/image.h"

namespace glimpse {

/// In pixels of the upright source. With both, what lies in both; with neither, everything.
struct Region {
  std::optional<Rect> box;
  /// White where to look, black where not; stretched to the picture's size, of which only the first channel counts.
  std::shared_ptr<const Image> mask;

  explicit operator bool() const { return box || mask; }
};

/// How much of each cell of a rows × cols map lies in the region, from 0 to 1, row by row. Throws Error(kUsage) where
/// none does at all.
std::vector<float> cell_weights(const Region& region, const ViewTransform& transform, int rows, int cols);

}  // namespace glimpse
