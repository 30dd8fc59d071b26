#include "overlay/scene.h"

#include <algorithm>
#include <cmath>

#include "image/pixels.h"

namespace glimpse {
namespace {

double largest(const std::vector<float>& alpha) {
  double result = 0;
  for (const float value : alpha) result = value > result ? value : result;  // not a number is not larger
  return result;
}

}  // namespace

Scene::Scene(const Image& photo, const Caption& caption, int rows, int cols, const ViewTransform& transform,
             const OverlayOptions& options)
    : photo_(codec::view(photo)),
      caption_(caption),
      options_(options),
      heat_{.rows = rows, .cols = cols, .smooth = options.smooth},
      transform_(transform),
      colours_(colour_table(options.colormap)),
      painter_(make_painter(options)),
      text_(options.font) {}

int Scene::units(double at_320) const { return std::max(1, cvRound(at_320 * options_.tile_width / 320)); }

cv::Size Scene::fit_into(const cv::Size& box) const {
  constexpr double kLongest = 12;
  const double aspect = std::clamp(double(photo_.cols) / photo_.rows, 1 / kLongest, kLongest);
  const double fitted = std::min<double>(box.width, box.height * aspect);
  return {std::max(1, cvRound(fitted)), std::max(1, cvRound(fitted / aspect))};
}

cv::Mat Scene::picture(const cv::Size& size) const {
  const cv::Mat resized = codec::resize(photo_, size);
  return resized.data == photo_.data ? resized.clone() : resized;
}

cv::Mat Scene::cell(int row, int col) const {
  const cv::Rect pixels = cell_on_tile(row, col, photo_.size());
  return pixels.empty() ? cv::Mat() : photo_(pixels);
}

cv::Rect Scene::cell_on_tile(int row, int col, const cv::Size& tile) const {
  return on_tile(transform_.cells_to_source(row, col, 1, 1, heat_.rows, heat_.cols), tile);
}

cv::Rect Scene::on_tile(const Rect& source, const cv::Size& tile) const {
  // As heat_map has it: a pixel belongs to the cells that its centre lies in.
  const auto first = [](double edge, double length, int pixels) {
    return std::clamp(static_cast<int>(std::ceil(edge / length * pixels - 0.5)), 0, pixels);
  };
  const int left = first(source.x, transform_.source_width, tile.width);
  const int right = first(source.x + source.width, transform_.source_width, tile.width);
  const int top = first(source.y, transform_.source_height, tile.height);
  const int bottom = first(source.y + source.height, transform_.source_height, tile.height);
  return {left, top, std::max(0, right - left), std::max(0, bottom - top)};
}

double Scene::peak(const Glimpse& word) const {
  if (options_.scale == OverlayOptions::Scale::kPerWord) return largest(word.alpha);
  double result = 0;
  for (const Glimpse& other : words()) result = std::max(result, largest(other.alpha));
  return result;
}

cv::Mat Scene::heat(const Glimpse& word, const cv::Size& tile) const {
  HeatOptions options = heat_;
  options.peak = peak(word);
  return heat_map(word.alpha, options, transform_, tile);
}

double Scene::smoothed_peak(const Glimpse& word) const {
  // Nearly the same at any size, so that a small one will do.
  constexpr int kSide = 256;
  double result = 0;
  const auto raise = [&](const Glimpse& glimpse) {
    double largest_here = 0;
    cv::minMaxIdx(heat(glimpse, {kSide, kSide}), nullptr, &largest_here);
    result = std::max(result, largest_here);
  };
  if (options_.scale == OverlayOptions::Scale::kPerWord) {
    raise(word);
  } else {
    for (const Glimpse& other : words()) raise(other);
  }
  return result;
}

void Scene::paint(cv::Mat& tile, const Glimpse& word) const {
  cv::Mat attention = heat(word, tile.size());
  if (options_.smooth) {
    // Smoothing lowers peaks, narrow ones most; as on the paper's pictures the peak is drawn hottest all the same.
    const double hottest = smoothed_peak(word);
    if (hottest > 0) attention = cv::min(attention / hottest, 1.0);
  }
  painter_->paint(tile, {attention, on_tile(word.box, tile.size())});
}

void Scene::paint_ramp(cv::Mat& ramp) const {
  ramp.setTo(cv::Scalar::all(160));
  cv::Mat heat(ramp.size(), CV_32FC1);
  for (int i = 0; i < heat.cols; ++i) heat.col(i).setTo((i + 0.5) / heat.cols);
  const cv::Rect right_half(ramp.cols / 2, 0, ramp.cols - ramp.cols / 2, ramp.rows);
  painter_->paint(ramp, {heat, right_half});
}

}  // namespace glimpse
