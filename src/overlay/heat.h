/// Attention at each pixel of a tile, and the colours that stand for it.
#pragma once

#include <array>
#include <cstdint>
#include <opencv2/core.hpp>
#include <span>
#include <string>

#include "image/image.h"

namespace glimpse {

/// RGB for values 0..255.
using ColourTable = std::array<cv::Vec3b, 256>;

/// One of OpenCV's colour maps by its name in any case. Throws Error(kUsage) with the nearest name.
ColourTable colour_table(const std::string& name);

/// Attention for each pixel of a tile that shows the whole picture.
struct HeatOptions {
  int rows = 0;
  int cols = 0;
  double peak = 1;  ///< the attention that is drawn hottest
  bool smooth = false;
};

/// alpha [rows, cols] → heat [size.height, size.width] (32-bit float, 0..1), at the pixels that the cells cover.
cv::Mat heat_map(std::span<const float> alpha, const HeatOptions& options, const ViewTransform& transform,
                 const cv::Size& size);

}  // namespace glimpse
