/// What a glimpse sees: patches around a place, each twice as wide as the one before, all shrunk to the size of the
/// first by taking means (Mnih et al. 2014, figure 1A). What lies outside the picture is black.
#pragma once

#include <cstdint>
#include <span>

#include "core/geometry.h"
#include "glimpses/look_model.h"

namespace glimpse {

/// Where on the picture: −1 is its left or upper edge, 1 the right or lower one, 0 its middle.
struct Place {
  float x = 0;
  float y = 0;
};

/// Grey of one picture, in 0..1.
struct GreyPicture {
  const float* pixels = nullptr;  ///< [height, width]
  int width = 0;
  int height = 0;
};

/// The square of whole pixels that patch `scale` covers; part of it, or all, may lie outside the picture.
Rect patch_box(const LookConfig& config, Place place, int scale);

/// dst [scales, patch, patch].
void look_at(const GreyPicture& picture, const LookConfig& config, Place place, std::span<float> dst);

/// dst [height / coarse, width / coarse]: means over squares.
void see_coarsely(const GreyPicture& picture, int coarse, std::span<float> dst);

}  // namespace glimpse
