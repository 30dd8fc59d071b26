/// Scenes as pictures.
#pragma once

#include <vector>

#include "core/geometry.h"
#include "image/image.h"
#include "synthetic/scene.h"

namespace glimpse::scenes {

struct PaintedScene {
  Image image;
  std::vector<Rect> boxes;  ///< of each thing, in whole pixels: the smallest that holds all that is seen of it
};

/// `side` pixels high and wide; the same scene gives the same picture. Throws Error(kUsage) for sides out of range.
PaintedScene paint(const Scene& scene, int side);

}  // namespace glimpse::scenes
