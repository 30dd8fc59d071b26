#include "overlay/tiles.h"

#include <algorithm>

namespace glimpse {
namespace {

constexpr double kTallest = 1.5;
constexpr double kNarrowestLabel = 0.6;

}  // namespace

Tiles::Tiles(const Scene& scene, int width)
    : scene_(scene),
      plain_(scene.picture(scene.fit_into({width, cvRound(kTallest * width)}))),
      label_width_(std::max(plain_.cols, cvRound(kNarrowestLabel * width))),
      labels_(scene, label_width_) {}

void Tiles::draw_picture(cv::Mat& canvas, const cv::Point& corner) const {
  const cv::Rect place(corner, plain_.size());
  plain_.copyTo(canvas(place));
  draw_frame(canvas, place);
}

void Tiles::draw_word(cv::Mat& canvas, const Glimpse& word, const cv::Point& corner) const {
  cv::Mat tile = canvas(cv::Rect(corner, plain_.size()));
  plain_.copyTo(tile);
  scene_.paint(tile, word);
  labels_.draw(canvas, word, {corner.x, corner.y + plain_.rows});
}

}  // namespace glimpse
