#include "overlay/style.h"

#include <algorithm>
#include <cmath>
#include <opencv2/imgproc.hpp>

namespace glimpse {
namespace {

double grey_of(const cv::Vec3b& pixel) { return 0.299 * pixel[0] + 0.587 * pixel[1] + 0.114 * pixel[2]; }

void blend(cv::Vec3b& pixel, const cv::Vec3b& colour, double opacity) {
  for (int c = 0; c < 3; ++c) pixel[c] = cv::saturate_cast<std::uint8_t>(pixel[c] + opacity * (colour[c] - pixel[c]));
}

/// The share of each of the tile's pixels that lies in `mask` within `depth` tile pixels of its border.
cv::Mat rim(const cv::Mat& distance, double depth, int detail, const cv::Size& size) {
  // The border's own pixels are at distance 1.
  cv::Mat within;
  cv::inRange(distance, 0.5, depth * detail + 0.5, within);
  if (detail == 1) return within;
  cv::Mat share;
  cv::resize(within, share, size, 0, 0, cv::INTER_AREA);
  return share;
}

}  // namespace

std::unique_ptr<Painter> make_painter(const OverlayOptions& options) {
  const ColourTable colours = colour_table(options.colormap);
  switch (options.style) {
    case OverlayOptions::Style::kContour:
      return make_contour_painter(colours, options.alpha, options.smooth);
    case OverlayOptions::Style::kBox:
      return make_box_painter(colours, options.alpha);
    case OverlayOptions::Style::kSpotlight:
      return make_spotlight_painter(options.alpha);
    case OverlayOptions::Style::kHeat:
      break;
  }
  return make_heat_painter(colours, options.alpha);
}

cv::Vec3d step_back(const cv::Vec3b& pixel, double away) {
  constexpr double kGreying = 0.8;
  constexpr double kDimming = 0.45;
  const double grey = grey_of(pixel);
  cv::Vec3d result;
  for (int c = 0; c < 3; ++c) {
    const double muted = pixel[c] + away * kGreying * (grey - pixel[c]);
    result[c] = muted * (1 - away * kDimming);
  }
  return result;
}

void step_back_outside(cv::Mat& tile, const cv::Mat& mask, double away) {
  for (int y = 0; y < tile.rows; ++y) {
    auto* pixel = tile.ptr<cv::Vec3b>(y);
    const std::uint8_t* inside = mask.ptr(y);
    for (int x = 0; x < tile.cols; ++x) {
      if (inside[x] == 0) pixel[x] = step_back(pixel[x], away);
    }
  }
}

void draw_border(cv::Mat& tile, const cv::Mat& mask, int detail, Border border, const cv::Vec3b& colour,
                 double opacity) {
  const int width = std::max(2, cvRound(std::min(tile.rows, tile.cols) / 110.0));
  // Where borders are to close, what lies beyond the tile counts as outside.
  const int beyond = border == Border::kClosed ? cv::BORDER_CONSTANT : cv::BORDER_REPLICATE;
  cv::Mat framed;
  cv::copyMakeBorder(mask, framed, 1, 1, 1, 1, beyond, cv::Scalar(0));
  cv::Mat distance;
  cv::distanceTransform(framed, distance, cv::DIST_L2, cv::DIST_MASK_5);
  distance = distance(cv::Rect(1, 1, mask.cols, mask.rows));
  const cv::Mat all = rim(distance, width + 2, detail, tile.size());
  const cv::Mat up_to_line = rim(distance, width + 1, detail, tile.size());
  const cv::Mat outer = rim(distance, 1, detail, tile.size());
  const std::uint8_t setting = grey_of(colour) > 110 ? 0 : 255;
  for (int y = 0; y < tile.rows; ++y) {
    auto* pixel = tile.ptr<cv::Vec3b>(y);
    for (int x = 0; x < tile.cols; ++x) {
      const double whole = all.at<std::uint8_t>(y, x) / 255.0;
      if (whole <= 0) continue;
      const double line = (up_to_line.at<std::uint8_t>(y, x) - outer.at<std::uint8_t>(y, x)) / 255.0;
      blend(pixel[x], cv::Vec3b::all(setting), opacity * (whole - line));
      blend(pixel[x], colour, opacity * line);
    }
  }
}

}  // namespace glimpse
