/// The words' tiles, as `sheet` and `strip` have them: the picture with a word's attention, and the word's label below.
#pragma once

#include "overlay/label.h"
#include "overlay/scene.h"

namespace glimpse {

class Tiles {
 public:
  /// Tiles at most `width` wide and half as much higher. Refers to the scene.
  Tiles(const Scene& scene, int width);

  cv::Size picture() const { return plain_.size(); }
  /// With the label; wider than the picture where that is slim, so that the label can be read.
  cv::Size cell() const { return {label_width_, plain_.rows + labels_.height()}; }

  void draw_picture(cv::Mat& canvas, const cv::Point& corner) const;
  void draw_word(cv::Mat& canvas, const Glimpse& word, const cv::Point& corner) const;

 private:
  const Scene& scene_;
  cv::Mat plain_;
  int label_width_;
  Labels labels_;
};

}  // namespace glimpse
