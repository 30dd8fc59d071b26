#include "glimpses/retina.h"

#include <gtest/gtest.h>

#include <vector>

#include "support/tiny_look_model.h"

namespace glimpse {
namespace {

/// The mean over a cell, pixel by pixel, black outside.
double naive_cell(const std::vector<float>& pixels, const LookConfig& config, int left, int top, int side) {
  double sum = 0;
  for (int y = top; y < top + side; ++y) {
    for (int x = left; x < left + side; ++x) {
      if (x < 0 || y < 0 || x >= config.width || y >= config.height) continue;
      sum += pixels[static_cast<std::size_t>(y * config.width + x)];
    }
  }
  return sum / (side * side);
}

TEST(Retina, PatchesAreMeansOverTheirCells) {
  LookConfig config = testing::tiny_look_config();
  config.scales = 3;
  const std::vector<float> pixels = testing::random_grey(config, 1);
  for (const Place place : {Place{0, 0}, Place{0.4F, -0.3F}, Place{-1, -1}, Place{1, 1}, Place{-1, 0.77F}}) {
    std::vector<float> patches(static_cast<std::size_t>(config.retina_size()), -7);
    look_at({pixels.data(), config.width, config.height}, config, place, patches);
    for (int scale = 0; scale < config.scales; ++scale) {
      const Rect box = patch_box(config, place, scale);
      EXPECT_EQ(box.width, config.patch << scale);
      EXPECT_NEAR(box.x + box.width / 2, (place.x + 1) / 2 * config.width, 0.5);
      EXPECT_NEAR(box.y + box.height / 2, (place.y + 1) / 2 * config.height, 0.5);
      for (int row = 0; row < config.patch; ++row) {
        for (int column = 0; column < config.patch; ++column) {
          const int step = 1 << scale;
          const double expected = naive_cell(pixels, config, static_cast<int>(box.x) + column * step,
                                             static_cast<int>(box.y) + row * step, step);
          EXPECT_NEAR(patches[static_cast<std::size_t>((scale * config.patch + row) * config.patch + column)], expected,
                      1e-6)
              << "scale " << scale << ", " << row << ", " << column;
        }
      }
    }
  }
}

TEST(Retina, APlaceFarOutsideSeesNothing) {
  const LookConfig config = testing::tiny_look_config();
  const std::vector<float> pixels(16 * 12, 1);
  std::vector<float> patches(static_cast<std::size_t>(config.retina_size()), 1);
  look_at({pixels.data(), 16, 12}, config, {9, -9}, patches);
  EXPECT_EQ(patches, std::vector<float>(patches.size(), 0));
}

TEST(Retina, TheCoarsePictureIsMeansOverSquares) {
  const LookConfig config = testing::tiny_look_config();
  const std::vector<float> pixels = testing::random_grey(config, 2);
  std::vector<float> coarse(12);
  see_coarsely({pixels.data(), 16, 12}, 4, coarse);
  for (int row = 0; row < 3; ++row) {
    for (int column = 0; column < 4; ++column) {
      EXPECT_NEAR(coarse[static_cast<std::size_t>(row * 4 + column)],
                  naive_cell(pixels, config, 4 * column, 4 * row, 4), 1e-6);
    }
  }
}

}  // namespace
}  // namespace glimpse
