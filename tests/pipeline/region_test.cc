// Regions as weights of cells; every attention mechanism respects them.

#include "pipeline/region.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <memory>

#include "core/error.h"
#include "pipeline/captioner.h"
#include "support/tiny_model.h"

namespace glimpse {
namespace {

using ::testing::ElementsAre;
using ::testing::Pointwise;

ViewTransform stretched(int width, int height) { return view_transform(Preprocess{}, width, height); }

Region box(const Rect& rect) {
  Region region;
  region.box = rect;
  return region;
}

/// A mask of one row.
std::shared_ptr<const Image> mask(const std::vector<std::uint8_t>& values) {
  auto image = std::make_shared<Image>(static_cast<int>(values.size()), 1);
  for (std::size_t i = 0; i < values.size(); ++i) std::fill_n(image->row(0) + 3 * i, 3, values[i]);
  return image;
}

TEST(Region, CellsCountByTheirShareOfTheBox) {
  EXPECT_THAT(cell_weights(box({0, 0, 400, 200}), stretched(400, 200), 1, 4), ElementsAre(1, 1, 1, 1));
  EXPECT_THAT(cell_weights(box({150, 0, 100, 100}), stretched(400, 200), 1, 4), ElementsAre(0, 0.25F, 0.25F, 0));
  EXPECT_THAT(cell_weights(box({-50, 100, 175, 1000}), stretched(400, 200), 2, 4),
              ElementsAre(0, 0, 0, 0, 1, 0.25F, 0, 0));
}

TEST(Region, CellsCountByWhatTheMaskShowsWhite) {
  Region region;
  region.mask = mask({0, 0, 255, 51});
  EXPECT_THAT(cell_weights(region, stretched(400, 200), 1, 2), Pointwise(::testing::FloatNear(1e-6F), {0.0F, 0.6F}));
  EXPECT_THAT(cell_weights(region, stretched(7, 5), 2, 4),
              Pointwise(::testing::FloatNear(1e-5F), {0.0F, 0.0F, 1.0F, 0.2F, 0.0F, 0.0F, 1.0F, 0.2F}));
  region.box = Rect{200, 0, 50, 200};
  EXPECT_THAT(cell_weights(region, stretched(400, 200), 1, 4),
              Pointwise(::testing::FloatNear(1e-6F), {0.0F, 0.0F, 0.5F, 0.0F}));
}

TEST(Region, PaddingHasNothingOfThePicture) {
  Preprocess fit;
  fit.resize = Preprocess::Resize::kFit;
  EXPECT_THAT(cell_weights(box({0, 0, 400, 100}), view_transform(fit, 400, 100), 4, 1),
              Pointwise(::testing::FloatNear(1e-6F), {0.0F, 1.0F, 1.0F, 0.0F}));
}

TEST(Region, NothingIsRefused) {
  EXPECT_THROW(cell_weights(box({500, 0, 10, 10}), stretched(400, 200), 2, 2), Error);
  Region black;
  black.mask = mask({0, 0});
  EXPECT_THROW(cell_weights(black, stretched(400, 200), 2, 2), Error);
}

Image noise(std::uint64_t seed, int width = 64, int height = 64) {
  Image image(width, height);
  Random random(seed);
  for (int y = 0; y < height; ++y) {
    std::generate_n(image.row(y), width * 3, [&] { return static_cast<std::uint8_t>(random.below(256)); });
  }
  return image;
}

TEST(Region, NobodyLooksOutside) {
  CaptionOptions options;
  options.region.box = Rect{16, 32, 32, 32};  // cells 9, 10, 13 and 14 of 4×4
  for (const auto selector :
       {DecoderConfig::Selector::kSoft, DecoderConfig::Selector::kHard, DecoderConfig::Selector::kHardLocal}) {
    ModelConfig config = testing::tiny_config();
    config.decoder.selector = selector;
    CaptionerOptions direct;
    direct.batch = 2;
    direct.tuning = dnn::Tuning::kDirect;
    CaptionSession session(Captioner(Model(config, Weights("tiny", testing::tiny_tensors())), direct), options);
    const std::vector<Image> images = [] {
      std::vector<Image> two;
      two.push_back(noise(1));
      two.push_back(noise(2));
      return two;
    }();
    for (const std::vector<Caption>& captions : session.caption(images)) {
      ASSERT_FALSE(captions.front().glimpses.empty());
      for (const Glimpse& glimpse : captions.front().glimpses) {
        for (std::size_t cell = 0; cell < glimpse.alpha.size(); ++cell) {
          const bool inside = cell == 9 || cell == 10 || cell == 13 || cell == 14;
          if (!inside) {
            EXPECT_EQ(glimpse.alpha[cell], 0) << "cell " << cell;
          }
        }
        EXPECT_GT(*std::ranges::max_element(glimpse.alpha), 0);
      }
    }
  }
}

TEST(Region, PaddingIsNotLookedAt) {
  ModelConfig config = testing::tiny_config();
  CaptionerOptions direct;
  direct.tuning = dnn::Tuning::kDirect;
  const Image wide = noise(5, 64, 32);
  const auto attention_above_and_below = [&] {
    const Captioner captioner(Model(config, Weights("tiny", testing::tiny_tensors())), direct);
    double sum = 0;
    const std::vector<Caption> captions = CaptionSession(captioner).caption(wide);
    for (const Glimpse& glimpse : captions.front().glimpses) {
      for (const std::size_t row : {0, 3}) {
        for (std::size_t col = 0; col < 4; ++col) sum += glimpse.alpha[4 * row + col];
      }
    }
    return sum;
  };
  EXPECT_GT(attention_above_and_below(), 0.1);
  config.input.resize = Preprocess::Resize::kFit;
  EXPECT_EQ(attention_above_and_below(), 0);
}

TEST(Region, TheWholePictureIsNoRegion) {
  CaptionerOptions direct;
  direct.tuning = dnn::Tuning::kDirect;
  const Captioner captioner(testing::tiny_model(), direct);
  CaptionOptions whole;
  whole.region.box = Rect{0, 0, 64, 64};
  const Caption expected = CaptionSession(captioner).caption(noise(3)).front();
  const Caption found = CaptionSession(captioner, whole).caption(noise(3)).front();
  EXPECT_EQ(found.text, expected.text);
  EXPECT_NEAR(found.log_prob, expected.log_prob, 1e-4);
}

}  // namespace
}  // namespace glimpse
