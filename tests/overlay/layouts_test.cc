// The layouts but the sheet: as many files, pages and tiles as there are words, each where and what it says.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <map>
#include <opencv2/imgproc.hpp>
#include <string>
#include <utility>
#include <vector>

#include "core/error.h"
#include "image/pixels.h"
#include "overlay/heat.h"
#include "overlay/overlay.h"
#include "support/paths.h"

namespace glimpse::testing {
namespace {

using Layout = OverlayOptions::Layout;
using ::testing::ElementsAre;

constexpr int kRows = 3;
constexpr int kCols = 4;
constexpr std::uint8_t kGrey = 120;

Image grey_photo(int width, int height) {
  Image photo(width, height);
  for (int y = 0; y < height; ++y) std::fill_n(photo.row(y), 3 * width, kGrey);
  return photo;
}

/// Words that looked at one cell each: the first, the second, and so on.
Caption caption_of(const std::vector<std::string>& words) {
  Caption caption;
  for (const std::string& word : words) {
    caption.text += (caption.text.empty() ? "" : " ") + word;
    Glimpse glimpse;
    glimpse.word = word;
    glimpse.log_prob = std::log(0.5);
    glimpse.alpha.assign(std::size_t{kRows} * kCols, 0.0F);
    glimpse.alpha[caption.glimpses.size() % glimpse.alpha.size()] = 1;
    glimpse.box = {0, 0, 10, 10};
    caption.glimpses.push_back(std::move(glimpse));
  }
  return caption;
}

std::vector<Overlay> draw(Layout layout, const Image& photo, const Caption& caption, OverlayOptions options = {}) {
  options.layout = layout;
  return draw_overlays(photo, caption, kRows, kCols, view_transform({}, photo.width, photo.height), options);
}

std::vector<std::string> suffixes(const std::vector<Overlay>& overlays) {
  std::vector<std::string> result;
  for (const Overlay& overlay : overlays) result.push_back(overlay.suffix);
  return result;
}

bool same(const Image& a, const Image& b) {
  return a.width == b.width && a.height == b.height && cv::norm(codec::view(a), codec::view(b), cv::NORM_INF) == 0;
}

/// The tiles of a page: what differs from the page with nothing painted, the legend's ramp left out.
std::vector<cv::Rect> find_tiles(const Image& photo, const Caption& caption) {
  OverlayOptions plain;
  plain.alpha = 0;
  const Image page = std::move(draw(Layout::kStrip, photo, caption).at(0).frames[0].image);
  const Image without = std::move(draw(Layout::kStrip, photo, caption, plain).at(0).frames[0].image);
  cv::Mat difference;
  cv::absdiff(codec::view(page), codec::view(without), difference);
  cv::cvtColor(difference, difference, cv::COLOR_RGB2GRAY);
  cv::Mat labels;
  cv::Mat stats;
  cv::Mat centres;
  const int count = cv::connectedComponentsWithStats(difference > 0, labels, stats, centres);
  std::vector<cv::Rect> tiles;
  for (int i = 1; i < count; ++i) {
    const cv::Rect box(stats.at<int>(i, cv::CC_STAT_LEFT), stats.at<int>(i, cv::CC_STAT_TOP),
                       stats.at<int>(i, cv::CC_STAT_WIDTH), stats.at<int>(i, cv::CC_STAT_HEIGHT));
    if (box.height > 20) tiles.push_back(box);
  }
  return tiles;
}

TEST(StripTest, OneRowWhichWrapsIntoRowsOfOneLength) {
  const Image photo = grey_photo(240, 180);
  // words → rows, and words in the first row, beside the picture
  const std::vector<std::array<int, 3>> cases = {{1, 1, 1},  {5, 1, 5},   {11, 1, 11},
                                                 {12, 2, 6}, {20, 2, 10}, {30, 3, 10}};
  for (const auto& [words, rows, first_row] : cases) {
    const std::vector<cv::Rect> tiles =
        find_tiles(photo, caption_of(std::vector<std::string>(static_cast<std::size_t>(words), "word")));
    ASSERT_EQ(tiles.size(), static_cast<std::size_t>(words));
    std::map<int, int> in_row;
    for (const cv::Rect& tile : tiles) {
      EXPECT_EQ(tile.size(), cv::Size(240, 180));
      ++in_row[tile.y];
    }
    EXPECT_EQ(in_row.size(), static_cast<std::size_t>(rows)) << words;
    EXPECT_EQ(in_row.begin()->second, first_row) << words;
  }
}

TEST(StripTest, NoWordsIsThePictureAlone) {
  const Image page = std::move(draw(Layout::kStrip, grey_photo(240, 180), {}).at(0).frames[0].image);
  EXPECT_EQ(page.width, 240 + 2 * 20);
}

TEST(WordsTest, AFileAWordWithNamesThatAreSafe) {
  const Image photo = grey_photo(64, 48);
  const std::vector<Overlay> overlays =
      draw(Layout::kWords, photo, caption_of({"a", "<unk>", "../etc", "Grün", "", "can't", "\xff", "ice-cream"}));
  EXPECT_THAT(suffixes(overlays), ElementsAre(".glimpses.01-a.png", ".glimpses.02-_unk_.png", ".glimpses.03-___etc.png",
                                              ".glimpses.04-Grün.png", ".glimpses.05-_.png", ".glimpses.06-can_t.png",
                                              ".glimpses.07-\xef\xbf\xbd.png", ".glimpses.08-ice-cream.png"));
  EXPECT_TRUE(draw(Layout::kWords, photo, {}).empty());
  const std::vector<Overlay> longest = draw(Layout::kWords, photo, caption_of({std::string(500, 'w')}));
  EXPECT_LT(longest[0].suffix.size(), 70U);
}

TEST(WordsTest, EachIsWrittenToItsFile) {
  const ScratchFolder folder;
  const std::vector<Overlay> overlays = draw(Layout::kWords, grey_photo(64, 48), caption_of({"a", "dog"}));
  EXPECT_EQ(write_overlay(overlays[0], folder.path() / "my.photo"), folder.path() / "my.photo.glimpses.01-a.png");
  EXPECT_EQ(write_overlay(overlays[1], folder.path() / "my.photo"), folder.path() / "my.photo.glimpses.02-dog.png");
  EXPECT_TRUE(same(load_image(folder.path() / "my.photo.glimpses.02-dog.png"), overlays[1].frames[0].image));
}

TEST(WordsTest, PicturesOfOneSizeThatDifferInWhatIsLookedAt) {
  const Image photo = grey_photo(960, 720);
  const std::vector<Overlay> overlays = draw(Layout::kWords, photo, caption_of({"same", "same", "same"}));
  ASSERT_EQ(overlays.size(), 3U);
  const Image& first = overlays[0].frames[0].image;
  for (std::size_t i = 0; i < 3; ++i) {
    const Image& page = overlays[i].frames[0].image;
    EXPECT_EQ(page.width, first.width);
    EXPECT_EQ(page.height, first.height);
    // The picture begins at the margin of 24; a quarter of it is a cell's width.
    const cv::Mat picture = codec::view(page)(cv::Rect(24, 24, 960, 720));
    for (int col = 0; col < kCols; ++col) {
      const bool hot = static_cast<std::size_t>(col) == i;
      EXPECT_EQ(picture.at<cv::Vec3b>(120, 120 + 240 * col)[0] > kGrey, hot) << i << " " << col;
    }
  }
}

TEST(WordsTest, SmallPicturesAreEnlargedAndLargeOnesReduced) {
  const auto width = [](int photo_width, int photo_height) {
    return draw(Layout::kWords, grey_photo(photo_width, photo_height), caption_of({"word"}))[0].frames[0].image.width;
  };
  EXPECT_EQ(width(32, 32), 480 + 48);
  EXPECT_EQ(width(700, 500), 700 + 48);
  EXPECT_EQ(width(4000, 3000), 960 + 48);
  EXPECT_EQ(width(10, 4000), 480 + 48) << "a slim picture's caption needs room";
}

TEST(AnimationTest, ThePictureThenAFrameAWord) {
  const std::vector<Overlay> overlays = draw(Layout::kAnimation, grey_photo(64, 48), caption_of({"a", "dog", "runs"}));
  ASSERT_EQ(overlays.size(), 1U);
  EXPECT_TRUE(overlays[0].animated);
  EXPECT_EQ(overlays[0].suffix, ".glimpses.webp");
  ASSERT_EQ(overlays[0].frames.size(), 4U);
  const std::vector<Overlay> words = draw(Layout::kWords, grey_photo(64, 48), caption_of({"a", "dog", "runs"}));
  for (std::size_t i = 0; i < 3; ++i) {
    EXPECT_TRUE(same(overlays[0].frames[i + 1].image, words[i].frames[0].image)) << i;
    EXPECT_GE(overlays[0].frames[i + 1].milliseconds, 500) << "time to look";
  }
}

/// Where a colour fills rectangles of the page.
std::vector<cv::Rect> find_blocks(const Image& page, const cv::Vec3b& colour, int height) {
  cv::Mat mask;
  cv::inRange(codec::view(page), cv::Scalar(colour), cv::Scalar(colour), mask);
  cv::Mat labels;
  cv::Mat stats;
  cv::Mat centres;
  const int count = cv::connectedComponentsWithStats(mask, labels, stats, centres, 4);
  std::vector<cv::Rect> blocks;
  for (int i = 1; i < count; ++i) {
    const cv::Rect box(stats.at<int>(i, cv::CC_STAT_LEFT), stats.at<int>(i, cv::CC_STAT_TOP),
                       stats.at<int>(i, cv::CC_STAT_WIDTH), stats.at<int>(i, cv::CC_STAT_HEIGHT));
    if (box.height == height && box.area() == stats.at<int>(i, cv::CC_STAT_AREA)) blocks.push_back(box);
  }
  std::sort(blocks.begin(), blocks.end(), [](const cv::Rect& a, const cv::Rect& b) { return a.y < b.y; });
  return blocks;
}

TEST(MatrixTest, ARowAWordAndAColumnACellBelowWhatIsThere) {
  // Each cell of the picture has a red of its own.
  Image photo = grey_photo(400, 300);
  for (int y = 0; y < 300; ++y) {
    for (int x = 0; x < 400; ++x) {
      std::uint8_t* pixel = photo.row(y) + 3 * x;
      pixel[0] = static_cast<std::uint8_t>(100 + 10 * (y / 100 * kCols + x / 100));
      pixel[1] = pixel[2] = 0;
    }
  }
  const int cells = kRows * kCols;
  const Image page =
      std::move(draw(Layout::kMatrix, photo, caption_of(std::vector<std::string>(cells, "w"))).at(0).frames[0].image);
  const ColourTable colours = colour_table("inferno");
  const std::vector<cv::Rect> hottest = find_blocks(page, colours[255], 30);
  ASSERT_EQ(hottest.size(), static_cast<std::size_t>(cells));
  for (int i = 0; i < cells; ++i) {
    const cv::Rect& block = hottest[static_cast<std::size_t>(i)];
    EXPECT_EQ(block.size(), cv::Size(40, 30));
    const cv::Rect& first = hottest[0];
    // 40 pixels a cell, 5 more between the map's rows; 34 from word to word.
    EXPECT_EQ(block.x, first.x + 40 * i + 5 * (i / kCols)) << i;
    EXPECT_EQ(block.y, first.y + 34 * i) << i;
    // Above the column, up to 8 pixels over the first row: the picture's cell.
    const cv::Mat above = codec::view(page)(cv::Rect(block.x, first.y - 8 - 34, 40, 34));
    const cv::Scalar red(100 + 10 * i, 0, 0);
    cv::Mat there;
    cv::inRange(above, red, red, there);
    EXPECT_EQ(cv::countNonZero(there), 40 * 34) << i;
  }
}

TEST(MatrixTest, TheWordsOwnPeakOrTheCaptions) {
  Caption caption = caption_of({"sharp", "soft"});
  for (float& value : caption.glimpses[1].alpha) value /= 2;
  const ColourTable colours = colour_table("viridis");
  OverlayOptions options;
  options.colormap = "viridis";
  const Image own = std::move(draw(Layout::kMatrix, grey_photo(40, 30), caption, options)[0].frames[0].image);
  EXPECT_EQ(find_blocks(own, colours[255], 30).size(), 2U);
  options.scale = OverlayOptions::Scale::kGlobal;
  const Image global = std::move(draw(Layout::kMatrix, grey_photo(40, 30), caption, options)[0].frames[0].image);
  EXPECT_EQ(find_blocks(global, colours[255], 30).size(), 1U);
  EXPECT_EQ(find_blocks(global, colours[128], 30).size(), 1U);
}

TEST(LayoutsTest, StrangePicturesAndCaptionsAreDrawn) {
  Caption strange = caption_of({std::string(500, 'w'), "", "\xff ü 犬\n", "a"});
  strange.text = std::string(300, 'x');
  strange.glimpses[0].log_prob = std::nan("");
  strange.glimpses[1].beta = std::nan("");
  strange.glimpses[2].alpha.assign(strange.glimpses[2].alpha.size(), std::nanf(""));
  strange.glimpses[3].box = {1e9, -1e9, 1e12, 5};
  for (const Layout layout : {Layout::kSheet, Layout::kStrip, Layout::kWords, Layout::kAnimation, Layout::kMatrix}) {
    for (const cv::Size size : {cv::Size(1, 1), cv::Size(4000, 2), cv::Size(2, 4000)}) {
      for (const int tile : {64, 320}) {
        OverlayOptions options;
        options.tile_width = tile;
        options.style = OverlayOptions::Style::kBox;
        for (const Overlay& overlay : draw(layout, grey_photo(size.width, size.height), strange, options)) {
          EXPECT_GT(overlay.frames[0].image.width, 60) << int(layout) << " " << size;
          EXPECT_LT(overlay.frames[0].image.width, 4000) << int(layout) << " " << size;
        }
      }
    }
  }
}

}  // namespace
}  // namespace glimpse::testing
