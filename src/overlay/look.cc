#include "overlay/look.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <opencv2/imgproc.hpp>
#include <string>
#include <vector>

#include "image/pixels.h"
#include "overlay/label.h"
#include "overlay/text.h"

namespace glimpse {
namespace {

using Weight = TextPainter::Weight;

/// Told apart on black and on photos alike.
const std::array<cv::Scalar, 8> kColours = {
    cv::Scalar(255, 159, 28), cv::Scalar(46, 196, 182), cv::Scalar(255, 99, 146),  cv::Scalar(163, 217, 60),
    cv::Scalar(90, 160, 255), cv::Scalar(255, 221, 74), cv::Scalar(190, 140, 255), cv::Scalar(255, 90, 80)};

/// A glimpse with what it is drawn with.
struct Mark {
  const LookGlimpse* glimpse = nullptr;
  cv::Scalar colour;
  std::string number;
};

class LookPage {
 public:
  LookPage(const Image& picture, const Look& look, const LookConfig& config, const LookDrawing& options)
      : picture_(codec::view(picture)), look_(look), config_(config), options_(options), text_(options.font) {
    const double factor = double(options.side) / std::max(picture.source_width, picture.source_height);
    scale_ = factor;
    drawn_ = {std::max(1, cvRound(factor * picture.source_width)),
              std::max(1, cvRound(factor * picture.source_height))};
    for (std::size_t round = 0; round < look.objects.size(); ++round) {
      for (const LookGlimpse& glimpse : look.objects[round].glimpses) {
        // Looks at one object are of one colour; where there is but one, each has its own.
        const std::size_t colour = config.kind == LookConfig::Kind::kRam ? marks_.size() : round;
        marks_.push_back({&glimpse, kColours[colour % kColours.size()], std::to_string(marks_.size() + 1)});
      }
    }
    height_ = std::max(drawn_.height, units(3 * kTile));
    per_column_ = std::max(1, (height_ + units(kGap)) / (units(kTile) + units(kGap)));
    columns_ = (static_cast<int>(marks_.size()) + per_column_ - 1) / per_column_;
  }

  Image draw() const {
    const int margin = units(20);
    const int answer = units(44);
    const int strip = columns_ * column_width();
    Image page(std::max(2 * margin + drawn_.width + strip, 2 * margin + answer_width()), 2 * margin + height_ + answer);
    cv::Mat canvas = codec::view(page);
    canvas.setTo(kPaper);
    const cv::Rect place(cv::Point(margin, margin), drawn_);
    cv::Mat picture = canvas(place);
    enlarge(picture_, picture);
    draw_path(picture);
    draw_frame(canvas, place);
    for (std::size_t i = 0; i < marks_.size(); ++i) {
      const int index = static_cast<int>(i);
      draw_patches(canvas, marks_[i],
                   {margin + drawn_.width + units(kGap) + index / per_column_ * column_width(),
                    margin + index % per_column_ * (units(kTile) + units(kGap))});
    }
    draw_answer(canvas, {margin, margin + height_ + units(32)});
    return page;
  }

 private:
  static constexpr double kTile = 66;  ///< at a side of 480
  static constexpr double kGap = 10;

  int units(double at_480) const { return std::max(1, cvRound(at_480 * options_.side / 480)); }
  int column_width() const { return units(30) + config_.scales * (units(kTile) + units(4)) + units(kGap); }
  TextPainter::Style style(double height, Weight weight, const cv::Scalar& colour) const {
    return {units(height), weight, colour};
  }

  /// Small pictures stay the squares that they are made of.
  static void enlarge(const cv::Mat& src, cv::Mat& dst) {
    constexpr int kSquares = 2;
    if (dst.cols >= kSquares * src.cols) {
      cv::resize(src, dst, dst.size(), 0, 0, cv::INTER_NEAREST);
    } else {
      codec::resize(src, dst.size()).copyTo(dst);
    }
  }

  cv::Rect on_page(const Rect& box) const {
    const cv::Point from(cvRound(scale_ * box.x), cvRound(scale_ * box.y));
    const cv::Point to(cvRound(scale_ * (box.x + box.width)), cvRound(scale_ * (box.y + box.height)));
    return {from, to};
  }

