// Attention at each pixel: in the right place for every way of resizing, nothing where there is nothing; and the
// colours.
#include "overlay/heat.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <set>
#include <string>
#include <vector>

#include "core/error.h"

namespace glimpse::testing {
namespace {

constexpr int kRows = 5;
constexpr int kCols = 7;

std::vector<float> single_cell(int row, int col) {
  std::vector<float> alpha(std::size_t{kRows} * kCols, 0.0F);
  alpha[static_cast<std::size_t>(row) * kCols + static_cast<std::size_t>(col)] = 0.3F;
  return alpha;
}

HeatOptions options(bool smooth = false) { return {.rows = kRows, .cols = kCols, .peak = 0.3F, .smooth = smooth}; }

ViewTransform transform_for(Preprocess::Resize resize, int width, int height) {
  Preprocess preprocess;
  preprocess.width = 70;
  preprocess.height = 50;
  preprocess.resize = resize;
  return view_transform(preprocess, width, height);
}

const Preprocess::Resize kResizes[] = {Preprocess::Resize::kStretch, Preprocess::Resize::kCentreCrop,
                                       Preprocess::Resize::kFit};

TEST(HeatMapTest, LiesExactlyOnTheCellsPixels) {
  for (const Preprocess::Resize resize : kResizes) {
    for (const cv::Size source : {cv::Size(640, 480), cv::Size(300, 900), cv::Size(900, 300)}) {
      const ViewTransform transform = transform_for(resize, source.width, source.height);
      const cv::Size tile(source.width / 3, source.height / 3);
      for (int row = 0; row < kRows; ++row) {
        for (int col = 0; col < kCols; ++col) {
          const Rect cell = transform.cells_to_source(row, col, 1, 1, kRows, kCols);
          const cv::Mat heat = heat_map(single_cell(row, col), options(), transform, tile);
          for (int y = 0; y < tile.height; ++y) {
            for (int x = 0; x < tile.width; ++x) {
              const double sx = (x + 0.5) * 3;
              const double sy = (y + 0.5) * 3;
              const bool inside = sx >= cell.x && sx < cell.x + cell.width && sy >= cell.y && sy < cell.y + cell.height;
              ASSERT_EQ(heat.at<float>(y, x), inside ? 1.0F : 0.0F)
                  << "resize " << int(resize) << " cell " << row << "," << col << " pixel " << x << "," << y;
            }
          }
        }
      }
    }
  }
}

TEST(HeatMapTest, SmoothKeepsThePeakAndStaysWhereTheModelLooked) {
  for (const Preprocess::Resize resize : kResizes) {
    const ViewTransform transform = transform_for(resize, 400, 100);
    const cv::Mat heat = heat_map(single_cell(2, 3), options(true), transform, {400, 100});
    const Rect seen = transform.cells_to_source(0, 0, kRows, kCols, kRows, kCols);
    const Rect cell = transform.cells_to_source(2, 3, 1, 1, kRows, kCols);
    double largest = 0;
    int largest_index[2] = {0, 0};
    cv::minMaxIdx(heat, nullptr, &largest, nullptr, largest_index);
    EXPECT_GT(largest, 0.2);
    EXPECT_LE(largest, 1.0);
    EXPECT_NEAR(largest_index[0], cell.y + cell.height / 2, 1.5);
    EXPECT_NEAR(largest_index[1], cell.x + cell.width / 2, 1.5);
    for (int y = 0; y < 100; ++y) {
      for (int x = 0; x < 400; ++x) {
        const bool inside =
            x + 0.5 > seen.x && x + 0.5 < seen.x + seen.width && y + 0.5 > seen.y && y + 0.5 < seen.y + seen.height;
        if (!inside) {
          ASSERT_EQ(heat.at<float>(y, x), 0.0F) << x << "," << y;
        }
      }
    }
  }
}

TEST(HeatMapTest, ValuesThatAreNoNumbersCountAsNothing) {
  std::vector<float> alpha(std::size_t{kRows} * kCols, std::numeric_limits<float>::quiet_NaN());
  alpha[0] = -1;
  alpha[1] = std::numeric_limits<float>::infinity();
  const cv::Mat heat = heat_map(alpha, options(), transform_for(Preprocess::Resize::kStretch, 70, 50), {70, 50});
  EXPECT_EQ(heat.at<float>(0, 0), 0.0F);
  EXPECT_EQ(heat.at<float>(0, 15), 1.0F);
  EXPECT_EQ(heat.at<float>(49, 69), 0.0F);
  HeatOptions no_peak = options();
  no_peak.peak = 0;
  EXPECT_EQ(
      cv::countNonZero(heat_map(single_cell(1, 1), no_peak, transform_for(Preprocess::Resize::kFit, 70, 50), {70, 50})),
      0);
}

TEST(ColourTest, AllOfOpenCvsMapsByNameInAnyCase) {
  const char* names[] = {"autumn", "bone",     "jet",     "winter",   "rainbow",
                         "ocean",  "summer",   "spring",  "cool",     "hsv",
                         "pink",   "hot",      "parula",  "magma",    "inferno",
                         "plasma", "viridis",  "cividis", "twilight", "twilight_shifted",
                         "turbo",  "deepgreen"};
  std::set<std::string> different;
  for (const char* name : names) {
    const ColourTable table = colour_table(name);
    different.emplace(reinterpret_cast<const char*>(table.data()), sizeof table);
  }
  EXPECT_EQ(different.size(), std::size(names));
  EXPECT_EQ(colour_table("Inferno"), colour_table("inferno"));
  // RGB, not OpenCV's order: inferno ends in a light yellow.
  EXPECT_GT(colour_table("inferno")[255][0], 240);
  EXPECT_LT(colour_table("inferno")[255][2], 200);
}

TEST(ColourTest, AnUnknownMapIsAnErrorWithTheNearestName) {
  for (const auto& [name, expected] :
       {std::pair("infermo", "did you mean inferno?"), std::pair("xyzzy12345", "unknown colour map 'xyzzy12345'")}) {
    try {
      colour_table(name);
      FAIL() << name;
    } catch (const Error& error) {
      EXPECT_EQ(error.code(), ErrorCode::kUsage);
      EXPECT_THAT(error.what(), ::testing::HasSubstr(expected));
    }
  }
}

}  // namespace
}  // namespace glimpse::testing
