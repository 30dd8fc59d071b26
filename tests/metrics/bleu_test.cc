#include "metrics/bleu.h"

#include <gtest/gtest.h>

#include <cmath>
#include <map>

#include "random_sentences.h"

namespace glimpse::metrics {
namespace {

BleuCounts count(const Sentence& candidate, const References& references) {
  BleuCounts counts;
  counts.add(candidate, references);
  return counts;
}

TEST(Bleu, CountsAreClippedToTheReferences) {
  WordIds ids;
  // The example of Papineni et al. 2002, section 2.1: 'the' is correct twice of seven times.
  const Sentence candidate = ids.encode_caption("the the the the the the the");
  const References references = {ids.encode_caption("The cat is on the mat."),
                                 ids.encode_caption("There is a cat on the mat.")};
  const BleuCounts counts = count(candidate, references);
  EXPECT_EQ(counts.correct, (std::array<std::int64_t, 4>{2, 0, 0, 0}));
  EXPECT_EQ(counts.guessed, (std::array<std::int64_t, 4>{7, 6, 5, 4}));
  EXPECT_EQ(counts.reference_length, 7);
  EXPECT_NEAR(counts.scores()[0], 2.0 / 7, 1e-9);
  EXPECT_NEAR(counts.scores()[1], 0, 1e-7);
}

TEST(Bleu, ShortCaptionsPayByTheNearestReference) {
  const BleuCounts counts = count({1, 2, 3}, {{1, 2, 3, 4, 5}, {1, 2, 3, 4, 5, 6, 7}, {9, 9, 9, 9, 9}});
  EXPECT_EQ(counts.reference_length, 5);
  EXPECT_NEAR(counts.scores()[0], std::exp(1 - 5.0 / 3), 1e-6);
  EXPECT_NEAR(counts.scores()[2], std::exp(1 - 5.0 / 3), 1e-6);
  EXPECT_EQ(count({1, 2, 3}, {{1, 2, 3, 4}, {1, 2}}).reference_length, 2) << "of two equally near, the shorter";
  EXPECT_NEAR(count({1, 2, 3, 4, 5}, {{1, 2, 3, 4}}).scores()[0], 0.8, 1e-6) << "long ones lose precision only";
}

TEST(Bleu, IsOfTheWholeSetNotTheMean) {
  BleuCounts counts;
  counts.add(Sentence{1, 2, 3, 4}, References{{1, 2, 3, 4}});
  counts.add(Sentence{5, 6}, References{{5, 7}});
  EXPECT_NEAR(counts.scores()[0], 5.0 / 6, 1e-6);
  EXPECT_NEAR(counts.scores()[1], std::sqrt(5.0 / 6 * 3 / 4), 1e-6);
}

TEST(Bleu, NoWordsAndNoMatchesAreScoresToo) {
  EXPECT_EQ(BleuCounts().scores()[3], 0);
  EXPECT_NEAR(count({}, {{1, 2}}).scores()[0], 0, 1e-9);
  EXPECT_NEAR(count({3}, {{1}}).scores()[3], 0, 1e-2);
}

/// n-grams as they are, counted in maps.
BleuCounts naive_counts(const Sentence& candidate, const References& references) {
  BleuCounts counts;
  counts.length = static_cast<std::int64_t>(candidate.size());
  const auto ngrams = [](const Sentence& sentence, std::size_t n) {
    std::map<Sentence, std::int64_t> found;
    for (std::size_t i = 0; i + n <= sentence.size(); ++i) {
      ++found[Sentence(sentence.begin() + static_cast<std::ptrdiff_t>(i),
                       sentence.begin() + static_cast<std::ptrdiff_t>(i + n))];
    }
    return found;
  };
  for (std::size_t n = 1; n <= 4; ++n) {
    for (const auto& [ngram, times] : ngrams(candidate, n)) {
      std::int64_t most = 0;
      for (const Sentence& reference : references) most = std::max(most, ngrams(reference, n)[ngram]);
      counts.guessed[n - 1] += times;
      counts.correct[n - 1] += std::min(times, most);
    }
  }
  return counts;
}

TEST(Bleu, CountsEqualNaiveOnes) {
  Random random(5);
  for (int round = 0; round < 300; ++round) {
    const References references = random_references(random, 4, 5).back();
    const Sentence candidate = random_sentence(random, 5, 15);
    const BleuCounts expected = naive_counts(candidate, references);
    const BleuCounts found = count(candidate, references);
    EXPECT_EQ(found.correct, expected.correct) << "round " << round;
    EXPECT_EQ(found.guessed, expected.guessed) << "round " << round;
  }
}

}  // namespace
}  // namespace glimpse::metrics
