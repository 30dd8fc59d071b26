// Every style: on the very pixels that the map's cells cover, through crop and stretch; and what its marks are like.
#include "overlay/style.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <opencv2/imgproc.hpp>
#include <string>
#include <utility>
#include <vector>

#include "overlay/scene.h"

namespace glimpse::testing {
namespace {

using Style = OverlayOptions::Style;

constexpr int kRows = 5;
constexpr int kCols = 7;
constexpr std::uint8_t kGrey = 120;

const Style kStyles[] = {Style::kHeat, Style::kContour, Style::kBox, Style::kSpotlight};

/// A picture of one colour, and a word that looked at one cell of it.
struct Look {
  Look(Preprocess::Resize resize, const cv::Size& size, int row, int col) : photo(size.width, size.height) {
    for (int y = 0; y < size.height; ++y) std::fill_n(photo.row(y), 3 * size.width, kGrey);
    Preprocess preprocess;
    preprocess.width = 70;
    preprocess.height = 50;
    preprocess.resize = resize;
    transform = view_transform(preprocess, size.width, size.height);
    cell = transform.cells_to_source(row, col, 1, 1, kRows, kCols);
    Glimpse glimpse;
    glimpse.word = "corner";
    glimpse.alpha.assign(std::size_t{kRows} * kCols, 0.0F);
    glimpse.alpha[static_cast<std::size_t>(row * kCols + col)] = 1;
    glimpse.box = cell;
    caption.glimpses.push_back(glimpse);
  }

  cv::Mat draw(const OverlayOptions& options, const cv::Size& tile) const {
    const Scene scene(photo, caption, kRows, kCols, transform, options);
    cv::Mat painted = scene.picture(tile);
    scene.paint(painted, caption.glimpses[0]);
    return painted;
  }

