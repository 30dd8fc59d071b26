#include <algorithm>
#include <array>
#include <cmath>
#include <cstring>
#include <opencv2/imgproc.hpp>

#include "core/error.h"
#include "image/image.h"
#include "image/pixels.h"
#include "image/placement.h"

namespace glimpse {
namespace {

/// What each 8-bit value of each of the model's channels becomes.
using NormalisationTable = std::array<std::array<float, 256>, 3>;

NormalisationTable make_table(const Preprocess& preprocess) {
  NormalisationTable table;
  for (std::size_t c = 0; c < 3; ++c) {
    for (int value = 0; value < 256; ++value) {
      table[c][static_cast<std::size_t>(value)] = static_cast<float>((value - preprocess.mean[c]) / preprocess.std[c]);
    }
  }
  return table;
}

/// src RGB → dst [3, height, width] at `target`.
void normalise(const cv::Mat& src, const Preprocess& preprocess, const cv::Point& target, float* dst) {
  const NormalisationTable table = make_table(preprocess);
  const std::size_t plane = static_cast<std::size_t>(preprocess.width) * static_cast<std::size_t>(preprocess.height);
  for (int y = 0; y < src.rows; ++y) {
    const std::uint8_t* pixel = src.ptr(y);
    float* out = dst + static_cast<std::size_t>(target.y + y) * static_cast<std::size_t>(preprocess.width) +
                 static_cast<std::size_t>(target.x);
    const int first = preprocess.rgb ? 0 : 2;
    for (int x = 0; x < src.cols; ++x, ++out, pixel += 3) {
      out[0] = table[0][pixel[first]];
      out[plane] = table[1][pixel[1]];
      out[2 * plane] = table[2][pixel[2 - first]];
    }
  }
}

void check_sizes(const Preprocess& preprocess, int width, int height) {
  if (preprocess.width <= 0 || preprocess.height <= 0 || width <= 0 || height <= 0) {
    throw Error(ErrorCode::kUsage, "a picture or an input without pixels");
  }
}

/// That `what` holds as many values as the input does.
void check_count(const Preprocess& preprocess, std::size_t count, const char* what) {
  const std::size_t size =
      std::size_t{3} * static_cast<std::size_t>(preprocess.width) * static_cast<std::size_t>(preprocess.height);
  if (count == size) return;
  throw Error(ErrorCode::kUsage, std::string(what) + " of " + std::to_string(count) + " values where the model takes " +
                                     std::to_string(size));
}

}  // namespace

Rect ViewTransform::cells_to_source(int row, int col, int row_count, int col_count, int rows, int cols) const {
  const auto x_of = [&](int c) {
    return std::clamp(offset_x + scale_x * c * input_width / cols, 0.0, double(source_width));
  };
  const auto y_of = [&](int r) {
    return std::clamp(offset_y + scale_y * r * input_height / rows, 0.0, double(source_height));
  };
  const double left = x_of(col);
  const double top = y_of(row);
  return {left, top, x_of(col + col_count) - left, y_of(row + row_count) - top};
}

ViewTransform view_transform(const Preprocess& preprocess, int source_width, int source_height) {
  check_sizes(preprocess, source_width, source_height);
  const Placement placement = place(preprocess, source_width, source_height);
  ViewTransform transform;
  transform.scale_x = double(placement.source.width) / placement.target.width;
  transform.scale_y = double(placement.source.height) / placement.target.height;
  transform.offset_x = placement.source.x - transform.scale_x * placement.target.x;
  transform.offset_y = placement.source.y - transform.scale_y * placement.target.y;
  transform.source_width = source_width;
  transform.source_height = source_height;
  transform.input_width = preprocess.width;
  transform.input_height = preprocess.height;
  return transform;
}

ViewTransform to_input(const Image& image, const Preprocess& preprocess, std::span<float> dst) {
  check_sizes(preprocess, image.width, image.height);
  check_count(preprocess, dst.size(), "an input");
  const Placement placement = place(preprocess, image.width, image.height);
  if (placement.target.size() != cv::Size(preprocess.width, preprocess.height)) {
    std::fill(dst.begin(), dst.end(), 0.0F);  // the mean, normalised
  }
  const cv::Mat resized = codec::resize(codec::view(image)(placement.source), placement.target.size());
  normalise(resized, preprocess, placement.target.tl(), dst.data());
  return view_transform(preprocess, image.source_width, image.source_height);
}

void normalise(std::span<const std::uint8_t> pixels, const Preprocess& preprocess, std::span<float> dst) {
  check_sizes(preprocess, preprocess.width, preprocess.height);
  check_count(preprocess, pixels.size(), "pixels");
  check_count(preprocess, dst.size(), "an input");
  // OpenCV has no type for constant pixels.
  const cv::Mat view(preprocess.height, preprocess.width, CV_8UC3, const_cast<std::uint8_t*>(pixels.data()));
  normalise(view, preprocess, {0, 0}, dst.data());
}

}  // namespace glimpse
