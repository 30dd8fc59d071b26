// A frame around the glimpse's box; the picture within it keeps its colours.
#include <algorithm>
#include <cmath>

#include "overlay/style.h"

namespace glimpse {
namespace {

class BoxPainter : public Painter {
 public:
  BoxPainter(const ColourTable& colours, double alpha) : colours_(colours), alpha_(alpha) {}

  void paint(cv::Mat& tile, const Gaze& gaze) const override {
    cv::Mat mask(tile.size(), CV_8UC1, cv::Scalar(0));
    mask(gaze.box & cv::Rect(cv::Point(), tile.size())).setTo(255);
    step_back_outside(tile, mask, alpha_);
    // The frame's colour is the peak's: it tells words apart on a global scale.
    double peak = 0;
    cv::minMaxIdx(gaze.heat, nullptr, &peak);
    const auto colour = static_cast<std::size_t>(std::lround(255 * (0.35 + 0.55 * peak)));
    draw_border(tile, mask, 1, Border::kClosed, colours_[colour], std::min(1.0, 1.5 * alpha_));
  }

 private:
  ColourTable colours_;
  double alpha_;
};

}  // namespace

std::unique_ptr<Painter> make_box_painter(const ColourTable& colours, double alpha) {
  return std::make_unique<BoxPainter>(colours, alpha);
}

}  // namespace glimpse