  void draw_path(cv::Mat& picture) const {
    std::vector<cv::Point> centres;
    for (const Mark& mark : marks_) {
      const cv::Rect sharp = on_page(mark.glimpse->boxes.front());
      for (std::size_t i = mark.glimpse->boxes.size(); i-- > 1;) {
        cv::rectangle(picture, on_page(mark.glimpse->boxes[i]), 0.4 * mark.colour, 1, cv::LINE_AA);
      }
      centres.push_back((sharp.tl() + sharp.br()) / 2);
    }
    for (std::size_t i = 1; i < centres.size(); ++i) {
      cv::line(picture, centres[i - 1], centres[i], cv::Scalar::all(0), units(4), cv::LINE_AA);
      cv::line(picture, centres[i - 1], centres[i], cv::Scalar::all(235), units(1.6), cv::LINE_AA);
    }
    for (std::size_t i = 0; i < marks_.size(); ++i) {
      const cv::Rect sharp = on_page(marks_[i].glimpse->boxes.front());
      cv::rectangle(picture, sharp, marks_[i].colour, units(2.5), cv::LINE_AA);
      cv::circle(picture, centres[i], units(4), marks_[i].colour, cv::FILLED, cv::LINE_AA);
    }
    // No box may cross a number; where two would lie on each other, the earlier one is seen.
    for (std::size_t i = marks_.size(); i-- > 0;) {
      draw_number(picture, marks_[i], on_page(marks_[i].glimpse->boxes.front()).tl());
    }
  }

  /// At a box's corner, where that is within the picture.
  void draw_number(cv::Mat& picture, const Mark& mark, const cv::Point& corner) const {
    const TextPainter::Style number = style(17, Weight::kBold, kInk);
    const int side = units(20);
    const int width = std::max(side, text_.width(mark.number, number) + units(8));
    const cv::Point at(std::clamp(corner.x, 0, std::max(0, picture.cols - width)),
                       std::clamp(corner.y, 0, std::max(0, picture.rows - side)));
    cv::rectangle(picture, cv::Rect(at, cv::Size(width, side)), mark.colour, cv::FILLED);
    text_.draw(picture, mark.number, at + cv::Point((width - text_.width(mark.number, number)) / 2, units(16)), number);
  }

  void draw_patches(cv::Mat& canvas, const Mark& mark, const cv::Point& corner) const {
    text_.draw(canvas, mark.number, corner + cv::Point(units(4), units(kTile / 2 + 7)),
               style(19, Weight::kBold, 0.75 * mark.colour));
    for (int scale = 0; scale < config_.scales; ++scale) {
      const cv::Rect place(corner + cv::Point(units(30) + scale * (units(kTile) + units(4)), 0),
                           cv::Size(units(kTile), units(kTile)));
      const std::ptrdiff_t size = std::ptrdiff_t{config_.patch} * config_.patch;
      cv::Mat grey(config_.patch, config_.patch, CV_8UC1);
      const float* values = mark.glimpse->patches.data() + scale * size;
      std::transform(values, values + size, grey.data,
                     [](float value) { return cv::saturate_cast<std::uint8_t>(255 * value); });
      cv::Mat large;
      cv::resize(grey, large, place.size(), 0, 0, cv::INTER_NEAREST);
      cv::cvtColor(large, canvas(place), cv::COLOR_GRAY2RGB);
      cv::rectangle(canvas, place, mark.colour, units(2));
    }
  }

  /// What was said of an object, and how sure.
  std::pair<std::string, std::string> said(const LookObject& object) const {
    return {object.name.empty() ? "end" : object.name, percent(std::log(object.probability))};
  }

  int answer_width() const {
    int width = 0;
    for (const LookObject& object : look_.objects) {
      const auto [name, likely] = said(object);
      width += text_.width(name, style(28, Weight::kBold, kInk)) +
               text_.width(likely, style(18, Weight::kRegular, kPale)) + units(8 + 24);
    }
    return width;
  }

  void draw_answer(cv::Mat& canvas, cv::Point at) const {
    for (std::size_t i = 0; i < look_.objects.size(); ++i) {
      const auto [name, likely] = said(look_.objects[i]);
      const bool several = config_.kind == LookConfig::Kind::kDram;
      const TextPainter::Style bold = style(28, Weight::kBold, several ? 0.75 * kColours[i % kColours.size()] : kInk);
      const TextPainter::Style pale = style(18, Weight::kRegular, kPale);
      text_.draw(canvas, name, at, bold);
      at.x += text_.width(name, bold) + units(8);
      text_.draw(canvas, likely, at, pale);
      at.x += text_.width(likely, pale) + units(24);
    }
  }

  cv::Mat picture_;
  const Look& look_;
  const LookConfig& config_;
  const LookDrawing& options_;
  TextPainter text_;
  double scale_ = 1;  ///< from pixels of the source to those of the page
  cv::Size drawn_;
  std::vector<Mark> marks_;
  int height_ = 0;  ///< of picture and strip
  int per_column_ = 1;
  int columns_ = 0;
};

}  // namespace

Image draw_look(const Image& picture, const Look& look, const LookConfig& config, const LookDrawing& options) {
  return LookPage(picture, look, config, options).draw();
}

}  // namespace glimpse
