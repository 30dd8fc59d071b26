/// Random scenes of coloured shapes with complete annotations: the box of each thing, and the things that each caption
/// word names. Unlimited data for tests, comparisons and first trainings.
#pragma once

#include <array>
#include <cstdint>
#include <string_view>
#include <vector>

#include "core/random.h"

namespace glimpse::scenes {

enum class Shape { kCircle, kSquare, kTriangle, kStar, kCross, kRing, kHeart, kHouse, kTree, kBoat, kFish, kFlower };
enum class Colour { kRed, kGreen, kBlue, kYellow, kOrange, kPurple, kPink, kBrown, kBlack, kWhite };
enum class Size { kSmall, kLarge };

constexpr int kShapes = 12;
constexpr int kColours = 10;

std::string_view name(Shape shape);
std::string_view name(Colour colour);
std::string_view name(Size size);
/// 8-bit RGB.
std::array<int, 3> rgb(Colour colour);

/// Lengths and places are shares of the picture's side.
struct Thing {
  Shape shape = Shape::kCircle;
  Colour colour = Colour::kRed;
  Size size = Size::kLarge;
  double x = 0.5;  ///< centre, to the right
  double y = 0.5;  ///< centre, downwards
  double radius = 0.2;
  double turn = 0;  ///< radians, clockwise
};

struct Background {
  std::array<int, 3> top = {};  ///< 8-bit RGB; the colour goes over into the other from top to bottom
  std::array<int, 3> bottom = {};
  double grain = 0;        ///< deviation of the noise on every pixel, in 0..255
  std::uint64_t seed = 0;  ///< of that noise
};

struct Scene {
  Background background;
  std::vector<Thing> things;  ///< no two of the same shape and colour; none touches another
};

struct SceneOptions {
  int least_things = 1;
  int most_things = 3;
};

/// How many things may stand in a scene at most.
constexpr int kMostThings = 3;

/// Scene `number` of the endless series that `seed` begins. Throws Error(kUsage) for options out of range.
Scene draw_scene(std::uint64_t seed, std::uint64_t number, const SceneOptions& options = {});

/// A and B stand side by side or one above the other, never askew.
enum class Relation { kLeftOf, kRightOf, kAbove, kBelow };
Relation relation(const Thing& a, const Thing& b);

}  // namespace glimpse::scenes
