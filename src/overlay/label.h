/// What is written beside tiles: words with their probability and gate, and the legend. All layouts share the colours.
#pragma once

#include <string>

#include "overlay/scene.h"

namespace glimpse {

inline const cv::Scalar kPaper(255, 255, 255);
inline const cv::Scalar kInk(28, 30, 36);
inline const cv::Scalar kPale(118, 123, 134);
inline const cv::Scalar kTrack(232, 234, 238);

/// "23 %", "0.4 %", "< 0.1 %"
std::string percent(double log_prob);
/// "β 0.42"; nothing where the gate is open, or there is none.
std::string gate(double beta, const TextPainter& text);

/// "14 × 14 cells"
std::string map_size(const Scene& scene);

/// The labels of a page's tiles, `width` pixels wide, all of one shape: the word at the left and its numbers at the
/// right; or beneath it, where any of the words is too long for that.
class Labels {
 public:
  Labels(const Scene& scene, int width);
  int height() const;
  /// From `corner` on, the label's top left; begins with a bar as long as the word is likely.
  void draw(cv::Mat& canvas, const Glimpse& word, const cv::Point& corner) const;

 private:
  int numbers_width(const Glimpse& word) const;

  const Scene& scene_;
  int width_;
  TextPainter::Style word_;
  TextPainter::Style number_;
  TextPainter::Style gate_;
  bool two_lines_ = false;
};

/// A hair-line around a picture, without which a bright one would run into the paper.
void draw_frame(cv::Mat& canvas, const cv::Rect& picture);

/// A bar of the whole width, filled as far as the word is likely.
void draw_likelihood(cv::Mat& canvas, const cv::Rect& bar, double log_prob);

/// What the style's marks mean, on the base line at `origin`, as much of it as `width` has room for.
void draw_legend(cv::Mat& canvas, const Scene& scene, const cv::Point& origin, int width);

}  // namespace glimpse
