#include "metrics/rouge.h"

#include <gtest/gtest.h>

#include "random_sentences.h"

namespace glimpse::metrics {
namespace {

double f_measure(double precision, double recall) {
  return (1 + 1.44) * precision * recall / (recall + 1.44 * precision);
}

TEST(RougeL, FollowsTheLongestCommonSubsequence) {
  const References references = {{1, 2, 3, 4}};                              // "police killed the gunman"
  EXPECT_DOUBLE_EQ(rouge_l(Sentence{1, 5, 3, 4}, references), 0.75);         // "police kill the gunman" (Lin 2004)
  EXPECT_DOUBLE_EQ(rouge_l(Sentence{3, 4, 5, 1}, references), 0.5);          // "the gunman kill police"
  EXPECT_DOUBLE_EQ(rouge_l(Sentence{1, 2}, references), f_measure(1, 0.5));  // recall counts more
  EXPECT_DOUBLE_EQ(rouge_l(Sentence{1, 2, 3, 4}, references), 1);
}

TEST(RougeL, TakesTheBestPrecisionAndTheBestRecallOfAnyReference) {
  EXPECT_DOUBLE_EQ(rouge_l(Sentence{1, 2, 3, 4}, References{{1}, {1, 2, 9, 9, 9}}), f_measure(0.5, 1));
}

TEST(RougeL, NothingInCommonIsNothing) {
  EXPECT_EQ(rouge_l(Sentence{1}, References{{2}}), 0);
  EXPECT_EQ(rouge_l(Sentence{}, References{{2}}), 0);
  EXPECT_EQ(rouge_l(Sentence{1}, References{{}}), 0);
}

int naive_common(std::span<const int> a, std::span<const int> b) {
  if (a.empty() || b.empty()) return 0;
  if (a[0] == b[0]) return 1 + naive_common(a.subspan(1), b.subspan(1));
  return std::max(naive_common(a.subspan(1), b), naive_common(a, b.subspan(1)));
}

TEST(RougeL, EqualsTheRecursiveDefinition) {
  Random random(3);
  for (int round = 0; round < 300; ++round) {
    const Sentence a = random_sentence(random, 4, 8);
    const Sentence b = random_sentence(random, 4, 8);
    const double common = naive_common(a, b);
    const double expected =
        common == 0 ? 0 : f_measure(common / static_cast<double>(a.size()), common / static_cast<double>(b.size()));
    EXPECT_DOUBLE_EQ(rouge_l(a, References{b}), expected) << "round " << round;
  }
}

}  // namespace
}  // namespace glimpse::metrics
