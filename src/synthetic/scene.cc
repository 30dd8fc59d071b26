#include "synthetic/scene.h"

#include <algorithm>
#include <cmath>
#include <numbers>
#include <string>

#include "core/error.h"

namespace glimpse::scenes {
namespace {

constexpr std::array<std::string_view, kShapes> kShapeNames = {
    "circle", "square", "triangle", "star", "cross", "ring", "heart", "house", "tree", "boat", "fish", "flower"};
constexpr std::array<std::string_view, kColours> kColourNames = {"red",    "green", "blue",  "yellow", "orange",
                                                                 "purple", "pink",  "brown", "black",  "white"};
constexpr std::array<std::array<int, 3>, kColours> kColourValues = {{{210, 30, 35},
                                                                     {30, 150, 60},
                                                                     {35, 70, 205},
                                                                     {245, 215, 35},
                                                                     {245, 130, 25},
                                                                     {125, 40, 160},
                                                                     {250, 150, 185},
                                                                     {115, 70, 35},
                                                                     {20, 20, 22},
                                                                     {248, 248, 246}}};

double between(Random& random, double low, double high) { return low + (high - low) * random.uniform(); }

/// Greys with a hint of colour, in which every thing's colour stands out.
std::array<int, 3> muted(Random& random) {
  const double grey = between(random, 120, 190);
  std::array<int, 3> colour{};
  for (int& channel : colour) channel = static_cast<int>(std::lround(grey + between(random, -18, 18)));
  return colour;
}

bool turns(Shape shape) {
  constexpr std::array kUpright = {Shape::kHouse, Shape::kTree, Shape::kBoat, Shape::kFish, Shape::kHeart};
  return std::ranges::find(kUpright, shape) == kUpright.end();
}

Thing draw_thing(Random& random, int things) {
  Thing thing;
  thing.shape = static_cast<Shape>(random.below(kShapes));
  thing.colour = static_cast<Colour>(random.below(kColours));
  thing.size = static_cast<Size>(random.below(2));
  const double room = things == 1 ? 1 : things == 2 ? 0.85 : 0.72;
  thing.radius = room * (thing.size == Size::kSmall ? between(random, 0.11, 0.14) : between(random, 0.2, 0.25));
  thing.x = between(random, thing.radius + 0.02, 0.98 - thing.radius);
  thing.y = between(random, thing.radius + 0.02, 0.98 - thing.radius);
  thing.turn = turns(thing.shape) ? between(random, -0.25, 0.25) : 0;
  return thing;
}

/// Nobody may be in doubt about what is left of what.
bool fits(const Thing& a, const Thing& b) {
  constexpr double kGap = 0.03;
  constexpr double kAskew = 1.6;
  if (a.shape == b.shape && a.colour == b.colour) return false;
  const double dx = std::abs(a.x - b.x);
  const double dy = std::abs(a.y - b.y);
  return std::hypot(dx, dy) > a.radius + b.radius + kGap && std::max(dx, dy) > kAskew * std::min(dx, dy);
}

}  // namespace

std::string_view name(Shape shape) { return kShapeNames[static_cast<std::size_t>(shape)]; }
std::string_view name(Colour colour) { return kColourNames[static_cast<std::size_t>(colour)]; }
std::string_view name(Size size) { return size == Size::kSmall ? "small" : "large"; }
std::array<int, 3> rgb(Colour colour) { return kColourValues[static_cast<std::size_t>(colour)]; }

Scene draw_scene(std::uint64_t seed, std::uint64_t number, const SceneOptions& options) {
  if (options.least_things < 1 || options.most_things > kMostThings || options.least_things > options.most_things) {
    throw Error(ErrorCode::kUsage, "scenes of " + std::to_string(options.least_things) + " to " +
                                       std::to_string(options.most_things) + " things; give 1 to " +
                                       std::to_string(kMostThings) + ", the smaller first");
  }
  Random random(Random(seed).next() ^ Random(~number).next());
  Scene scene;
  scene.background.top = muted(random);
  scene.background.bottom = muted(random);
  scene.background.grain = between(random, 2, 9);
  scene.background.seed = random.next();
  const int things =
      options.least_things +
      static_cast<int>(random.below(static_cast<std::uint64_t>(options.most_things - options.least_things + 1)));
  // Where the first ones leave no room for the others all are placed anew.
  constexpr int kPatience = 200;
  for (int tries = 0; std::ssize(scene.things) < things; ++tries) {
    if (tries % kPatience == 0) scene.things.clear();
    const Thing thing = draw_thing(random, things);
    if (std::ranges::all_of(scene.things, [&](const Thing& other) { return fits(thing, other); })) {
      scene.things.push_back(thing);
    }
  }
  return scene;
}

Relation relation(const Thing& a, const Thing& b) {
  const double dx = a.x - b.x;
  const double dy = a.y - b.y;
  if (std::abs(dx) > std::abs(dy)) return dx < 0 ? Relation::kLeftOf : Relation::kRightOf;
  return dy < 0 ? Relation::kAbove : Relation::kBelow;
}

}  // namespace glimpse::scenes
