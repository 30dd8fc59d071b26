/// Pictures as OpenCV holds them: from what its decoders give (any depth, grey, colour, alpha; blue first) to 8-bit
/// colour the right way up, and to other sizes.
#pragma once

#include <opencv2/core.hpp>

#include "image/format.h"
#include "image/image.h"

namespace glimpse::codec {

/// The pixels of `image` under a cv::Mat's interface; no copy.
cv::Mat view(Image& image);
/// For reading: OpenCV has no type for constant pixels.
cv::Mat view(const Image& image);

/// `decoded` as 8-bit colour, blue first, alpha composited on white. Throws Malformed for pixels that are no colours.
cv::Mat to_colour(const cv::Mat& decoded, Alpha alpha);

/// `pixels` turned and mirrored as EXIF's orientation 1..8 says.
cv::Mat upright(const cv::Mat& pixels, int orientation);

/// `pixels` at another size. Averages where an axis shrinks, interpolates where it grows.
cv::Mat resize(const cv::Mat& pixels, const cv::Size& size);

}  // namespace glimpse::codec