  Image photo;
  ViewTransform transform;
  Caption caption;
  Rect cell;  ///< in source pixels
};

/// Whether the centre of a tile's pixel lies in the cell.
bool covers(const Rect& cell, const cv::Size& source, const cv::Size& tile, int x, int y) {
  const double sx = (x + 0.5) * source.width / tile.width;
  const double sy = (y + 0.5) * source.height / tile.height;
  return sx >= cell.x && sx < cell.x + cell.width && sy >= cell.y && sy < cell.y + cell.height;
}

/// What the style makes of a pixel that nobody looked at.
cv::Vec3b unseen(Style style, double alpha) {
  if (style == Style::kSpotlight) {
    return cv::Vec3b::all(cv::saturate_cast<std::uint8_t>(kGrey * std::pow(1 - alpha, 1.5)));
  }
  return step_back(cv::Vec3b::all(kGrey), alpha);
}

TEST(StyleTest, ACornersCellIsMarkedExactlyWhereItIsInTheSource) {
  for (const Style style : kStyles) {
    for (const auto resize : {Preprocess::Resize::kStretch, Preprocess::Resize::kCentreCrop}) {
      for (const cv::Size source : {cv::Size(640, 480), cv::Size(333, 900), cv::Size(901, 301)}) {
        for (const auto& [row, col] :
             {std::pair(0, 0), {0, kCols - 1}, {kRows - 1, 0}, {kRows - 1, kCols - 1}, {2, 3}}) {
          const Look look(resize, source, row, col);
          OverlayOptions options;
          options.style = style;
          for (const cv::Size tile : {source, cv::Size(320, 240), cv::Size(97, 61)}) {
            const cv::Mat painted = look.draw(options, tile);
            const cv::Vec3b outside = unseen(style, options.alpha);
            for (int y = 0; y < tile.height; ++y) {
              for (int x = 0; x < tile.width; ++x) {
                ASSERT_EQ(painted.at<cv::Vec3b>(y, x) != outside, covers(look.cell, source, tile, x, y))
                    << "style " << int(style) << ", resize " << int(resize) << ", cell " << row << "," << col
                    << ", tile " << tile << ", pixel " << x << "," << y;
              }
            }
          }
        }
      }
    }
  }
}

TEST(StyleTest, SmoothOnesStayWhereTheModelLooked) {
  for (const Style style : kStyles) {
    const cv::Size source(900, 300);
    const Look look(Preprocess::Resize::kCentreCrop, source, 2, 0);
    OverlayOptions options;
    options.style = style;
    options.smooth = true;
    const cv::Mat painted = look.draw(options, source);
    const Rect seen = look.transform.cells_to_source(0, 0, kRows, kCols, kRows, kCols);
    for (int y = 0; y < source.height; ++y) {
      for (int x = 0; x < source.width; ++x) {
        if (!covers(seen, source, source, x, y)) {
          ASSERT_EQ(painted.at<cv::Vec3b>(y, x), unseen(style, options.alpha)) << int(style) << " " << x << "," << y;
        }
      }
    }
    EXPECT_NE(painted.at<cv::Vec3b>(150, cvRound(look.cell.x + look.cell.width / 2)), unseen(style, options.alpha));
  }
}

TEST(StyleTest, SmoothingKeepsThePeakTheHottest) {
  const Look look(Preprocess::Resize::kCentreCrop, {600, 400}, 2, 3);
  OverlayOptions options;
  options.alpha = 1;
  const cv::Vec3b hottest = colour_table(options.colormap)[255];
  for (const bool smooth : {false, true}) {
    for (const auto scale : {OverlayOptions::Scale::kPerWord, OverlayOptions::Scale::kGlobal}) {
      options.smooth = smooth;
      options.scale = scale;
      const cv::Vec3b centre = look.draw(options, {300, 200}).at<cv::Vec3b>(100, 150);
      EXPECT_LT(cv::norm(centre, hottest, cv::NORM_INF), 24) << smooth << int(scale);
    }
  }
}

TEST(StyleTest, NoOpacityLeavesThePictureAsItIs) {
  cv::Mat before(60, 90, CV_8UC3);
  cv::RNG(3).fill(before, cv::RNG::UNIFORM, 0, 256);
  cv::Mat heat(60, 90, CV_32FC1);
  cv::RNG(4).fill(heat, cv::RNG::UNIFORM, 0.0, 1.0);
  for (const Style style : kStyles) {
    OverlayOptions options;
    options.style = style;
    options.alpha = 0;
    cv::Mat after = before.clone();
    make_painter(options)->paint(after, {heat, {10, 10, 20, 20}});
    EXPECT_EQ(cv::norm(before, after, cv::NORM_INF), 0) << int(style);
  }
}

/// A row of pixels of one grey that attention grows over from 0 to 1, painted.
cv::Mat painted_ramp(const Painter& painter, std::uint8_t grey, int steps) {
  cv::Mat ramp(1, steps + 1, CV_8UC3, cv::Scalar::all(grey));
  cv::Mat heat(1, steps + 1, CV_32FC1);
  for (int i = 0; i <= steps; ++i) heat.at<float>(0, i) = static_cast<float>(i) / static_cast<float>(steps);
  painter.paint(ramp, {heat, {}});
  return ramp;
}

double brightness(const cv::Mat& row, int x) { return cv::norm(row.at<cv::Vec3b>(0, x), cv::NORM_L1); }

TEST(HeatStyleTest, FullOpacityIsTheColourItselfAtThePeak) {
  const ColourTable colours = colour_table("viridis");
  const cv::Mat ramp = painted_ramp(*make_heat_painter(colours, 1), 50, 10);
  EXPECT_EQ(ramp.at<cv::Vec3b>(0, 10), colours[255]);
}

TEST(HeatStyleTest, OpacityGrowsWithAttention) {
  const ColourTable colours = colour_table("inferno");
  const auto painter = make_heat_painter(colours, 0.6);
  const cv::Mat on_black = painted_ramp(*painter, 0, 20);
  const cv::Mat on_white = painted_ramp(*painter, 255, 20);
  // What black and white still differ by is what shows of the picture: opacity is the rest, once stepping back is
  // allowed for.
  double last = -1;
  for (int i = 0; i <= 20; ++i) {
    const double shown = (brightness(on_white, i) - brightness(on_black, i)) / (3 * 255);
    const double stepped_back = step_back(cv::Vec3b::all(255), 0.6 * (1 - i / 20.0))[0] / 255;
    const double opacity = 1 - shown / stepped_back;
    EXPECT_GT(opacity, last) << i;
    last = opacity + 0.001;
  }
  EXPECT_NEAR(last, 0.6, 0.01) << "where attention peaks it is the opacity asked for";
}

TEST(SpotlightStyleTest, LightGrowsWithAttentionToThePictureItself) {
  const cv::Mat ramp = painted_ramp(*make_spotlight_painter(0.6), 200, 10);
  for (int i = 1; i <= 10; ++i) EXPECT_GT(brightness(ramp, i), brightness(ramp, i - 1)) << i;
  EXPECT_EQ(ramp.at<cv::Vec3b>(0, 10), cv::Vec3b::all(200));
  EXPECT_EQ(painted_ramp(*make_spotlight_painter(1), 200, 1).at<cv::Vec3b>(0, 0), cv::Vec3b::all(0));
}

TEST(BoxStyleTest, TheFrameLiesInsideTheBlocksEdgesAndThePictureWithinIsUntouched) {
  const cv::Rect box(40, 30, 60, 50);
  cv::Mat tile(150, 200, CV_8UC3, cv::Scalar::all(kGrey));
  const ColourTable colours = colour_table("inferno");
  make_box_painter(colours, 1)->paint(tile, {cv::Mat(150, 200, CV_32FC1, cv::Scalar(1)), box});
  const cv::Vec3b line = tile.at<cv::Vec3b>(31, 70);
  EXPECT_NE(line, cv::Vec3b::all(kGrey));
  // From each edge inwards: a dark pixel, two of the line, a dark one, then the picture.
  const cv::Vec3b expected[] = {{0, 0, 0}, line, line, {0, 0, 0}, cv::Vec3b::all(kGrey)};
  for (int i = 0; i < 5; ++i) {
    EXPECT_EQ(tile.at<cv::Vec3b>(box.y + i, 70), expected[i]) << i;
    EXPECT_EQ(tile.at<cv::Vec3b>(box.br().y - 1 - i, 70), expected[i]) << i;
    EXPECT_EQ(tile.at<cv::Vec3b>(55, box.x + i), expected[i]) << i;
    EXPECT_EQ(tile.at<cv::Vec3b>(55, box.br().x - 1 - i), expected[i]) << i;
  }
  EXPECT_EQ(tile.at<cv::Vec3b>(box.y - 1, 70), unseen(Style::kBox, 1));
}

TEST(ContourStyleTest, ALineForEachLevelThatIsCrossedAndNoneAlongTheEdges) {
  // Attention in steps from left to right: 0, 0.3, 0.6, 0.9, of which a line begins at each but the first.
  cv::Mat tile(100, 200, CV_8UC3, cv::Scalar::all(kGrey));
  cv::Mat heat(tile.size(), CV_32FC1);
  for (int x = 0; x < 200; ++x) heat.col(x).setTo(0.3 * (x / 50));
  make_contour_painter(colour_table("viridis"), 1, false)->paint(tile, {heat, {}});
  for (const int y : {0, 50, 99}) {
    for (int x = 0; x < 200; ++x) {
      const cv::Vec3b expected = x < 50 ? unseen(Style::kContour, 1) : cv::Vec3b::all(kGrey);
      const bool on_line = x >= 50 && x % 50 < 4;
      ASSERT_EQ(tile.at<cv::Vec3b>(y, x) != expected, on_line) << x << "," << y;
    }
  }
  EXPECT_NE(tile.at<cv::Vec3b>(50, 51), tile.at<cv::Vec3b>(50, 101));
  EXPECT_NE(tile.at<cv::Vec3b>(50, 101), tile.at<cv::Vec3b>(50, 151));
}

TEST(StyleTest, LinesShowOnAnyPicture) {
  for (const char* map : {"inferno", "magma", "plasma", "viridis", "cividis", "bone", "winter"}) {
    for (const int grey : {0, 128, 255}) {
      cv::Mat tile(150, 200, CV_8UC3, cv::Scalar::all(grey));
      make_box_painter(colour_table(map), 0.6)
          ->paint(tile, {cv::Mat(150, 200, CV_32FC1, cv::Scalar(1)), {20, 20, 90, 90}});
      double contrast = 0;
      for (int i = 0; i < 4; ++i) {
        const cv::Vec3b pixel = tile.at<cv::Vec3b>(20 + i, 60);
        contrast = std::max(contrast, std::abs((pixel[0] + pixel[1] + pixel[2]) / 3.0 - grey));
      }
      EXPECT_GT(contrast, 60) << map << " on " << grey;
    }
  }
}

}  // namespace
}  // namespace glimpse::testing
