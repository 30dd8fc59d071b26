/// The ways of showing attention on a picture: a painter for each style.
#pragma once

#include <memory>
#include <opencv2/core.hpp>

#include "overlay/heat.h"
#include "overlay/overlay.h"

namespace glimpse {

/// A word's attention on a tile that shows the whole picture.
struct Gaze {
  cv::Mat heat;  ///< [height, width] 32-bit float, 0..1
  cv::Rect box;  ///< the glimpse's pixels
};

class Painter {
 public:
  virtual ~Painter() = default;
  /// Paints over `tile` (8-bit RGB). Where there is no attention the tile only steps back, everywhere alike.
  virtual void paint(cv::Mat& tile, const Gaze& gaze) const = 0;
};

/// Throws Error(kUsage) for an unknown colour map.
std::unique_ptr<Painter> make_painter(const OverlayOptions& options);

std::unique_ptr<Painter> make_heat_painter(const ColourTable& colours, double alpha);
std::unique_ptr<Painter> make_contour_painter(const ColourTable& colours, double alpha, bool smooth);
std::unique_ptr<Painter> make_box_painter(const ColourTable& colours, double alpha);
std::unique_ptr<Painter> make_spotlight_painter(double alpha);

/// The pixel with less colour and less light: by how much says `away`, 0..1.
cv::Vec3d step_back(const cv::Vec3b& pixel, double away);

/// Makes the pixels where `mask` is 0 step back.
void step_back_outside(cv::Mat& tile, const cv::Mat& mask, double away);

enum class Border { kClosed, kOpenAtEdges };  ///< whether a border runs along the tile's edges too

/// Draws the border of `mask` (8-bit, 0 or 255) inside it: a line of `width` pixels, a pixel in from the border,
/// between two of a colour that sets it off from any picture. `detail`: pixels of the mask for a pixel of the tile, an
/// axis.
void draw_border(cv::Mat& tile, const cv::Mat& mask, int detail, Border border, const cv::Vec3b& colour,
                 double opacity);

}  // namespace glimpse
