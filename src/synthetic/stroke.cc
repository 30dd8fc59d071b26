#include "synthetic/stroke.h"

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <opencv2/imgproc.hpp>
#include <string>

namespace glimpse::digits {
namespace {

constexpr int kDigits = 10;
constexpr std::array kFonts = {cv::FONT_HERSHEY_SIMPLEX,        cv::FONT_HERSHEY_PLAIN,
                               cv::FONT_HERSHEY_DUPLEX,         cv::FONT_HERSHEY_COMPLEX,
                               cv::FONT_HERSHEY_TRIPLEX,        cv::FONT_HERSHEY_COMPLEX_SMALL,
                               cv::FONT_HERSHEY_SCRIPT_SIMPLEX, cv::FONT_HERSHEY_SCRIPT_COMPLEX};
constexpr std::array kThicknesses = {3, 4, 5, 6, 7};  ///< in pixels of a glyph

Glyph draw_glyph(int font, int thickness, int value) {
  constexpr int kSide = Glyph::kSide;
  const std::string text = std::to_string(value);
  int baseline = 0;
  const double scale = Glyph::kHeight / double(cv::getTextSize(text, font, 1, 1, &baseline).height);
  // Where the digit comes to lie is seen on a larger sheet first.
  cv::Mat sheet(2 * kSide, 2 * kSide, CV_8UC1, cv::Scalar(0));
  cv::putText(sheet, text, {kSide / 2, kSide + kSide / 2}, font, scale, cv::Scalar(255), thickness, cv::LINE_AA);
  const cv::Rect box = cv::boundingRect(sheet);
  const int left = std::clamp(box.x + box.width / 2 - kSide / 2, 0, kSide);
  const int top = std::clamp(box.y + box.height / 2 - kSide / 2, 0, kSide);
  Glyph glyph;
  for (int y = 0; y < kSide; ++y) std::copy_n(sheet.ptr(top + y) + left, kSide, &glyph.cover[std::size_t(y) * kSide]);
  return glyph;
}

/// All there are: [fonts, thicknesses, digits].
const std::vector<Glyph>& glyphs() {
  static const std::vector<Glyph> kGlyphs = [] {
    std::vector<Glyph> all;
    for (const int font : kFonts) {
      for (const int thickness : kThicknesses) {
        for (int value = 0; value < kDigits; ++value) all.push_back(draw_glyph(font, thickness, value));
      }
    }
    return all;
  }();
  return kGlyphs;
}

double between(Random& random, double low, double high) { return low + (high - low) * random.uniform(); }

/// `cover` between its pixels, x and y from the middle of the glyph.
double sampled(const Glyph& glyph, double x, double y) {
  constexpr int kSide = Glyph::kSide;
  constexpr double kFraction = 256;
  constexpr double kMiddle = kSide / 2.0 - 0.5;
  if (x < -kMiddle || y < -kMiddle) return 0;
  // Steps of 1/256: what a machine's last digit may make of sine and cosine is not seen.
  const auto fixed = [](double value) { return static_cast<int>((value + kMiddle) * kFraction + 0.5); };
  const int column = fixed(x);
  const int row = fixed(y);
  const int left = column / int(kFraction);
  const int top = row / int(kFraction);
  if (left >= kSide - 1 || top >= kSide - 1) return 0;
  const double across = (column % int(kFraction)) / kFraction;
  const double down = (row % int(kFraction)) / kFraction;
  const std::uint8_t* at = &glyph.cover[std::size_t(top) * kSide + std::size_t(left)];
  const double above = (1 - across) * at[0] + across * at[1];
  const double below = (1 - across) * at[kSide] + across * at[kSide + 1];
  return ((1 - down) * above + down * below) / 255;
}

}  // namespace

Stroke::Stroke(int value, double size, Random& random) : size_(size) {
  constexpr double kPart = 20.0 / 28;  // of the frame that a digit is high, usually
  const std::size_t hand = random.below(kFonts.size()) * kThicknesses.size() + random.below(kThicknesses.size());
  glyph_ = &glyphs()[hand * kDigits + static_cast<std::size_t>(value)];
  const double unit = kPart * size / Glyph::kHeight;
  const double turn = between(random, -0.2, 0.2);
  const double slant = between(random, -0.25, 0.25);
  const double wide = unit * between(random, 0.75, 1.15);
  const double high = unit * between(random, 0.85, 1.1);
  // pixels = turn · [wide, slant · high; 0, high] · glyph, the other way round.
  const double c = std::cos(turn);
  const double s = std::sin(turn);
  const std::array<double, 4> forth = {c * wide, c * slant * high - s * high, s * wide, s * slant * high + c * high};
  const double determinant = forth[0] * forth[3] - forth[1] * forth[2];
  to_glyph_ = {forth[3] / determinant, -forth[1] / determinant, -forth[2] / determinant, forth[0] / determinant};
  const double strength = size / kKnots / 7;
  for (Offset& knot : bend_) knot = {strength * random.normal(), strength * random.normal()};
  ink_ = between(random, 0.7, 1);
}

/// The place on the unbent sheet, in pixels.
Stroke::Offset Stroke::bent(double x, double y) const {
  const auto knot = [&](double at) { return std::clamp((at / size_ + 0.5) * (kKnots - 1), 0.0, kKnots - 1.001); };
  const double column = knot(x);
  const double row = knot(y);
  const auto left = static_cast<std::size_t>(column);
  const auto top = static_cast<std::size_t>(row);
  const double across = column - static_cast<double>(left);
  const double down = row - static_cast<double>(top);
  const Offset* at = &bend_[top * kKnots + left];
  const auto mixed = [&](auto part) {
    return (1 - down) * ((1 - across) * part(at[0]) + across * part(at[1])) +
           down * ((1 - across) * part(at[kKnots]) + across * part(at[kKnots + 1]));
  };
  return {x + mixed([](const Offset& o) { return o.x; }), y + mixed([](const Offset& o) { return o.y; })};
}

double Stroke::cover(double x, double y) const {
  double sum = 0;
  for (const double down : {0.25, 0.75}) {
    for (const double across : {0.25, 0.75}) {
      const Offset place = bent(x + across, y + down);
      sum += sampled(*glyph_, to_glyph_[0] * place.x + to_glyph_[1] * place.y,
                     to_glyph_[2] * place.x + to_glyph_[3] * place.y);
    }
  }
  return ink_ * sum / 4;
}

}  // namespace glimpse::digits
