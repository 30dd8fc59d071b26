#include "image/augment.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <opencv2/imgproc.hpp>
#include <string>

#include "core/error.h"
#include "image/pixels.h"
#include "image/placement.h"

namespace glimpse {
namespace {

constexpr double kLargestRatio = 10;

// Rec. 601 luma, as most tools have it.
constexpr float kRed = 0.299F;
constexpr float kGreen = 0.587F;
constexpr float kBlue = 0.114F;

void check_range(const char* name, double low, double high, double least, double most) {
  if (low > 0 && low >= least && low <= high && high <= most) return;  // false for NaN too
  throw Error(ErrorCode::kUsage, std::string(name) + " is drawn from " + std::to_string(low) + " to " +
                                     std::to_string(high) + "; give two numbers, the smaller first, from " +
                                     std::to_string(least) + " to " + std::to_string(most));
}

bool has_crop(const AugmentOptions& options) {
  return options.scale_min < 1 || options.ratio_min != 1 || options.ratio_max != 1;
}

/// `length` in pixels, or 0 where it does not fit into `available`.
int fitting(double length, int available) {
  const double rounded = std::round(length);
  return rounded > available ? 0 : std::max(static_cast<int>(rounded), 1);
}

void draw_crop(const AugmentOptions& options, int width, int height, Random& random, Augmentation& result) {
  // Large areas of long shapes do not fit; after ten tries the whole picture is taken, as is customary.
  constexpr int kTries = 10;
  const double log_low = std::log(options.ratio_min);
  const double log_high = std::log(options.ratio_max);
  for (int i = 0; i < kTries; ++i) {
    const double area = options.scale_min + (options.scale_max - options.scale_min) * random.uniform();
    const double ratio = std::exp(log_low + (log_high - log_low) * random.uniform());
    const int crop_width = fitting(width * std::sqrt(area * ratio), width);
    const int crop_height = fitting(height * std::sqrt(area / ratio), height);
    if (crop_width == 0 || crop_height == 0) continue;
    result.width = crop_width;
    result.height = crop_height;
    result.x = static_cast<int>(random.below(static_cast<std::uint64_t>(width - crop_width) + 1));
    result.y = static_cast<int>(random.below(static_cast<std::uint64_t>(height - crop_height) + 1));
    return;
  }
}

/// RGB, as near as 8 bits are to what normalises to 0.
cv::Scalar mean_colour(const Preprocess& input) {
  const std::array<double, 3>& mean = input.mean;
  return input.rgb ? cv::Scalar(mean[0], mean[1], mean[2]) : cv::Scalar(mean[2], mean[1], mean[0]);
}

double mean_grey(const cv::Mat& pixels) {
  const cv::Scalar mean = cv::mean(pixels);
  return double(kRed) * mean[0] + double(kGreen) * mean[1] + double(kBlue) * mean[2];
}

/// Brightness, contrast about the mean and saturation about each pixel's grey are all linear, so they are one: a factor
/// on the value, one on the pixel's grey, and a constant.
void colour(cv::Mat& pixels, const Augmentation& augmentation) {
  const double gain = augmentation.brightness * augmentation.contrast;
  const auto own = static_cast<float>(gain * augmentation.saturation);
  const auto shared = static_cast<float>(gain * (1 - augmentation.saturation));
  const auto constant =
      static_cast<float>((1 - augmentation.contrast) * augmentation.brightness * mean_grey(pixels) + 0.5);
  for (int y = 0; y < pixels.rows; ++y) {
    std::uint8_t* pixel = pixels.ptr(y);
    for (int x = 0; x < pixels.cols; ++x, pixel += 3) {
      const float grey = kRed * pixel[0] + kGreen * pixel[1] + kBlue * pixel[2];
      const float rest = shared * grey + constant;
      for (int c = 0; c < 3; ++c) {
        pixel[c] = static_cast<std::uint8_t>(std::clamp(own * pixel[c] + rest, 0.0F, 255.0F));
      }
    }
  }
}

}  // namespace

void check(const AugmentOptions& options) {
  check_range("the crop's share of the area", options.scale_min, options.scale_max, 0, 1);
  check_range("the crop's ratio", options.ratio_min, options.ratio_max, 1 / kLargestRatio, kLargestRatio);
  if (!(options.colour >= 0 && options.colour <= 1)) {
    throw Error(ErrorCode::kUsage, "colour is " + std::to_string(options.colour) + "; give 0 to 1");
  }
}

Augmentation whole_picture(int width, int height) {
  Augmentation result;
  result.width = width;
  result.height = height;
  return result;
}

Augmentation draw_augmentation(const AugmentOptions& options, int width, int height, Random& random) {
  Augmentation result = whole_picture(width, height);
  if (options.flip) result.flipped = random.uniform() < 0.5;
  if (has_crop(options)) draw_crop(options, width, height, random, result);
  if (options.colour > 0) {
    const auto factor = [&] { return 1 + options.colour * (2 * random.uniform() - 1); };
    result.brightness = factor();
    result.contrast = factor();
    result.saturation = factor();
  }
  return result;
}

void augment(const Image& image, const Augmentation& augmentation, const Preprocess& input,
             std::span<std::uint8_t> dst) {
  const cv::Rect crop(augmentation.x, augmentation.y, augmentation.width, augmentation.height);
  if (crop.empty() || (crop & cv::Rect(0, 0, image.width, image.height)) != crop) {
    throw Error(ErrorCode::kInternal, "a crop that lies outside its picture");
  }
  cv::Mat out(input.height, input.width, CV_8UC3, dst.data());
  if (dst.size() != out.total() * out.elemSize()) {
    throw Error(ErrorCode::kInternal, "a view written into " + std::to_string(dst.size()) + " bytes");
  }
  const Placement placement = place(input, crop.width, crop.height);
  if (placement.target.size() != out.size()) out.setTo(mean_colour(input));
  cv::Mat view = out(placement.target);
  const cv::Mat resized = codec::resize(codec::view(image)(crop)(placement.source), view.size());
  if (augmentation.flipped) {
    cv::flip(resized, view, 1);
  } else {
    resized.copyTo(view);
  }
  if (augmentation.brightness != 1 || augmentation.contrast != 1 || augmentation.saturation != 1) {
    colour(view, augmentation);
  }
}

}  // namespace glimpse
