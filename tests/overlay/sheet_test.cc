// The sheet as a whole: as many tiles as words, each hot where the map peaks, on a page of sensible size.
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <opencv2/imgproc.hpp>
#include <utility>
#include <vector>

#include "core/error.h"
#include "overlay/overlay.h"

namespace glimpse::testing {
namespace {

constexpr int kRows = 4;
constexpr int kCols = 4;

Image grey_photo(int width, int height) {
  Image photo(width, height);
  for (int y = 0; y < height; ++y) std::fill_n(photo.row(y), 3 * width, std::uint8_t{120});
  return photo;
}

/// A word that looked at one cell and a little at all others.
Glimpse glimpse_at(int cell, const std::string& word = "word", double probability = 0.5) {
  Glimpse glimpse;
  glimpse.word = word;
  glimpse.log_prob = std::log(probability);
  glimpse.alpha.assign(std::size_t{kRows} * kCols, 0.02F);
  glimpse.alpha[static_cast<std::size_t>(cell)] = 0.7F;
  return glimpse;
}

Caption caption_of(int words) {
  Caption caption;
  for (int i = 0; i < words; ++i) {
    caption.glimpses.push_back(glimpse_at(5 * i % 16));
    caption.text += "word ";
  }
  return caption;
}

struct Setting {
  Preprocess::Resize resize = Preprocess::Resize::kStretch;
  OverlayOptions options;
};

ViewTransform transform_of(const Image& photo, Preprocess::Resize resize) {
  Preprocess preprocess;
  preprocess.resize = resize;
  return view_transform(preprocess, photo.width, photo.height);
}

Image draw(const Image& photo, const Caption& caption, const Setting& setting = {}) {
  std::vector<Overlay> overlays =
      draw_overlays(photo, caption, kRows, kCols, transform_of(photo, setting.resize), setting.options);
  return std::move(overlays.at(0).frames.at(0).image);
}

cv::Mat view(const Image& image) {
  return {image.height, image.width, CV_8UC3, const_cast<std::uint8_t*>(image.row(0))};
}

bool same(const Image& a, const Image& b) {
  return a.width == b.width && a.height == b.height && cv::norm(view(a), view(b), cv::NORM_INF) == 0;
}

/// Where the tiles are: what differs from the same sheet with heat of no opacity, except the small legend. From top to
/// bottom, left to right.
std::vector<cv::Rect> find_tiles(const Image& photo, const Caption& caption, Setting setting) {
  const Image sheet = draw(photo, caption, setting);
  setting.options.alpha = 0;
  const Image plain = draw(photo, caption, setting);
  cv::Mat difference;
  cv::absdiff(view(sheet), view(plain), difference);
  cv::Mat changed;
  cv::cvtColor(difference, changed, cv::COLOR_RGB2GRAY);
  changed = changed > 0;
  cv::Mat labels;
  cv::Mat stats;
  cv::Mat centres;
  const int count = cv::connectedComponentsWithStats(changed, labels, stats, centres);
  std::vector<cv::Rect> tiles;
  for (int i = 1; i < count; ++i) {
    const cv::Rect box(stats.at<int>(i, cv::CC_STAT_LEFT), stats.at<int>(i, cv::CC_STAT_TOP),
                       stats.at<int>(i, cv::CC_STAT_WIDTH), stats.at<int>(i, cv::CC_STAT_HEIGHT));
    if (box.height > 12) tiles.push_back(box);  // the legend's ramp is 10 high
  }
  std::sort(tiles.begin(), tiles.end(),
            [](const cv::Rect& a, const cv::Rect& b) { return a.y != b.y ? a.y < b.y : a.x < b.x; });
  return tiles;
}

TEST(SheetTest, ATileForEveryWord) {
  const Image photo = grey_photo(320, 240);
  for (const int words : {0, 1, 2, 3, 5, 8, 10, 13, 20, 40}) {
    const std::vector<cv::Rect> tiles = find_tiles(photo, caption_of(words), {});
    ASSERT_EQ(tiles.size(), static_cast<std::size_t>(words));
    for (const cv::Rect& tile : tiles) EXPECT_EQ(tile.size(), cv::Size(320, 240));
  }
}

TEST(SheetTest, TheBrightestPixelsLieWhereTheMapPeaks) {
  const Image photo = grey_photo(320, 160);
  for (const auto resize : {Preprocess::Resize::kStretch, Preprocess::Resize::kCentreCrop, Preprocess::Resize::kFit}) {
    for (const bool smooth : {false, true}) {
      for (const int cell : {5, 6, 9, 10}) {  // all of them within the picture when fitted
        Caption caption;
        caption.glimpses.push_back(glimpse_at(cell));
        Setting setting;
        setting.resize = resize;
        setting.options.smooth = smooth;
        const Image sheet = draw(photo, caption, setting);
        const std::vector<cv::Rect> tiles = find_tiles(photo, caption, setting);
        ASSERT_EQ(tiles.size(), 1U);
        cv::Mat grey;
        cv::cvtColor(view(sheet)(tiles[0]), grey, cv::COLOR_RGB2GRAY);
        cv::Point brightest;
        cv::minMaxLoc(grey, nullptr, nullptr, nullptr, &brightest);
        const Rect expected =
            transform_of(photo, resize).cells_to_source(cell / kCols, cell % kCols, 1, 1, kRows, kCols);
        EXPECT_GE(brightest.x, std::floor(expected.x)) << "cell " << cell;
        EXPECT_LE(brightest.x, expected.x + expected.width) << "cell " << cell;
        EXPECT_GE(brightest.y, std::floor(expected.y)) << "cell " << cell;
        EXPECT_LE(brightest.y, expected.y + expected.height) << "cell " << cell;
      }
    }
  }
}

TEST(SheetTest, ThePictureStandsFirstInItsOwnColoursAndShape) {
  Image photo = grey_photo(200, 100);
  for (int y = 0; y < 100; ++y) {
    for (int x = 0; x < 200; ++x) photo.row(y)[3 * x] = static_cast<std::uint8_t>(x);
  }
  Caption caption = caption_of(4);
  caption.text.clear();  // no headline: the picture begins at the margin
  const Image sheet = draw(photo, caption);
  // Margin 36; two columns of 320 and a gap of 22 wide.
  for (const int x : {0, 100, 330, 661}) {
    for (const int y : {0, 150, 330}) {
      const std::uint8_t* p = sheet.row(36 + y) + 3 * (36 + x);
      EXPECT_NEAR(p[0], (x + 0.5) * 200 / 662, 1.5) << x << "," << y;
      EXPECT_EQ(p[1], 120);
      EXPECT_EQ(p[2], 120);
    }
  }
}

TEST(SheetTest, TheBarIsAsLongAsTheWordIsLikely) {
  const Image photo = grey_photo(320, 240);
  for (const double probability : {0.0, 0.25, 0.8, 1.0}) {
    Caption caption;
    caption.glimpses.push_back(glimpse_at(5, "dog", probability));
    const Image sheet = draw(photo, caption);
    const std::vector<cv::Rect> tiles = find_tiles(photo, caption, {});
    ASSERT_EQ(tiles.size(), 1U);
    const std::uint8_t* row = sheet.row(tiles[0].br().y + 1);
    int dark = 0;
    for (int x = tiles[0].x; x < tiles[0].br().x; ++x) dark += row[3 * x] < 100 ? 1 : 0;
    EXPECT_NEAR(dark, 320 * probability, 1);
  }
}

TEST(SheetTest, WordsProbabilitiesAndGatesAreWritten) {
  const Image photo = grey_photo(320, 240);
  const auto sheet_of = [&](const std::string& word, double probability, double beta) {
    Caption caption;
    caption.glimpses.push_back(glimpse_at(5, word, probability));
    caption.glimpses.back().beta = beta;
    return draw(photo, caption);
  };
  const Image first = sheet_of("dog", 0.501, 1);
  EXPECT_FALSE(same(first, sheet_of("cat", 0.501, 1)));
  EXPECT_FALSE(same(first, sheet_of("dog", 0.511, 1)));
  EXPECT_FALSE(same(first, sheet_of("dog", 0.501, 0.5)));
  EXPECT_TRUE(same(first, sheet_of("dog", 0.501, 0.999))) << "an open gate is not worth mentioning";
}

TEST(SheetTest, GlobalScaleComparesWords) {
  const Image photo = grey_photo(320, 240);
  Caption caption = caption_of(2);
  for (float& value : caption.glimpses[1].alpha) value /= 4;
  Setting setting;
  const auto brightest = [&](const cv::Rect& tile) {
    double largest = 0;
    cv::minMaxIdx(view(draw(photo, caption, setting))(tile).clone().reshape(1), nullptr, &largest);
    return largest;
  };
  const std::vector<cv::Rect> tiles = find_tiles(photo, caption, setting);
  EXPECT_EQ(brightest(tiles[0]), brightest(tiles[1]));
  setting.options.scale = OverlayOptions::Scale::kGlobal;
  EXPECT_GT(brightest(tiles[0]), brightest(tiles[1]));
}

TEST(SheetTest, ExtremeShapesGivePagesOfSensibleSize) {
  for (const cv::Size size :
       {cv::Size(1, 1), cv::Size(20000, 4), cv::Size(4, 20000), cv::Size(3, 1), cv::Size(5000, 5000)}) {
    const Image sheet = draw(grey_photo(size.width, size.height), caption_of(10));
    EXPECT_GT(sheet.width, 500) << size;
    EXPECT_LT(sheet.width, 4000) << size;
    EXPECT_GT(sheet.height, 200) << size;
    EXPECT_LT(sheet.height, 4000) << size;
  }
}

TEST(SheetTest, TileWidthScalesThePage) {
  Setting setting;
  const Image photo = grey_photo(320, 240);
  const Image sheet = draw(photo, caption_of(6), setting);
  setting.options.tile_width = 640;
  const Image large = draw(photo, caption_of(6), setting);
  EXPECT_NEAR(large.width, 2 * sheet.width, 20);
  setting.options.tile_width = 64;
  EXPECT_LT(draw(photo, caption_of(6), setting).width, sheet.width / 3);
}

TEST(SheetTest, StrangeCaptionsAreDrawn) {
  const Image photo = grey_photo(40, 30);
  Caption caption = caption_of(3);
  caption.text = std::string(3000, 'x') + " \xff\xfe ü 犬\n\t";
  caption.glimpses[0].word = std::string(500, 'w');
  caption.glimpses[1].word = "";
  caption.glimpses[1].log_prob = -std::numeric_limits<double>::infinity();
  caption.glimpses[2].log_prob = std::numeric_limits<double>::quiet_NaN();
  caption.glimpses[2].beta = std::numeric_limits<double>::quiet_NaN();
  std::fill(caption.glimpses[2].alpha.begin(), caption.glimpses[2].alpha.end(),
            std::numeric_limits<float>::quiet_NaN());
  Setting setting;
  setting.options.scale = OverlayOptions::Scale::kGlobal;
  setting.options.smooth = true;
  EXPECT_GT(draw(photo, caption, setting).height, 100);
}

TEST(SheetTest, TheSameInputGivesTheSameBytes) {
  const Image photo = grey_photo(320, 240);
  EXPECT_TRUE(same(draw(photo, caption_of(7)), draw(photo, caption_of(7))));
}

ErrorCode code_of(const Setting& setting, const Caption& caption = caption_of(1)) {
  try {
    draw(grey_photo(8, 8), caption, setting);
  } catch (const Error& error) {
    return error.code();
  }
  return ErrorCode::kInterrupted;  // nothing was thrown
}

TEST(SheetTest, WrongOptionsAreErrors) {
  EXPECT_EQ(code_of({}), ErrorCode::kInterrupted);
  Setting setting;
  setting.options.colormap = "infermo";
  EXPECT_EQ(code_of(setting), ErrorCode::kUsage);
  setting = {};
  setting.options.font = "/no/such/font.ttf";
  EXPECT_EQ(code_of(setting), ErrorCode::kUsage);
  for (const double alpha : {-0.1, 1.1, std::nan("")}) {
    setting = {};
    setting.options.alpha = alpha;
    EXPECT_EQ(code_of(setting), ErrorCode::kUsage) << alpha;
  }
  for (const int width : {0, -5, 100000}) {
    setting = {};
    setting.options.tile_width = width;
    EXPECT_EQ(code_of(setting), ErrorCode::kUsage) << width;
  }
  Caption caption = caption_of(1);
  caption.glimpses[0].alpha.pop_back();
  EXPECT_EQ(code_of({}, caption), ErrorCode::kInternal);
}

}  // namespace
}  // namespace glimpse::testing
