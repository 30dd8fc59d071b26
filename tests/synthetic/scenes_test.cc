#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <map>
#include <set>
#include <string>

#include "core/error.h"
#include "synthetic/describe.h"
#include "synthetic/paint.h"
#include "synthetic/scene.h"

namespace glimpse::scenes {
namespace {

using ::testing::HasSubstr;

constexpr int kScenes = 300;
constexpr int kSide = 96;

std::string picture_of(const PaintedScene& painted) {
  return {reinterpret_cast<const char*>(painted.image.pixels.data()),
          static_cast<std::size_t>(3 * painted.image.width * painted.image.height)};
}

TEST(Scene, TheSameNumberIsTheSameSceneAndOthersAreOthers) {
  std::set<std::string> pictures;
  for (std::uint64_t number = 0; number < 40; ++number) {
    const std::string picture = picture_of(paint(draw_scene(7, number), kSide));
    EXPECT_EQ(picture, picture_of(paint(draw_scene(7, number), kSide))) << number;
    pictures.insert(picture);
  }
  pictures.insert(picture_of(paint(draw_scene(8, 0), kSide)));
  EXPECT_EQ(pictures.size(), 41U);
}

TEST(Scene, ThingsAreApartWithinThePictureAndNeverTwins) {
  std::array<int, kMostThings + 1> counts{};
  std::set<Shape> shapes;
  std::set<Colour> colours;
  for (std::uint64_t number = 0; number < kScenes; ++number) {
    const Scene scene = draw_scene(1, number);
    ++counts.at(scene.things.size());
    for (std::size_t i = 0; i < scene.things.size(); ++i) {
      const Thing& a = scene.things[i];
      shapes.insert(a.shape);
      colours.insert(a.colour);
      EXPECT_GE(std::min(a.x, a.y) - a.radius, 0) << number;
      EXPECT_LE(std::max(a.x, a.y) + a.radius, 1) << number;
      for (std::size_t k = 0; k < i; ++k) {
        const Thing& b = scene.things[k];
        EXPECT_GT(std::hypot(a.x - b.x, a.y - b.y), a.radius + b.radius) << number;
        EXPECT_FALSE(a.shape == b.shape && a.colour == b.colour) << number;
      }
    }
  }
  EXPECT_EQ(counts[0], 0);
  for (int things = 1; things <= kMostThings; ++things) EXPECT_GT(counts.at(things), kScenes / 5) << things;
  EXPECT_EQ(shapes.size(), kShapes);
  EXPECT_EQ(colours.size(), kColours);
}

TEST(Scene, RelationsAreWhatTheEyeSees) {
  const Thing middle;
  Thing other = middle;
  other.x = 0.1;
  other.y = 0.6;
  EXPECT_EQ(relation(other, middle), Relation::kLeftOf);
  EXPECT_EQ(relation(middle, other), Relation::kRightOf);
  other = {.x = 0.45, .y = 0.9};
  EXPECT_EQ(relation(other, middle), Relation::kBelow);
  EXPECT_EQ(relation(middle, other), Relation::kAbove);
}

TEST(Scene, NumbersOfThingsAreKeptAndBadOnesRefused) {
  for (std::uint64_t number = 0; number < 50; ++number) {
    EXPECT_EQ(draw_scene(1, number, {.least_things = 2, .most_things = 2}).things.size(), 2U);
  }
  for (const SceneOptions& bad : {SceneOptions{0, 2}, SceneOptions{1, 4}, SceneOptions{3, 2}}) {
    try {
      draw_scene(1, 0, bad);
      ADD_FAILURE() << bad.least_things << " to " << bad.most_things;
    } catch (const Error& error) {
      EXPECT_EQ(error.code(), ErrorCode::kUsage);
      EXPECT_THAT(error.what(), HasSubstr("give 1 to 3"));
    }
  }
}

TEST(Paint, BoxesHoldAllOfAThingAndNothingElse) {
  for (std::uint64_t number = 0; number < 60; ++number) {
    SCOPED_TRACE(number);
    const Scene scene = draw_scene(3, number);
    const PaintedScene painted = paint(scene, kSide);
    const PaintedScene bare = paint({.background = scene.background, .things = {}}, kSide);
    ASSERT_EQ(painted.boxes.size(), scene.things.size());
    const auto changed = [&](int x, int y) {
      return !std::equal(painted.image.row(y) + 3 * x, painted.image.row(y) + 3 * x + 3, bare.image.row(y) + 3 * x);
    };
    const auto within = [](const Rect& box, int x, int y) {
      return x >= box.x && x < box.x + box.width && y >= box.y && y < box.y + box.height;
    };
    for (int y = 0; y < kSide; ++y) {
      for (int x = 0; x < kSide; ++x) {
        if (!changed(x, y)) continue;
        EXPECT_EQ(std::ranges::count_if(painted.boxes, [&](const Rect& box) { return within(box, x, y); }), 1)
            << x << ", " << y;
      }
    }
    for (std::size_t i = 0; i < painted.boxes.size(); ++i) {
      const Rect& box = painted.boxes[i];
      // Tight but for a pixel: what is hardly covered may look as the background does.
      EXPECT_NEAR(box.width, 2 * scene.things[i].radius * kSide, 0.45 * box.width + 2);
      const int y = static_cast<int>(box.y + box.height / 2);
      int seen = 0;
      for (int x = static_cast<int>(box.x); x < box.x + box.width; ++x) seen += changed(x, y) ? 1 : 0;
      EXPECT_GT(seen, 0.2 * box.width);
    }
  }
}

TEST(Paint, ThingsHaveTheirColour) {
  for (int i = 0; i < kColours; ++i) {
    const auto colour = static_cast<Colour>(i);
    Scene scene{.background = {.top = {150, 150, 150}, .bottom = {150, 150, 150}}, .things = {{}}};
    scene.things[0].colour = colour;
    const PaintedScene painted = paint(scene, kSide);
    const std::uint8_t* middle = painted.image.row(kSide / 2) + 3 * (kSide / 2);
    for (std::size_t c = 0; c < 3; ++c) EXPECT_NEAR(middle[c], rgb(colour)[c], 3) << name(colour);
  }
}

TEST(Paint, SidesOutOfRangeAreRefused) {
  EXPECT_THROW(paint({}, 15), Error);
  EXPECT_THROW(paint({}, 4097), Error);
  EXPECT_EQ(paint({}, 16).image.width, 16);
}

/// What is said of things must be so.
void expect_true(const SceneCaption& caption, const Scene& scene) {
  SCOPED_TRACE(text(caption));
  const auto thing = [&](int index) -> const Thing& { return scene.things.at(static_cast<std::size_t>(index)); };
  const std::set<std::string> with_nobody = {"a", "an", "there", "is", "of", "picture", "and", "with"};
  for (const SceneWord& word : caption) {
    if (word.things.empty()) {
      EXPECT_TRUE(with_nobody.contains(word.text)) << word.text;
    } else if (word.things.size() == 2) {
      const Relation so = relation(thing(word.things[0]), thing(word.things[1]));
      const std::map<std::string, Relation> said = {{"left", Relation::kLeftOf},
                                                    {"right", Relation::kRightOf},
                                                    {"above", Relation::kAbove},
                                                    {"below", Relation::kBelow},
                                                    {"under", Relation::kBelow}};
      if (const auto found = said.find(word.text); found != said.end()) {
        EXPECT_EQ(so, found->second);
      }
    } else {
      const Thing& one = thing(word.things[0]);
      const std::set<std::string> of_places = {"in", "on", "at", "the"};
      if (of_places.contains(word.text)) continue;
      if (word.text == "left") {
        EXPECT_LT(one.x, 0.34);
      } else if (word.text == "right") {
        EXPECT_GT(one.x, 0.66);
      } else if (word.text == "top") {
        EXPECT_LT(one.y, 0.34);
      } else if (word.text == "bottom") {
        EXPECT_GT(one.y, 0.66);
      } else if (word.text == "middle") {
        EXPECT_LT(std::max(std::abs(one.x - 0.5), std::abs(one.y - 0.5)), 0.17);
      } else {
        EXPECT_TRUE(word.text == name(one.shape) || word.text == name(one.colour) || word.text == name(one.size))
            << word.text;
      }
    }
  }
}

TEST(Describe, EveryWordIsTrueAndEveryThingIsNamed) {
  for (std::uint64_t number = 0; number < kScenes; ++number) {
    SCOPED_TRACE(number);
    const Scene scene = draw_scene(5, number);
    Random random(number);
    const std::vector<SceneCaption> captions = describe(scene, 5, random);
    ASSERT_EQ(captions.size(), 5U);
    std::set<std::string> different;
    for (const SceneCaption& caption : captions) {
      expect_true(caption, scene);
      different.insert(text(caption));
      std::set<int> named;
      for (const SceneWord& word : caption) {
        if (word.things.size() == 1 &&
            word.text == name(scene.things.at(static_cast<std::size_t>(word.things[0])).shape)) {
          named.insert(word.things[0]);
        }
      }
      EXPECT_EQ(named.size(), scene.things.size()) << text(caption);
      EXPECT_THAT(text(caption), ::testing::Not(HasSubstr("a orange")));
    }
    EXPECT_EQ(different.size(), 5U);
  }
}

TEST(Describe, TheLargeComeFirstAndThenThoseAtTheLeftAndTheTop) {
  int pairs = 0;
  for (std::uint64_t number = 0; number < kScenes; ++number) {
    const Scene scene = draw_scene(5, number);
    Random random(number);
    for (const SceneCaption& caption : describe(scene, 5, random)) {
      std::vector<int> told;
      for (const SceneWord& word : caption) {
        if (word.things.size() == 1 && (told.empty() || told.back() != word.things[0])) told.push_back(word.things[0]);
      }
      for (std::size_t i = 1; i < told.size(); ++i) {
        const Thing& first = scene.things.at(static_cast<std::size_t>(told[i - 1]));
        const Thing& second = scene.things.at(static_cast<std::size_t>(told[i]));
        const Relation stands = relation(first, second);
        const bool before = stands == Relation::kLeftOf || stands == Relation::kAbove;
        EXPECT_TRUE(first.size == second.size ? before : first.size == Size::kLarge) << text(caption);
        ++pairs;
      }
    }
  }
  EXPECT_GT(pairs, kScenes);
}

}  // namespace
}  // namespace glimpse::scenes
