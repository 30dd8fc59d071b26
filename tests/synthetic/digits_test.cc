#include "synthetic/digits.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <set>
#include <span>
#include <string>

#include "core/error.h"
#include "core/hash.h"

namespace glimpse::digits {
namespace {

using ::testing::HasSubstr;

constexpr int kPictures = 60;

const DigitOptions kCluttered = {.kind = Kind::kCluttered, .width = 60, .height = 60};
const DigitOptions kShortRows = {.kind = Kind::kRow, .width = 96, .height = 32, .least = 1, .most = 3};

std::uint8_t at(const DigitPicture& picture, int x, int y) {
  return picture.pixels[static_cast<std::size_t>(y * picture.width + x)];
}

std::string bytes(const DigitPicture& picture) { return {picture.pixels.begin(), picture.pixels.end()}; }

TEST(Digits, TheSameNumberIsTheSamePictureAndOthersAreOthers) {
  std::set<std::string> pictures;
  for (std::uint64_t number = 0; number < kPictures; ++number) {
    const DigitPicture picture = draw(3, number, kCluttered);
    EXPECT_EQ(bytes(picture), bytes(draw(3, number, kCluttered))) << number;
    pictures.insert(bytes(picture));
  }
  pictures.insert(bytes(draw(4, 0, kCluttered)));
  EXPECT_EQ(pictures.size(), kPictures + 1U);
}

TEST(Digits, EveryMachineDrawsTheSame) {
  Hash hash;
  std::string labels;
  for (const DigitOptions& options : {DigitOptions(), kCluttered, kShortRows}) {
    for (std::uint64_t number = 0; number < 5; ++number) {
      const DigitPicture picture = draw(1, number, options);
      hash.add(std::as_bytes(std::span(picture.pixels)));
      labels += picture.label() + " ";
    }
  }
  EXPECT_EQ(labels, "1 4 2 3 3 8 1 0 7 2 3 95 2 20 46 ");
  EXPECT_EQ(hash.text(), "53574a9106f7f741");
}

TEST(Digits, BoxesHoldTheDigitAndThereIsNothingElse) {
  for (const DigitOptions& options :
       {DigitOptions(), DigitOptions{.kind = Kind::kTranslated, .width = 60, .height = 50}, kShortRows}) {
    for (std::uint64_t number = 0; number < kPictures; ++number) {
      SCOPED_TRACE(number);
      const DigitPicture picture = draw(9, number, options);
      for (const Digit& digit : picture.digits) {
        EXPECT_GE(digit.box.x, 0);
        EXPECT_GE(digit.box.y, 0);
        EXPECT_LE(digit.box.x + digit.box.width, options.width);
        EXPECT_LE(digit.box.y + digit.box.height, options.height);
        EXPECT_GT(digit.box.height, 12);
        EXPECT_GT(digit.box.width, 3);
      }
      constexpr int kNoise = 48;  // and what is seen least of a digit
      for (int y = 0; y < picture.height; ++y) {
        for (int x = 0; x < picture.width; ++x) {
          if (at(picture, x, y) < kNoise) continue;
          EXPECT_TRUE(std::ranges::any_of(picture.digits,
                                          [&](const Digit& digit) {
                                            return x >= digit.box.x && x < digit.box.x + digit.box.width &&
                                                   y >= digit.box.y && y < digit.box.y + digit.box.height;
                                          }))
              << x << ", " << y;
        }
      }
    }
  }
}

TEST(Digits, ClutterLiesOutsideToo) {
  int cluttered = 0;
  for (std::uint64_t number = 0; number < kPictures; ++number) {
    const DigitPicture picture = draw(2, number, kCluttered);
    const Rect& box = picture.digits.at(0).box;
    bool outside = false;
    for (int y = 0; y < 60; ++y) {
      for (int x = 0; x < 60; ++x) {
        const bool inside = x >= box.x && x < box.x + box.width && y >= box.y && y < box.y + box.height;
        outside = outside || (!inside && at(picture, x, y) > 100);
      }
    }
    cluttered += outside ? 1 : 0;
  }
  EXPECT_GT(cluttered, kPictures - 3);
}

TEST(Digits, DigitsStandWhereTheyMayAndAllOfThemCome) {
  std::set<int> values;
  std::set<std::size_t> lengths;
  double leftmost = 1;
  double rightmost = 0;
  for (std::uint64_t number = 0; number < 4 * kPictures; ++number) {
    const Digit one = draw(5, number, {.kind = Kind::kTranslated, .width = 60, .height = 60}).digits.at(0);
    values.insert(one.value);
    leftmost = std::min(leftmost, (one.box.x + one.box.width / 2) / 60);
    rightmost = std::max(rightmost, (one.box.x + one.box.width / 2) / 60);
    const DigitPicture row = draw(5, number, kShortRows);
    lengths.insert(row.digits.size());
    EXPECT_TRUE(
        std::ranges::is_sorted(row.digits, {}, [](const Digit& digit) { return digit.box.x + digit.box.width / 2; }));
    EXPECT_EQ(row.label().size(), row.digits.size());
    const Digit middle = draw(5, number, {}).digits.at(0);
    EXPECT_NEAR(middle.box.x + middle.box.width / 2, 14, 3.5);
    EXPECT_NEAR(middle.box.y + middle.box.height / 2, 14, 3.5);
  }
  EXPECT_EQ(values.size(), 10U);
  EXPECT_EQ(lengths, (std::set<std::size_t>{1, 2, 3}));
  EXPECT_LT(leftmost, 0.3);
  EXPECT_GT(rightmost, 0.7);
}

TEST(Digits, BadNumbersAreRefused) {
  const auto complaint = [](const DigitOptions& options) -> std::string {
    try {
      check(options);
    } catch (const Error& error) {
      EXPECT_EQ(error.code(), ErrorCode::kUsage);
      return error.what();
    }
    return "none";
  };
  EXPECT_EQ(complaint({}), "none");
  EXPECT_EQ(complaint(kShortRows), "none");
  EXPECT_EQ(complaint({.kind = Kind::kRow, .width = 54, .height = 54}), "none");
  EXPECT_THAT(complaint({.width = 27}), HasSubstr("27 × 28"));
  EXPECT_THAT(complaint({.kind = Kind::kCluttered, .width = 60, .height = 60, .clutter = -1}), HasSubstr("clutter"));
  EXPECT_THAT(complaint({.kind = Kind::kRow, .width = 96, .height = 32, .least = 3, .most = 2}), HasSubstr("3 to 2"));
  EXPECT_THAT(complaint({.kind = Kind::kRow, .width = 40, .height = 32, .least = 3, .most = 3}),
              HasSubstr("3 digits in 40 pixels"));
}

}  // namespace
}  // namespace glimpse::digits
