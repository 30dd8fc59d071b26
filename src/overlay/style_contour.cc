// Lines at some levels of attention, as on a map of hills; the picture within them keeps its colours.
#include <algorithm>
#include <array>
#include <opencv2/imgproc.hpp>

#include "overlay/style.h"

namespace glimpse {
namespace {

struct Level {
  double attention;    ///< as a share of the peak
  std::size_t colour;  ///< in the table: its middle to its end, where lines can be told from each other
};
constexpr std::array<Level, 3> kLevels = {{{0.25, 120}, {0.5, 180}, {0.75, 240}}};

/// The same attention on more pixels; where there is none, there is none.
cv::Mat finer(const cv::Mat& heat, int detail) {
  cv::Mat result;
  cv::resize(heat, result, heat.size() * detail, 0, 0, cv::INTER_LINEAR);
  cv::Mat none = heat <= 0;
  cv::resize(none, none, result.size(), 0, 0, cv::INTER_NEAREST);
  result.setTo(0, none);
  return result;
}

class ContourPainter : public Painter {
 public:
  ContourPainter(const ColourTable& colours, double alpha, bool smooth)
      : colours_(colours), alpha_(alpha), smooth_(smooth) {}

  void paint(cv::Mat& tile, const Gaze& gaze) const override {
    constexpr int kDetail = 3;  // of curved lines; cells' edges lie on whole pixels
    const int detail = smooth_ ? kDetail : 1;
    const cv::Mat heat = smooth_ ? finer(gaze.heat, kDetail) : gaze.heat;
    step_back_outside(tile, gaze.heat >= kLevels.front().attention, alpha_);
    for (const Level& level : kLevels) {
      draw_border(tile, heat >= level.attention, detail, Border::kOpenAtEdges, colours_[level.colour],
                  std::min(1.0, 1.5 * alpha_));
    }
  }

 private:
  ColourTable colours_;
  double alpha_;
  bool smooth_;
};

}  // namespace

std::unique_ptr<Painter> make_contour_painter(const ColourTable& colours, double alpha, bool smooth) {
  return std::make_unique<ContourPainter>(colours, alpha, smooth);
}

}  // namespace glimpse
