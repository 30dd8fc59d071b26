// Writing: with a font and without, breaking and shortening.
#include "overlay/text.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>

#include "core/error.h"
#include "support/paths.h"

namespace glimpse::testing {
namespace {

const TextPainter::Style kStyle{20, TextPainter::Weight::kBold, cv::Scalar(0, 0, 0)};

/// With the installed font, where there is one, and with the stroke font.
class TextTest : public ::testing::TestWithParam<bool> {
 protected:
  TextPainter painter_{{}, GetParam() ? TextPainter::usual_folders() : std::vector<std::filesystem::path>{}};
};

cv::Mat paper(int width = 300) { return {60, width, CV_8UC3, cv::Scalar::all(255)}; }

int ink(const cv::Mat& canvas) {
  int count = 0;
  for (int i = 0; i < canvas.rows * canvas.cols; ++i) {
    count += canvas.at<cv::Vec3b>(i / canvas.cols, i % canvas.cols) != cv::Vec3b(255, 255, 255) ? 1 : 0;
  }
  return count;
}

TEST_P(TextTest, DrawsOnTheBaseLineWithinItsWidth) {
  cv::Mat canvas = paper();
  painter_.draw(canvas, "Hand", {10, 40}, kStyle);
  const int width = painter_.width("Hand", kStyle);
  EXPECT_GT(ink(canvas), 50);
  EXPECT_EQ(ink(canvas.rowRange(43, 60)), 0) << "below the base line";
  EXPECT_EQ(ink(canvas.rowRange(0, 20)), 0) << "higher than the font";
  EXPECT_EQ(ink(canvas.colRange(0, 8)), 0);
  EXPECT_EQ(ink(canvas.colRange(10 + width + 3, 300)), 0);
}

TEST_P(TextTest, WhatFallsOutsideIsLeftOut) {
  cv::Mat canvas = paper(40);
  for (const cv::Point origin : {cv::Point(-30, 5), cv::Point(30, 70), cv::Point(100, 100), cv::Point(0, -50)}) {
    painter_.draw(canvas, "running", origin, kStyle);
  }
  EXPECT_GT(ink(canvas), 0);
}

TEST_P(TextTest, AnyBytesCanBeDrawn) {
  for (const std::string text : {"äöü β 犬", "\xff\xfe broken", "a\nb\tc", "", " "}) {
    cv::Mat canvas = paper();
    painter_.draw(canvas, text, {10, 40}, kStyle);
    EXPECT_GE(painter_.width(text, kStyle), 0);
  }
}

TEST_P(TextTest, WrapsBetweenWordsAndLosesNothing) {
  const std::string text = "a man in a red shirt is riding a very big wave";
  const std::vector<std::string> lines = painter_.wrap(text, 150, kStyle);
  EXPECT_GT(lines.size(), 2U);
  std::string joined;
  for (const std::string& line : lines) {
    EXPECT_LE(painter_.width(line, kStyle), 150) << line;
    joined += (joined.empty() ? "" : " ") + line;
  }
  EXPECT_EQ(joined, text);
  EXPECT_TRUE(painter_.wrap("", 100, kStyle).empty());
  EXPECT_THAT(painter_.wrap("one", 1000, kStyle), ::testing::ElementsAre("one"));
}

TEST_P(TextTest, WrapsWithinAWordThatIsLongerThanALine) {
  const std::vector<std::string> lines = painter_.wrap("no " + std::string(100, 'w'), 90, kStyle);
  std::string joined;
  for (const std::string& line : lines) {
    EXPECT_LE(painter_.width(line, kStyle), 90) << line;
    joined += line;
  }
  EXPECT_EQ(joined, "no" + std::string(100, 'w'));
  EXPECT_EQ(painter_.wrap("abc", 1, kStyle).size(), 3U) << "a letter a line where not even one fits";
}

TEST_P(TextTest, ShortensToFit) {
  EXPECT_EQ(painter_.shorten("dog", 200, kStyle), "dog");
  const std::string text = painter_.shorten("donaudampfschifffahrt", 100, kStyle);
  EXPECT_LE(painter_.width(text, kStyle), 100);
  EXPECT_EQ(text.find("dona"), 0U);
  EXPECT_NE(text.find(painter_.has_font() ? "…" : "..."), std::string::npos);
  EXPECT_EQ(painter_.shorten("dog", 1, kStyle), "");
}

INSTANTIATE_TEST_SUITE_P(Fonts, TextTest, ::testing::Values(true, false));

TEST(FontTest, WithoutFoldersItIsTheStrokeFont) { EXPECT_FALSE(TextPainter({}, {}).has_font()); }

TEST(FontTest, AFontThatCannotBeLoadedIsAnError) {
  const ScratchFolder folder;
  std::ofstream(folder.path() / "no-font.ttf") << "this is no font";
  for (const char* name : {"missing.ttf", "no-font.ttf", "."}) {
    try {
      const TextPainter painter(folder.path() / name);
      FAIL() << name;
    } catch (const Error& error) {
      EXPECT_EQ(error.code(), ErrorCode::kUsage);
      EXPECT_THAT(error.what(), ::testing::HasSubstr(name));
    }
  }
}

TEST(FontTest, ADamagedInstallationFallsBack) {
  const ScratchFolder folder;
  std::ofstream(folder.path() / "DejaVuSans.ttf") << "this is no font";
  EXPECT_FALSE(TextPainter({}, {folder.path()}).has_font());
}

}  // namespace
}  // namespace glimpse::testing
