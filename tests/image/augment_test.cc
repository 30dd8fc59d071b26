// Random views: what is drawn, and what is done with it, against plain arithmetic.
#include "image/augment.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <tuple>
#include <vector>

#include "core/error.h"
#include "image/samples.h"

namespace glimpse::testing {
namespace {

std::vector<std::uint8_t> run(const Image& image, const Augmentation& augmentation, int width, int height) {
  Preprocess input;
  input.width = width;
  input.height = height;
  std::vector<std::uint8_t> dst(std::size_t{3} * width * height, 1);
  augment(image, augmentation, input, dst);
  return dst;
}

AugmentOptions everything() {
  AugmentOptions options;
  options.flip = true;
  options.scale_min = 0.3;
  options.scale_max = 0.9;
  options.ratio_min = 0.75;
  options.ratio_max = 4.0 / 3;
  options.colour = 0.4;
  return options;
}

TEST(AugmentTest, TheDefaultsChangeNothing) {
  Random random(1);
  EXPECT_EQ(draw_augmentation({}, 30, 20, random), whole_picture(30, 20));
  const Image image = random_image(30, 20, 1);
  const std::vector<std::uint8_t> dst = run(image, whole_picture(30, 20), 30, 20);
  EXPECT_TRUE(std::equal(dst.begin(), dst.end(), image.row(0)));
}

TEST(AugmentTest, CropAndFlipMovePixels) {
  const Image image = random_image(40, 30, 2);
  Augmentation augmentation = whole_picture(16, 12);
  augmentation.x = 9;
  augmentation.y = 5;
  for (const bool flipped : {false, true}) {
    augmentation.flipped = flipped;
    const std::vector<std::uint8_t> dst = run(image, augmentation, 16, 12);
    for (int y = 0; y < 12; ++y) {
      for (int x = 0; x < 16; ++x) {
        const std::uint8_t* source = image.row(5 + y) + 3 * (9 + (flipped ? 15 - x : x));
        for (int c = 0; c < 3; ++c) ASSERT_EQ(dst[std::size_t(3 * (16 * y + x) + c)], source[c]) << x << ',' << y;
      }
    }
  }
}

TEST(AugmentTest, ACropIsResizedAsTheModelsInputIs) {
  const Image image = random_image(50, 40, 4);
  for (const Preprocess::Resize resize :
       {Preprocess::Resize::kStretch, Preprocess::Resize::kCentreCrop, Preprocess::Resize::kFit}) {
    for (const bool flipped : {false, true}) {
      Preprocess input{.width = 12, .height = 12, .resize = resize, .rgb = false, .mean = {10, 60.4, 200}};
      Augmentation augmentation = whole_picture(36, 18);
      augmentation.x = 5;
      augmentation.y = 7;
      augmentation.flipped = flipped;
      std::vector<std::uint8_t> dst(std::size_t{3} * 12 * 12, 1);
      augment(image, augmentation, input, dst);

      // The same through what inference does to a picture of the crop alone.
      Image crop(36, 18);
      for (int y = 0; y < 18; ++y) {
        for (int x = 0; x < 36; ++x) std::copy_n(image.row(7 + y) + 3 * (5 + x), 3, crop.row(y) + 3 * x);
      }
      input.std = {1, 1, 1};
      std::vector<float> expected(dst.size());
      to_input(crop, input, expected);
      for (int y = 0; y < 12; ++y) {
        for (int x = 0; x < 12; ++x) {
          for (int c = 0; c < 3; ++c) {  // the input's channels are blue first
            const double value = dst[std::size_t(3 * (12 * y + (flipped ? 11 - x : x)) + 2 - c)];
            const double wanted = double(expected[std::size_t(144 * c + 12 * y + x)]) + input.mean[std::size_t(c)];
            ASSERT_NEAR(value, wanted, 0.5) << x << ',' << y << ',' << c;
          }
        }
      }
    }
  }
}

TEST(AugmentTest, ColourIsBrightnessThenContrastThenSaturation) {
  const Image image = random_image(9, 7, 3);
  const auto grey = [](const double* p) { return 0.299 * p[0] + 0.587 * p[1] + 0.114 * p[2]; };
  for (const auto& [brightness, contrast, saturation] :
       {std::tuple{1.3, 1.0, 1.0}, {1.0, 0.7, 1.0}, {1.0, 1.0, 0.0}, {0.8, 1.2, 1.4}}) {
    Augmentation augmentation = whole_picture(9, 7);
    augmentation.brightness = brightness;
    augmentation.contrast = contrast;
    augmentation.saturation = saturation;
    std::vector<double> values(image.row(0), image.row(0) + 3 * 9 * 7);
    for (double& value : values) value *= brightness;
    double mean = 0;
    for (int i = 0; i < 9 * 7; ++i) mean += grey(&values[std::size_t(3 * i)]) / (9 * 7);
    for (double& value : values) value = mean + contrast * (value - mean);
    for (int i = 0; i < 9 * 7; ++i) {
      double* pixel = &values[std::size_t(3 * i)];
      const double own = grey(pixel);
      for (int c = 0; c < 3; ++c) pixel[c] = own + saturation * (pixel[c] - own);
    }
    const std::vector<std::uint8_t> dst = run(image, augmentation, 9, 7);
    for (std::size_t i = 0; i < dst.size(); ++i) {
      ASSERT_NEAR(dst[i], std::clamp(values[i], 0.0, 255.0), 0.51) << i << ": " << brightness << contrast << saturation;
    }
  }
}

TEST(AugmentTest, WhatIsDrawnLiesInItsRanges) {
  const AugmentOptions options = everything();
  constexpr int kWidth = 400;
  constexpr int kHeight = 300;
  constexpr int kDraws = 2000;
  Random random(4);
  int flipped = 0;
  double mean_area = 0;
  double mean_left = 0;
  double mean_right = 0;
  for (int i = 0; i < kDraws; ++i) {
    const Augmentation drawn = draw_augmentation(options, kWidth, kHeight, random);
    const double width = double(drawn.width) / kWidth;
    const double height = double(drawn.height) / kHeight;
    flipped += drawn.flipped ? 1 : 0;
    mean_area += width * height / kDraws;
    mean_left += double(drawn.x) / kDraws;
    mean_right += double(kWidth - drawn.x - drawn.width) / kDraws;
    ASSERT_GE(drawn.x, 0);
    ASSERT_GE(drawn.y, 0);
    ASSERT_LE(drawn.x + drawn.width, kWidth);
    ASSERT_LE(drawn.y + drawn.height, kHeight);
    if (drawn.width < kWidth || drawn.height < kHeight) {
      ASSERT_NEAR(width * height, 0.6, 0.305);
      ASSERT_NEAR(std::log(width / height), 0, std::log(4.0 / 3) + 0.01);
    }
    for (const double factor : {drawn.brightness, drawn.contrast, drawn.saturation}) {
      ASSERT_NEAR(factor, 1, 0.4);
      ASSERT_NE(factor, 1);
    }
  }
  EXPECT_NEAR(flipped, kDraws / 2, 100);
  EXPECT_NEAR(mean_area, 0.6, 0.03);
  EXPECT_NEAR(mean_left, mean_right, 5);
}

TEST(AugmentTest, TheSameSeedDrawsTheSame) {
  Random a(5);
  Random b(5);
  Random c(6);
  const Augmentation first = draw_augmentation(everything(), 224, 224, a);
  EXPECT_EQ(first, draw_augmentation(everything(), 224, 224, b));
  EXPECT_FALSE(first == draw_augmentation(everything(), 224, 224, c));
}

TEST(AugmentTest, TinyPicturesKeepAPixel) {
  AugmentOptions options;
  options.scale_min = options.scale_max = 0.01;
  Random random(7);
  const Augmentation drawn = draw_augmentation(options, 1, 2, random);
  EXPECT_EQ(drawn.width, 1);
  EXPECT_EQ(drawn.height, 1);
  const Image image = random_image(1, 2, 7);
  EXPECT_EQ(run(image, drawn, 3, 3)[0], image.row(drawn.y)[0]);
}

TEST(AugmentTest, OptionsOutOfRangeAreNamed) {
  const auto message = [](auto change) -> std::string {
    AugmentOptions options;
    change(options);
    try {
      check(options);
    } catch (const Error& error) {
      return error.what();
    }
    return "";
  };
  EXPECT_EQ(message([](AugmentOptions&) {}), "");
  EXPECT_THAT(message([](AugmentOptions& o) { o.scale_min = 0; }), ::testing::HasSubstr("share of the area"));
  EXPECT_THAT(message([](AugmentOptions& o) { o.scale_max = 1.5; }), ::testing::HasSubstr("1.5"));
  EXPECT_THAT(message([](AugmentOptions& o) { o.ratio_min = 2; }), ::testing::HasSubstr("ratio"));
  EXPECT_THAT(message([](AugmentOptions& o) { o.colour = std::nan(""); }), ::testing::HasSubstr("colour"));
}

TEST(AugmentTest, CropsAndBuffersThatDoNotFitAreRefused) {
  const Image image = random_image(8, 8, 8);
  Augmentation outside = whole_picture(8, 8);
  outside.x = 1;
  std::vector<std::uint8_t> dst(3 * 8 * 8);
  EXPECT_THROW(augment(image, outside, Preprocess{.width = 8, .height = 8}, dst), Error);
  EXPECT_THROW(augment(image, whole_picture(8, 8), Preprocess{.width = 8, .height = 9}, dst), Error);
}

TEST(NormaliseTest, IsTheLastPartOfToInput) {
  Preprocess preprocess;
  preprocess.width = 20;
  preprocess.height = 14;
  preprocess.mean = {120, 110, 100};
  preprocess.std = {60, 70, 80};
  const Image image = random_image(33, 31, 9);
  for (const bool rgb : {true, false}) {
    preprocess.rgb = rgb;
    std::vector<float> expected(3 * 20 * 14);
    to_input(image, preprocess, expected);
    std::vector<float> dst(expected.size(), std::nanf(""));
    normalise(run(image, whole_picture(33, 31), 20, 14), preprocess, dst);
    EXPECT_EQ(dst, expected);
  }
  std::vector<float> dst(3 * 20 * 14);
  EXPECT_THROW(normalise(std::vector<std::uint8_t>(5), preprocess, dst), Error);
}

}  // namespace
}  // namespace glimpse::testing
