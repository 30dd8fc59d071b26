/// The region of a picture that attention is restricted to: a rectangle, or the white part of a mask.
#pragma once

#include <memory>
#include <optional>
#include <vector>

#include "core/geometry.h"
#include "image/image.h"

namespace glimpse {

/// In pixels of the upright source. With both, their intersection; with neither, the whole picture.
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
