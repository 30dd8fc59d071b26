// Colours over the picture, the more opaque the more attention; the rest steps back.
#include <cmath>

#include "overlay/style.h"

namespace glimpse {
namespace {

class HeatPainter : public Painter {
 public:
  HeatPainter(const ColourTable& colours, double alpha) : colours_(colours), alpha_(alpha) {}

  void paint(cv::Mat& tile, const Gaze& gaze) const override {
    for (int y = 0; y < tile.rows; ++y) {
      auto* pixel = tile.ptr<cv::Vec3b>(y);
      const float* heat = gaze.heat.ptr<float>(y);
      for (int x = 0; x < tile.cols; ++x) {
        const double value = heat[x];
        // Squared, since soft attention is nowhere near 0: what is half as hot is not to hide half of the picture.
        const double opacity = alpha_ * value * value;
        const cv::Vec3d base = step_back(pixel[x], alpha_ * (1 - value));
        const cv::Vec3b& colour = colours_[static_cast<std::size_t>(std::lround(255 * value))];
        for (int c = 0; c < 3; ++c) {
          pixel[x][c] = cv::saturate_cast<std::uint8_t>(base[c] + opacity * (colour[c] - base[c]));
        }
      }
    }
  }

 private:
  ColourTable colours_;
  double alpha_;
};

}  // namespace

std::unique_ptr<Painter> make_heat_painter(const ColourTable& colours, double alpha) {
  return std::make_unique<HeatPainter>(colours, alpha);
}

}  // namespace glimpse
