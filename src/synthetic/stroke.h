/// One digit as it is written: a glyph of one of OpenCV's stroke fonts, slanted, stretched and bent. Internal to
/// src/digits.
#pragma once

#include <array>
#include <cstdint>
#include <vector>

#include "core/random.h"

namespace glimpse::digits {

/// A glyph, drawn large: cover of each pixel in 0..255.
struct Glyph {
  static constexpr int kSide = 64;
  static constexpr int kHeight = 40;  ///< of the digit in it; its middle is the middle of the glyph
  std::array<std::uint8_t, kSide* kSide> cover = {};
};

class Stroke {
 public:
  /// A `value` in a hand drawn by chance; `size`: of its frame in pixels, 28 for a digit about 20 high.
  Stroke(int value, double size, Random& random);

  /// How much of the pixel whose top left corner is at x, y from the digit's middle is covered, in 0..1.
  double cover(double x, double y) const;

 private:
  static constexpr int kKnots = 4;
  struct Offset {
    double x = 0;
    double y = 0;
  };
  Offset bent(double x, double y) const;

  const Glyph* glyph_;
  double size_;
  std::array<double, 4> to_glyph_ = {};  ///< [2, 2]: from pixels to the glyph's
  std::array<Offset, kKnots* kKnots> bend_ = {};
  double ink_ = 1;
};

}  // namespace glimpse::digits
