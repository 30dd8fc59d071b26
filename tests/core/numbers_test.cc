#include "core/numbers.h"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>

namespace glimpse {
namespace {

TEST(Numbers, RoundingLeavesNoSignOfZero) {
  EXPECT_EQ(rounded(-7.310049, 4), -7.31);
  EXPECT_FALSE(std::signbit(rounded(-0.00001, 4)));
  EXPECT_EQ(rounded(0.25, 1), 0.3);
}

TEST(Numbers, TextsHaveTheDigitsThatWereAskedFor) {
  EXPECT_EQ(fixed(12.3456, 2), "12.35");
  EXPECT_EQ(fixed(-1, 3), "-1.000");
  EXPECT_EQ(fixed(std::numeric_limits<double>::max(), 1).size(), 311U);
  EXPECT_EQ(in_short(0.7), "0.7");
  EXPECT_EQ(in_short(1), "1");
  EXPECT_EQ(in_short(2.33812), "2.338");
}

}  // namespace
}  // namespace glimpse
