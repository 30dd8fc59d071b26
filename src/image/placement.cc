#include "image/placement.h"

#include <algorithm>
#include <cstdint>

namespace glimpse {
namespace {

using Resize = Preprocess::Resize;

/// `length` scaled by `numerator` / `denominator`, rounded to the nearest, at least 1.
int scaled(int length, int numerator, int denominator) {
  const std::int64_t product = std::int64_t{2} * length * numerator + denominator;
  return static_cast<int>(std::max<std::int64_t>(product / (std::int64_t{2} * denominator), 1));
}

}  // namespace

Placement place(const Preprocess& preprocess, int width, int height) {
  const int input_width = preprocess.width;
  const int input_height = preprocess.height;
  Placement placement{cv::Rect(0, 0, width, height), cv::Rect(0, 0, input_width, input_height)};
  const bool wider = std::int64_t{width} * input_height > std::int64_t{height} * input_width;
  if (preprocess.resize == Resize::kCentreCrop) {
    cv::Rect& source = placement.source;
    (wider ? source.width : source.height) = wider ? std::min(scaled(input_width, height, input_height), width)
                                                   : std::min(scaled(input_height, width, input_width), height);
    source.x = (width - source.width) / 2;
    source.y = (height - source.height) / 2;
  } else if (preprocess.resize == Resize::kFit) {
    cv::Rect& target = placement.target;
    (wider ? target.height : target.width) = wider ? std::min(scaled(height, input_width, width), input_height)
                                                   : std::min(scaled(width, input_height, height), input_width);
    target.x = (input_width - target.width) / 2;
    target.y = (input_height - target.height) / 2;
  }
  return placement;
}

}  // namespace glimpse
