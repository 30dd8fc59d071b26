// The picture lit where the model looked.
#include <cmath>

#include "overlay/style.h"

namespace glimpse {
namespace {

class SpotlightPainter : public Painter {
 public:
  explicit SpotlightPainter(double alpha) : darkness_(1 - std::pow(1 - alpha, 1.5)) {}

  void paint(cv::Mat& tile, const Gaze& gaze) const override {
    for (int y = 0; y < tile.rows; ++y) {
      auto* pixel = tile.ptr<cv::Vec3b>(y);
      const float* heat = gaze.heat.ptr<float>(y);
      for (int x = 0; x < tile.cols; ++x) {
        // Squared, as the opacity of heat is.
        const double light = 1 - darkness_ * (1 - double(heat[x]) * heat[x]);
        for (int c = 0; c < 3; ++c) pixel[x][c] = cv::saturate_cast<std::uint8_t>(light * pixel[x][c]);
      }
    }
  }

 private:
  double darkness_;  ///< where nothing was looked at; an opacity of 0.6 leaves a quarter of the light
};

}  // namespace

std::unique_ptr<Painter> make_spotlight_painter(double alpha) { return std::make_unique<SpotlightPainter>(alpha); }

}  // namespace glimpse
