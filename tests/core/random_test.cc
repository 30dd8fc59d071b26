#include "core/random.h"

#include <gtest/gtest.h>

#include <array>
#include <cmath>

#include "core/error.h"
#include "support/usage_error.h"

namespace glimpse {
namespace {

TEST(Random, SeedsGiveTheirOwnRepeatableStreams) {
  Random a(7);
  Random b(7);
  Random c(8);
  int equal = 0;
  for (int i = 0; i < 1000; ++i) {
    const std::uint64_t value = a.next();
    ASSERT_EQ(value, b.next());
    equal += value == c.next() ? 1 : 0;
  }
  EXPECT_EQ(equal, 0);
}

TEST(Random, UniformAndNormalHaveTheirMoments) {
  Random random(1);
  constexpr int kCount = 200'000;
  double uniform = 0;
  double normal = 0;
  double square = 0;
  for (int i = 0; i < kCount; ++i) {
    const double u = random.uniform();
    ASSERT_GE(u, 0);
    ASSERT_LT(u, 1);
    uniform += u;
    const double n = random.normal();
    normal += n;
    square += n * n;
  }
  // Five standard errors.
  EXPECT_NEAR(uniform / kCount, 0.5, 5 * std::sqrt(1.0 / 12 / kCount));
  EXPECT_NEAR(normal / kCount, 0, 5 / std::sqrt(kCount));
  EXPECT_NEAR(square / kCount, 1, 5 * std::sqrt(2.0 / kCount));
}

TEST(Random, BelowReachesEveryValueEqually) {
  Random random(2);
  std::array<int, 7> counts = {};
  constexpr int kCount = 70'000;
  for (int i = 0; i < kCount; ++i) ++counts.at(random.below(7));
  for (const int count : counts) EXPECT_NEAR(count, kCount / 7, 500);
}

TEST(Random, NothingIsBelowZero) {
  Random random(1);
  EXPECT_THAT([&] { random.below(0); }, testing::throws_usage("bound of 1 or more"));
}

TEST(Random, GoesOnFromItsState) {
  Random random(9);
  for (int i = 0; i < 5; ++i) {
    random.normal();  // every other time a spare number is kept
    Random copy = Random::from_state(random.state());
    Random original = random;
    EXPECT_EQ(copy.normal(), original.normal());
    EXPECT_EQ(copy.next(), original.next());
    EXPECT_EQ(copy.state(), original.state());
  }
  for (const char* bad : {"", "1 2 3", "1 2 3 4 5 6", "1 2 3 x", "1 2 3 11112222333344445"}) {
    EXPECT_THROW(Random::from_state(bad), Error) << bad;
  }
}

}  // namespace
}  // namespace glimpse
