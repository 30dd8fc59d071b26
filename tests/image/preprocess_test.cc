// From a picture to the encoder's input and back, against naive arithmetic in double.
#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <vector>

#include "core/error.h"
#include "image/image.h"
#include "image/samples.h"
#include "support/usage_error.h"

namespace glimpse::testing {
namespace {

using Resize = Preprocess::Resize;

std::vector<float> run(const Image& image, const Preprocess& preprocess, ViewTransform* transform = nullptr) {
  std::vector<float> dst(std::size_t{3} * preprocess.width * preprocess.height,
                         std::numeric_limits<float>::quiet_NaN());
  const ViewTransform result = to_input(image, preprocess, dst);
  if (transform != nullptr) *transform = result;
  return dst;
}

/// What one output sample is made of along an axis: source samples and their shares. The area method averages what an
/// output sample covers; the linear one interpolates between sample centres.
std::vector<std::pair<int, double>> shares(int out, int outputs, int inputs) {
  std::vector<std::pair<int, double>> result;
  const double scale = double(inputs) / outputs;
  if (outputs < inputs) {
    for (int i = 0; i < inputs; ++i) {
      const double covered = std::min<double>(i + 1, (out + 1) * scale) - std::max<double>(i, out * scale);
      if (covered > 1e-12) result.emplace_back(i, covered / scale);
    }
  } else {
    const double at = std::clamp((out + 0.5) * scale - 0.5, 0.0, double(inputs - 1));
    const int low = std::min(static_cast<int>(at), inputs - 1);
    result.emplace_back(low, 1 - (at - low));
    if (low + 1 < inputs) result.emplace_back(low + 1, at - low);
  }
  return result;
}

struct Region {
  int x, y, width, height;
};

double resized_value(const Image& image, const Region& from, int channel, int x, int y, int width, int height) {
  double sum = 0;
  for (const auto& [sy, wy] : shares(y, height, from.height)) {
    for (const auto& [sx, wx] : shares(x, width, from.width)) {
      sum += wy * wx * image.row(from.y + sy)[3 * (from.x + sx) + channel];
    }
  }
  return sum;
}

TEST(PreprocessTest, SameSizeIsNormalisedExactly) {
  Preprocess preprocess;
  preprocess.width = 37;
  preprocess.height = 21;
  preprocess.mean = {117.30000000000001, 112.2, 102.0};
  preprocess.std = {68.85000000000001, 67.575, 71.4};
  const Image image = random_image(37, 21, 1);
  for (const bool rgb : {true, false}) {
    preprocess.rgb = rgb;
    for (const Resize resize : {Resize::kStretch, Resize::kCentreCrop, Resize::kFit}) {
      preprocess.resize = resize;
      const std::vector<float> dst = run(image, preprocess);
      for (std::size_t i = 0; i < dst.size(); ++i) {
        const std::size_t c = i / (37 * 21);
        const int y = static_cast<int>(i % (37 * 21) / 37);
        const int value = image.row(y)[3 * (i % 37) + (rgb ? c : 2 - c)];
        ASSERT_EQ(dst[i], static_cast<float>((value - preprocess.mean[c]) / preprocess.std[c])) << i;
      }
    }
  }
}

TEST(PreprocessTest, StretchIsAreaWhereItShrinksAndLinearWhereItGrows) {
  struct {
    int width, height, to_width, to_height;
  } const cases[] = {{64, 48, 32, 24}, {61, 47, 22, 17}, {100, 9, 32, 32}, {9, 100, 32, 32},
                     {20, 10, 32, 32}, {1, 1, 8, 8},     {300, 4, 16, 16}, {33, 32, 32, 32}};
  for (const auto& c : cases) {
    Preprocess preprocess;
    preprocess.width = c.to_width;
    preprocess.height = c.to_height;
    preprocess.std = {1, 1, 1};
    const Image image = random_image(c.width, c.height, 2);
    const std::vector<float> dst = run(image, preprocess);
    // Two roundings to 8 bits where one axis shrinks and the other grows, and OpenCV's 11-bit weights.
    const double tolerance = 1.6;
    for (std::size_t i = 0; i < dst.size(); ++i) {
      const int x = static_cast<int>(i) % c.to_width;
      const int y = static_cast<int>(i) / c.to_width % c.to_height;
      const int channel = static_cast<int>(i) / (c.to_width * c.to_height);
      const double expected = resized_value(image, {0, 0, c.width, c.height}, channel, x, y, c.to_width, c.to_height);
      ASSERT_NEAR(dst[i], expected, tolerance) << c.width << "×" << c.height << " at " << x << "," << y;
    }
  }
}

TEST(PreprocessTest, CentreCropTakesTheLargestCentredRectangle) {
  struct {
    int width, height, input_width, input_height;
    Region region;
  } const cases[] = {
      {100, 60, 20, 20, {20, 0, 60, 60}}, {60, 101, 20, 20, {0, 20, 60, 60}}, {90, 60, 30, 10, {0, 15, 90, 30}},
      {200, 4, 8, 8, {98, 0, 4, 4}},      {1, 1, 4, 4, {0, 0, 1, 1}},         {5, 1, 4, 2, {1, 0, 2, 1}},
  };
  for (const auto& c : cases) {
    Preprocess preprocess;
    preprocess.width = c.input_width;
    preprocess.height = c.input_height;
    preprocess.resize = Resize::kCentreCrop;
    preprocess.std = {1, 1, 1};
    const Image image = random_image(c.width, c.height, 3);
    ViewTransform transform;
    const std::vector<float> dst = run(image, preprocess, &transform);
    for (int y = 0; y < c.input_height; ++y) {
      for (int x = 0; x < c.input_width; ++x) {
        const double expected = resized_value(image, c.region, 1, x, y, c.input_width, c.input_height);
        const auto i = static_cast<std::size_t>(c.input_height + y) * static_cast<std::size_t>(c.input_width) +
                       static_cast<std::size_t>(x);
        ASSERT_NEAR(dst[i], expected, 1.6) << c.width << "×" << c.height;
      }
    }
    EXPECT_DOUBLE_EQ(transform.offset_x, c.region.x);
    EXPECT_DOUBLE_EQ(transform.offset_y, c.region.y);
    EXPECT_DOUBLE_EQ(transform.scale_x * c.input_width, c.region.width);
    EXPECT_DOUBLE_EQ(transform.scale_y * c.input_height, c.region.height);
  }
}

TEST(PreprocessTest, FitShowsTheWholePictureOnTheMean) {
  struct {
    int width, height;
    Region target;
  } const cases[] = {{80, 40, {0, 10, 40, 20}},  {40, 80, {10, 0, 20, 40}}, {20000, 4, {0, 19, 40, 1}},
                     {4, 20000, {19, 0, 1, 40}}, {10, 10, {0, 0, 40, 40}},  {30, 40, {5, 0, 30, 40}}};
  for (const auto& c : cases) {
    Preprocess preprocess;
    preprocess.width = preprocess.height = 40;
    preprocess.resize = Resize::kFit;
    preprocess.mean = {300, 300, 300};  // so that no pixel is 0 once normalised
    preprocess.std = {1, 1, 1};
    const Image image = random_image(c.width, c.height, 4);
    ViewTransform transform;
    const std::vector<float> dst = run(image, preprocess, &transform);
    for (int y = 0; y < 40; ++y) {
      for (int x = 0; x < 40; ++x) {
        const bool inside =
            x >= c.target.x && x < c.target.x + c.target.width && y >= c.target.y && y < c.target.y + c.target.height;
        EXPECT_EQ(dst[static_cast<std::size_t>(40 * y + x)] != 0, inside) << x << "," << y;
      }
    }
    EXPECT_NEAR(transform.offset_x + transform.scale_x * c.target.x, 0, 1e-9);
    EXPECT_NEAR(transform.offset_x + transform.scale_x * (c.target.x + c.target.width), c.width, 1e-9);
    EXPECT_NEAR(transform.offset_y + transform.scale_y * c.target.y, 0, 1e-9);
    EXPECT_NEAR(transform.offset_y + transform.scale_y * (c.target.y + c.target.height), c.height, 1e-9);
  }
}

void expect_rect(const Rect& rect, double x, double y, double width, double height) {
  EXPECT_NEAR(rect.x, x, 1e-9);
  EXPECT_NEAR(rect.y, y, 1e-9);
  EXPECT_NEAR(rect.width, width, 1e-9);
  EXPECT_NEAR(rect.height, height, 1e-9);
}

TEST(ViewTransformTest, CellsOfAStretchedPictureTileIt) {
  const ViewTransform transform = view_transform({}, 640, 480);
  expect_rect(transform.cells_to_source(0, 0, 7, 7, 7, 7), 0, 0, 640, 480);
  expect_rect(transform.cells_to_source(0, 0, 1, 1, 7, 7), 0, 0, 640.0 / 7, 480.0 / 7);
  expect_rect(transform.cells_to_source(6, 6, 1, 1, 7, 7), 640 * 6.0 / 7, 480 * 6.0 / 7, 640.0 / 7, 480.0 / 7);
  expect_rect(transform.cells_to_source(2, 3, 2, 1, 14, 7), 640 * 3.0 / 7, 480 * 2.0 / 14, 640.0 / 7, 480.0 / 7);
}

TEST(ViewTransformTest, CellsOfACropLieInItsSquare) {
  Preprocess preprocess;
  preprocess.resize = Resize::kCentreCrop;
  const ViewTransform transform = view_transform(preprocess, 640, 480);
  expect_rect(transform.cells_to_source(0, 0, 7, 7, 7, 7), 80, 0, 480, 480);
  expect_rect(transform.cells_to_source(6, 0, 1, 1, 7, 7), 80, 480 * 6.0 / 7, 480.0 / 7, 480.0 / 7);
}

TEST(ViewTransformTest, CellsOfAFittedPictureAreClippedToIt) {
  Preprocess preprocess;
  preprocess.resize = Resize::kFit;
  const ViewTransform transform = view_transform(preprocess, 640, 480);  // 224×168, 28 rows of padding each side
  expect_rect(transform.cells_to_source(0, 0, 8, 8, 8, 8), 0, 0, 640, 480);
  expect_rect(transform.cells_to_source(1, 0, 1, 1, 8, 8), 0, 0, 80, 80);
  EXPECT_EQ(transform.cells_to_source(0, 0, 1, 8, 8, 8).height, 0);
  expect_rect(transform.cells_to_source(0, 0, 1, 1, 4, 4), 0, 0, 160, 80);
}

TEST(ViewTransformTest, AReducedPictureHasTheTransformOfItsSource) {
  Image image = random_image(320, 240, 5);
  image.source_width = 640;
  image.source_height = 480;
  ViewTransform transform;
  run(image, {}, &transform);
  EXPECT_EQ(transform.source_width, 640);
  expect_rect(transform.cells_to_source(0, 0, 7, 7, 7, 7), 0, 0, 640, 480);
}

TEST(PreprocessTest, AnInputOfAnotherSizeIsRefused) {
  std::vector<float> dst(10);
  EXPECT_THAT([&] { to_input(random_image(4, 4, 6), {}, dst); }, throws_usage("where the model takes"));
  EXPECT_THAT([&] { to_input(Image(), {}, dst); }, throws_usage("without pixels"));
  EXPECT_THAT([] { view_transform({}, 0, 3); }, throws_usage("without pixels"));
}

}  // namespace
}  // namespace glimpse::testing
