#include "image/pixels.h"

#include <algorithm>
#include <opencv2/imgproc.hpp>

namespace glimpse::codec {
namespace {

cv::Mat to_8_bit(const cv::Mat& decoded) {
  cv::Mat result;
  switch (decoded.depth()) {
    case CV_8U:
      return decoded;
    case CV_16U:
      decoded.convertTo(result, CV_8U, 1.0 / 257);
      return result;
    case CV_32F:
    case CV_64F: {
      // Real samples are light between 0 and 1, or numbers between 0 and 255 where any is larger.
      cv::Mat finite;
      decoded.convertTo(finite, CV_32F);
      cv::patchNaNs(finite, 0);
      double largest = 0;
      cv::minMaxIdx(finite.reshape(1), nullptr, &largest);
      finite.convertTo(result, CV_8U, largest > 1 ? 1 : 255);
      return result;
    }
    default:
      throw Malformed("its samples are of a kind that is not supported");
  }
}

/// Whether every alpha value is 0, as in BMP files whose fourth byte is unused.
bool all_clear(const cv::Mat& bgra) {
  cv::Mat alpha;
  cv::extractChannel(bgra, alpha, 3);
  return cv::countNonZero(alpha) == 0;
}

cv::Mat on_white(const cv::Mat& bgra, Alpha alpha) {
  cv::Mat result(bgra.size(), CV_8UC3);
  if (alpha == Alpha::kUnreliable && all_clear(bgra)) {
    cv::cvtColor(bgra, result, cv::COLOR_BGRA2BGR);
    return result;
  }
  for (int y = 0; y < bgra.rows; ++y) {
    const std::uint8_t* src = bgra.ptr(y);
    std::uint8_t* dst = result.ptr(y);
    for (int x = 0; x < bgra.cols; ++x, src += 4, dst += 3) {
      const int a = src[3];
      for (int c = 0; c < 3; ++c) {
        const int value = alpha == Alpha::kPremultiplied ? std::min(src[c] + 255 - a, 255)
                                                         : (src[c] * a + 255 * (255 - a) + 127) / 255;
        dst[c] = static_cast<std::uint8_t>(value);
      }
    }
  }
  return result;
}

}  // namespace

cv::Mat view(Image& image) { return {image.height, image.width, CV_8UC3, image.pixels.data()}; }

cv::Mat view(const Image& image) {
  return {image.height, image.width, CV_8UC3, const_cast<std::byte*>(image.pixels.data())};
}

cv::Mat to_colour(const cv::Mat& decoded, Alpha alpha) {
  cv::Mat pixels = to_8_bit(decoded);
  switch (pixels.channels()) {
    case 1: {
      cv::Mat result;
      cv::cvtColor(pixels, result, cv::COLOR_GRAY2BGR);
      return result;
    }
    case 3:
      return pixels;
    case 4:
      return on_white(pixels, alpha);
    default:
      throw Malformed("it has " + std::to_string(pixels.channels()) + " channels");
  }
}

cv::Mat upright(const cv::Mat& pixels, int orientation) {
  cv::Mat result;
  switch (orientation) {
    case 2:
      cv::flip(pixels, result, 1);
      return result;
    case 3:
      cv::flip(pixels, result, -1);
      return result;
    case 4:
      cv::flip(pixels, result, 0);
      return result;
    case 5:
      cv::transpose(pixels, result);
      return result;
    case 6:
      cv::rotate(pixels, result, cv::ROTATE_90_CLOCKWISE);
      return result;
    case 7:
      cv::flip(pixels.t(), result, -1);
      return result;
    case 8:
      cv::rotate(pixels, result, cv::ROTATE_90_COUNTERCLOCKWISE);
      return result;
    default:
      return pixels;
  }
}

cv::Mat resize(const cv::Mat& pixels, const cv::Size& size) {
  if (pixels.size() == size) return pixels;
  // OpenCV's area method averages only where both axes shrink, so with one of each the shrinking one goes first.
  cv::Mat shrunk = pixels;
  const cv::Size least(std::min(size.width, pixels.cols), std::min(size.height, pixels.rows));
  if (least != pixels.size()) cv::resize(pixels, shrunk, least, 0, 0, cv::INTER_AREA);
  if (least == size) return shrunk;
  cv::Mat result;
  cv::resize(shrunk, result, size, 0, 0, cv::INTER_LINEAR);
  return result;
}

}  // namespace glimpse::codec
