/// Maps pixels of a picture to pixels of a model's input.
#pragma once

#include <opencv2/core/types.hpp>

#include "core/preprocess.h"

namespace glimpse {

struct Placement {
  cv::Rect source;  ///< of the picture
  cv::Rect target;  ///< of the input
};

/// As preprocess.resize has it, for a picture of that size.
Placement place(const Preprocess& preprocess, int width, int height);

}  // namespace glimpse
