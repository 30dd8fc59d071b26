#include "synthetic/digits.h"

#include <algorithm>
#include <cmath>
#include <cstddef>

#include "core/error.h"
#include "core/random.h"
#include "synthetic/stroke.h"

namespace glimpse::digits {
namespace {

constexpr int kPiece = 8;       ///< side of a piece of clutter
constexpr int kLeastCell = 16;  ///< of a digit in a row
constexpr int kMostSide = 1024;
constexpr int kMostInRow = 20;
constexpr int kMostClutter = 1000;
constexpr double kSeen = 24;  ///< least lightness of what counts as seen

[[noreturn]] void refuse(const std::string& what) { throw Error(ErrorCode::kUsage, what); }

/// Light on black, before it is rounded.
class Sheet {
 public:
  Sheet(int width, int height) : width_(width), height_(height), light_(std::size_t(width) * std::size_t(height)) {}

  /// Draws what lies in `window`, in pixels from the stroke's middle, with that middle at x, y. Gives the box of what
  /// is seen.
  Rect draw(const Stroke& stroke, int x, int y, const Rect& window) {
    int left = width_;
    int right = 0;
    int top = height_;
    int bottom = 0;
    for (int row = std::max(0, y + int(window.y)); row < std::min(height_, y + int(window.y + window.height)); ++row) {
      for (int column = std::max(0, x + int(window.x)); column < std::min(width_, x + int(window.x + window.width));
           ++column) {
        const double light = 255 * stroke.cover(column - x, row - y);
        double& here = light_[std::size_t(row) * std::size_t(width_) + std::size_t(column)];
        here = std::max(here, light);
        if (light < kSeen) continue;
        left = std::min(left, column);
        right = std::max(right, column + 1);
        top = std::min(top, row);
        bottom = std::max(bottom, row + 1);
      }
    }
    if (right <= left) return {};
    return {double(left), double(top), double(right - left), double(bottom - top)};
  }

  /// As 8-bit numbers, with noise.
  std::vector<std::uint8_t> developed(Random& random) const {
    constexpr double kMostGrain = 20;
    const double grain = kMostGrain * random.uniform();
    std::vector<std::uint8_t> pixels;
    pixels.reserve(light_.size());
    std::uint64_t bits = 0;
    for (std::size_t i = 0; i < light_.size(); ++i) {
      if (i % 8 == 0) bits = random.next();
      const double noise = static_cast<double>(bits & 0xffU) / 255 * 2 - 1;
      bits >>= 8;
      pixels.push_back(static_cast<std::uint8_t>(std::clamp(light_[i] + grain * noise, 0.0, 255.0) + 0.5));
    }
    return pixels;
  }

 private:
  int width_;
  int height_;
  std::vector<double> light_;  ///< [height, width], 0..255
};

int whole_between(Random& random, int low, int high) {
  return low + static_cast<int>(random.below(static_cast<std::uint64_t>(std::max(0, high - low) + 1)));
}

Rect frame(double size) {
  return {-std::ceil(size / 2), -std::ceil(size / 2), 2 * std::ceil(size / 2), 2 * std::ceil(size / 2)};
}

int value_of(Random& random) { return static_cast<int>(random.below(10)); }

void draw_one(const DigitOptions& options, Random& random, Sheet& sheet, DigitPicture& picture) {
  constexpr int kHalf = kFrame / 2;
  const bool anywhere = options.kind != Kind::kCentred;
  const int x = anywhere ? whole_between(random, kHalf, options.width - kHalf) : options.width / 2;
  const int y = anywhere ? whole_between(random, kHalf, options.height - kHalf) : options.height / 2;
  const int value = value_of(random);
  picture.digits.push_back({value, sheet.draw(Stroke(value, kFrame, random), x, y, frame(kFrame))});
  for (int i = 0; options.kind == Kind::kCluttered && i < options.clutter; ++i) {
    const Stroke other(value_of(random), kFrame, random);
    // Pieces are cut out of the middle, where there is something to see.
    const int left = whole_between(random, -9, 1);
    const int top = whole_between(random, -9, 1);
    const int to_x = whole_between(random, 0, options.width - kPiece);
    const int to_y = whole_between(random, 0, options.height - kPiece);
    sheet.draw(other, to_x - left, to_y - top, {double(left), double(top), kPiece, kPiece});
  }
}

void draw_row(const DigitOptions& options, Random& random, Sheet& sheet, DigitPicture& picture) {
  const int cell = options.width / options.most;
  const double size = std::min(kFrame, std::min(cell, options.height));
  const int count = whole_between(random, options.least, options.most);
  const int begin = whole_between(random, 0, (options.most - count) * cell);
  const int slack_x = std::max(1, (cell - int(size)) / 2 + 2);
  const int slack_y = (options.height - int(size)) / 2;
  for (int i = 0; i < count; ++i) {
    const int x = begin + i * cell + cell / 2 + whole_between(random, -slack_x, slack_x);
    const int y = options.height / 2 + whole_between(random, -slack_y, slack_y);
    const int value = value_of(random);
    picture.digits.push_back({value, sheet.draw(Stroke(value, size, random), x, y, frame(size))});
  }
}

}  // namespace

const std::vector<std::pair<std::string_view, Kind>>& kinds() {
  static const std::vector<std::pair<std::string_view, Kind>> kKinds = {{"centred", Kind::kCentred},
                                                                        {"translated", Kind::kTranslated},
                                                                        {"translated-cluttered", Kind::kCluttered},
                                                                        {"row", Kind::kRow}};
  return kKinds;
}

std::string DigitPicture::label() const {
  std::string text;
  for (const Digit& digit : digits) text += static_cast<char>('0' + digit.value);
  return text;
}

void check(const DigitOptions& options) {
  const bool row = options.kind == Kind::kRow;
  const int least = row ? kLeastCell : kFrame;
  if (std::min(options.width, options.height) < least || std::max(options.width, options.height) > kMostSide) {
    refuse("pictures of digits of " + std::to_string(options.width) + " × " + std::to_string(options.height) +
           " pixels; give sides from " + std::to_string(least) + " to " + std::to_string(kMostSide));
  }
  if (options.clutter < 0 || options.clutter > kMostClutter) {
    refuse(std::to_string(options.clutter) + " pieces of clutter; give 0 to " + std::to_string(kMostClutter));
  }
  if (!row) return;
  if (options.least < 1 || options.least > options.most || options.most > kMostInRow) {
    refuse("rows of " + std::to_string(options.least) + " to " + std::to_string(options.most) + " digits; give 1 to " +
           std::to_string(kMostInRow) + ", the smaller number first");
  }
  if (options.width / options.most < kLeastCell) {
    refuse("rows of " + std::to_string(options.most) + " digits in " + std::to_string(options.width) +
           " pixels; a digit needs " + std::to_string(kLeastCell));
  }
}

DigitPicture draw(std::uint64_t seed, std::uint64_t number, const DigitOptions& options) {
  constexpr std::uint64_t kStride = 0x9e3779b97f4a7c15ULL;
  Random random(Random(seed).next() + kStride * number);
  Sheet sheet(options.width, options.height);
  DigitPicture picture;
  picture.width = options.width;
  picture.height = options.height;
  if (options.kind == Kind::kRow) {
    draw_row(options, random, sheet, picture);
  } else {
    draw_one(options, random, sheet, picture);
  }
  picture.pixels = sheet.developed(random);
  return picture;
}

}  // namespace glimpse::digits
