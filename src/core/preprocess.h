/// How a picture becomes the input of a model.
#pragma once

#include <array>

namespace glimpse {

/// How a picture becomes the encoder's input: resized, each channel (value − mean) / std with values in 0..255.
struct Preprocess {
  enum class Resize {
    kStretch,     ///< both sides to the input size, the aspect ratio is lost
    kCentreCrop,  ///< the largest centred rectangle of the input's aspect ratio
    kFit  ///< the whole picture, centred, the rest filled with the mean (0 after normalising) and never looked at
  };
  int width = 224;
  int height = 224;
  Resize resize = Resize::kStretch;
  bool rgb = true;                         ///< else BGR
  std::array<double, 3> mean = {0, 0, 0};  ///< in the model's channel order
  std::array<double, 3> std = {255, 255, 255};
};

}  // namespace glimpse
