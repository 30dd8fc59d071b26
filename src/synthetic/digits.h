/// Random pictures of digits with labels and boxes: one in the middle, one among clutter, or a row. Unlimited data for
/// glimpse models (Mnih et al. 2014 and Ba et al. 2015 used handwritten digits).
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "core/geometry.h"

namespace glimpse::digits {

enum class Kind {
  kCentred,     ///< one digit in the middle
  kTranslated,  ///< one digit anywhere
  kCluttered,   ///< one digit anywhere, with pieces of others strewn about
  kRow          ///< several, side by side
};

/// The kinds' names, as people write them.
const std::vector<std::pair<std::string_view, Kind>>& kinds();

struct DigitOptions {
  Kind kind = Kind::kCentred;
  int width = 28;  ///< pixels
  int height = 28;
  int clutter = 4;  ///< pieces of other digits, 8 pixels high and wide, with kCluttered
  int least = 3;    ///< digits of a row
  int most = 3;     ///< and at most; as many would fill the picture
};

struct Digit {
  int value = 0;  ///< 0 to 9
  Rect box;       ///< in whole pixels: the smallest that holds all that is seen of it
};

struct DigitPicture {
  int width = 0;
  int height = 0;
  std::vector<std::uint8_t> pixels;  ///< [height, width], light on black
  std::vector<Digit> digits;         ///< from left to right

  std::string label() const;  ///< "7", "042"
};

/// The digit itself is about this high and wide at most, in a picture or a row's share of one that is no smaller.
constexpr int kFrame = 28;

/// Throws Error(kUsage) for options out of range.
void check(const DigitOptions& options);

/// Picture `number` of the endless series that `seed` begins: the same on every machine. Options are as `check` wants
/// them.
DigitPicture draw(std::uint64_t seed, std::uint64_t number, const DigitOptions& options);

}  // namespace glimpse::digits
