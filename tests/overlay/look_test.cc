#include "overlay/look.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <cstdint>

#include "support/tiny_look_model.h"

namespace glimpse {
namespace {

using Pixel = std::array<int, 3>;

Pixel pixel(const Image& image, int x, int y) {
  const std::uint8_t* p = image.row(y) + 3 * x;
  return {p[0], p[1], p[2]};
}

bool is_grey(const Pixel& p) { return p[0] == p[1] && p[1] == p[2]; }

/// Looks made by hand: boxes of 4 and 8 pixels around places in a picture of 16 × 12.
Look look_at_places(const LookConfig& config, const std::vector<std::pair<double, double>>& places) {
  Look look;
  LookObject object{1, "two", 0.75, {}};
  for (const auto& [x, y] : places) {
    LookGlimpse glimpse;
    for (int scale = 0; scale < config.scales; ++scale) {
      const double side = config.patch << scale;
      glimpse.boxes.push_back({x - side / 2, y - side / 2, side, side});
    }
    glimpse.patches.assign(static_cast<std::size_t>(config.retina_size()), 0);
    object.glimpses.push_back(glimpse);
  }
  look.objects.push_back(object);
  return look;
}

class LookDrawingTest : public ::testing::Test {
 protected:
  LookDrawingTest() : picture_(16, 12) { std::fill_n(picture_.row(0), 3 * 16 * 12, std::uint8_t{40}); }

  static constexpr int kMargin = 20;
  const LookConfig config_ = testing::tiny_look_config();
  Image picture_;
};

TEST_F(LookDrawingTest, BoxesStandWhereTheModelLooked) {
  // 480 pixels for 16: thirty for one.
  const Image page = draw_look(picture_, look_at_places(config_, {{8, 6}}), config_);
  const auto at = [&](double x, double y) {
    return pixel(page, kMargin + static_cast<int>(30 * x), kMargin + static_cast<int>(30 * y));
  };
  EXPECT_EQ(at(7, 5), (Pixel{40, 40, 40}));
  EXPECT_FALSE(is_grey(at(10, 6)));  // the right edge of the sharp patch
  EXPECT_FALSE(is_grey(at(8, 8)));   // its lower one
  EXPECT_FALSE(is_grey(at(12, 7)));  // that of the coarse one
  EXPECT_FALSE(is_grey(at(8, 6)));   // the place itself
  EXPECT_EQ(at(11, 7), (Pixel{40, 40, 40}));
  EXPECT_EQ(at(15.5, 11.5), (Pixel{40, 40, 40}));
}

TEST_F(LookDrawingTest, ALineJoinsThePlaces) {
  const auto middle = [&](const Image& page) { return pixel(page, kMargin + 30 * 8, kMargin + 30 * 6); };
  const Image joined = draw_look(picture_, look_at_places(config_, {{3, 6}, {13, 6}}), config_);
  EXPECT_GT(middle(joined)[0], 200);
  EXPECT_EQ(middle(draw_look(picture_, look_at_places(config_, {{3, 6}}), config_)), (Pixel{40, 40, 40}));
}

TEST_F(LookDrawingTest, PatchesStandBesideThePicture) {
  Look look = look_at_places(config_, {{8, 6}});
  const auto bright = [](const Image& page) {
    int count = 0;
    for (int y = kMargin + 4; y < kMargin + 60; ++y) {
      for (int x = kMargin + 480 + 42; x < page.width - kMargin; ++x)
        count += pixel(page, x, y) == Pixel{0, 0, 0} ? 1 : 0;
    }
    return count;
  };
  const int black = bright(draw_look(picture_, look, config_));
  EXPECT_GT(black, 2 * 50 * 50);
  // The sharp patch becomes grey, the other stays black.
  std::fill_n(look.objects[0].glimpses[0].patches.begin(), 16, 0.5F);
  EXPECT_NEAR(bright(draw_look(picture_, look, config_)), black / 2, black / 20);
}

TEST_F(LookDrawingTest, PlacesOutsideAndManyGlimpsesAndTallPicturesAreDrawn) {
  std::vector<std::pair<double, double>> places;
  for (int i = 0; i < 40; ++i) places.emplace_back(-30 + 2 * i, 40 - 2 * i);
  const Image many = draw_look(picture_, look_at_places(config_, places), config_);
  const Image few = draw_look(picture_, look_at_places(config_, {{8, 6}}), config_);
  EXPECT_GT(many.width, few.width);
  EXPECT_EQ(many.height, few.height);
  Image tall(2, 300);
  std::fill_n(tall.row(0), 3 * 2 * 300, std::uint8_t{200});
  EXPECT_GT(draw_look(tall, look_at_places(config_, {{1, 100}}), config_, {.side = 64, .font = {}}).height, 64);
}

TEST_F(LookDrawingTest, TheSameIsDrawnTheSame) {
  const Look look = look_at_places(config_, {{2, 3}, {9, 9}});
  const Image a = draw_look(picture_, look, config_);
  const Image b = draw_look(picture_, look, config_);
  ASSERT_EQ(a.width, b.width);
  EXPECT_TRUE(std::equal(a.row(0), a.row(0) + 3 * a.width * a.height, b.row(0)));
}

}  // namespace
}  // namespace glimpse
