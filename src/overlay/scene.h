/// What all layouts draw with: one caption's picture at any size, its words' attention painted on it, and the means to
/// write.
#pragma once

#include <algorithm>
#include <memory>

#include "overlay/style.h"
#include "overlay/text.h"

namespace glimpse {

/// Refers to all that it is made from. Throws Error(kUsage) for a colour map or a font that is none.
class Scene {
 public:
  Scene(const Image& photo, const Caption& caption, int rows, int cols, const ViewTransform& transform,
        const OverlayOptions& options);

  const Caption& caption() const { return caption_; }
  const std::vector<Glimpse>& words() const { return caption_.glimpses; }
  const OverlayOptions& options() const { return options_; }
  const TextPainter& text() const { return text_; }
  const ColourTable& colours() const { return colours_; }
  int rows() const { return heat_.rows; }
  int cols() const { return heat_.cols; }

  /// Pixels for a length that is `at_320` where tiles are 320 wide; at least 1.
  int units(double at_320) const;

  int longer_side() const { return std::max(photo_.cols, photo_.rows); }
  /// The picture's shape in a box: its true one, unless it is longer than 12 : 1.
  cv::Size fit_into(const cv::Size& box) const;
  /// The picture at another size (8-bit RGB), to be painted on.
  cv::Mat picture(const cv::Size& size) const;
  /// The picture's pixels below a cell; empty where the cell lies outside the picture.
  cv::Mat cell(int row, int col) const;
  /// Where a cell lies on a tile of that size: the pixels whose centres are in it.
  cv::Rect cell_on_tile(int row, int col, const cv::Size& tile) const;

  /// The attention that is drawn hottest in this word's tile.
  double peak(const Glimpse& word) const;
  /// Paints where the word looked on `tile`, which shows the picture.
  void paint(cv::Mat& tile, const Glimpse& word) const;
  /// Paints attention that grows from 0 to the peak from left to right, as a legend.
  void paint_ramp(cv::Mat& ramp) const;

 private:
  cv::Mat heat(const Glimpse& word, const cv::Size& tile) const;
  /// What is left of the peak, which is 1, after smoothing.
  double smoothed_peak(const Glimpse& word) const;
  cv::Rect on_tile(const Rect& source, const cv::Size& tile) const;

  cv::Mat photo_;
  const Caption& caption_;
  const OverlayOptions& options_;
  HeatOptions heat_;
  ViewTransform transform_;
  ColourTable colours_;
  std::unique_ptr<Painter> painter_;
  TextPainter text_;
};

}  // namespace glimpse
