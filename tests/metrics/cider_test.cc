#include "metrics/cider.h"

#include <gtest/gtest.h>

#include <cmath>
#include <map>
#include <set>

#include "random_sentences.h"

namespace glimpse::metrics {
namespace {

using Ngrams = std::map<Sentence, double>;

Ngrams naive_ngrams(const Sentence& sentence, std::size_t n) {
  Ngrams found;
  for (std::size_t i = 0; i + n <= sentence.size(); ++i) {
    found[Sentence(sentence.begin() + static_cast<std::ptrdiff_t>(i),
                   sentence.begin() + static_cast<std::ptrdiff_t>(i + n))] += 1;
  }
  return found;
}

double norm(const Ngrams& vector) {
  double sum = 0;
  for (const auto& [ngram, weight] : vector) sum += weight * weight;
  return std::sqrt(sum);
}

/// CIDEr-D as the paper writes it, with the n-grams themselves in maps.
double naive_score(const std::vector<References>& all, std::size_t image, const Sentence& candidate) {
  const auto tf_idf = [&](const Sentence& sentence, std::size_t n) {
    Ngrams vector = naive_ngrams(sentence, n);
    for (auto& [ngram, weight] : vector) {
      int images = 0;
      for (const References& references : all) {
        images += std::any_of(references.begin(), references.end(),
                              [&](const Sentence& reference) { return naive_ngrams(reference, n).contains(ngram); });
      }
      weight *= std::log(static_cast<double>(all.size()) / std::max(1, images));
    }
    return vector;
  };
  double sum = 0;
  for (const Sentence& reference : all[image]) {
    const double pairs = std::max(0.0, candidate.size() - 1.0) - std::max(0.0, reference.size() - 1.0);
    for (std::size_t n = 1; n <= 4; ++n) {
      const Ngrams mine = tf_idf(candidate, n);
      Ngrams theirs = tf_idf(reference, n);
      double product = 0;
      for (const auto& [ngram, weight] : mine) product += std::min(weight, theirs[ngram]) * theirs[ngram];
      const double norms = norm(mine) * norm(theirs);
      if (norms > 0) sum += product / norms * std::exp(-pairs * pairs / 72);
    }
  }
  return 10 * sum / 4 / static_cast<double>(all[image].size());
}

TEST(CiderD, EqualsTheFormula) {
  Random random(7);
  const std::vector<References> references = random_references(random, 10, 6);
  const CiderD cider(references);
  ASSERT_EQ(cider.images(), 10U);
  int positive = 0;
  for (std::size_t image = 0; image < references.size(); ++image) {
    for (int round = 0; round < 20; ++round) {
      const Sentence candidate = random_sentence(random, 8, 14);  // some words that no reference has
      const double expected = naive_score(references, image, candidate);
      EXPECT_NEAR(cider.score(image, candidate), expected, 1e-9) << "image " << image << ", round " << round;
      positive += expected > 0.1;
    }
  }
  EXPECT_GT(positive, 50) << "nearly nothing matched, so this test says little";
}

TEST(CiderD, ByHand) {
  // Two pictures: 'a' (0) is in both and weighs nothing, all else ln 2.
  const std::vector<References> references = {{{0, 1, 2}}, {{0, 3}}};
  const CiderD cider(references);
  EXPECT_NEAR(cider.score(0, Sentence{0, 1, 2}), 7.5, 1e-12) << "there is no n-gram of four words";
  EXPECT_NEAR(cider.score(1, Sentence{0, 3}), 5, 1e-12);
  EXPECT_NEAR(cider.score(0, Sentence{0}), 0, 1e-12);
  // One of two words that count in common, no pair; one pair fewer.
  EXPECT_NEAR(cider.score(0, Sentence{0, 2}), 10.0 / 4 / std::sqrt(2) * std::exp(-1.0 / 72), 1e-12);
  // Counts are clipped: (min(2, 1) · 1) / (2 · √2) for the single words; the pair 2 2 is nobody's.
  EXPECT_NEAR(cider.score(0, Sentence{2, 0, 2}), 10.0 / 4 / (2 * std::sqrt(2)), 1e-12);
}

TEST(CiderD, ACaptionLikeTheOnlyReferenceScoresTen) {
  const std::vector<References> references = {{{1, 2, 3, 4, 5}}, {{6, 7, 8, 9}}, {{1, 9}}};
  const CiderD cider(references);
  EXPECT_NEAR(cider.score(0, references[0][0]), 10, 1e-12);
  EXPECT_EQ(cider.score(1, references[0][0]), 0);
  EXPECT_EQ(cider.score(0, Sentence{}), 0);
}

TEST(CiderD, TheNumbersOfWordsAndTheOrderOfPicturesDoNotMatter) {
  Random random(9);
  std::vector<References> references = random_references(random, 6, 5);
  const Sentence candidate = {0, 1, 2, 3, 1, 2};
  const double before = CiderD(references).score(2, candidate);
  EXPECT_GT(before, 0);
  std::swap(references[2], references[5]);
  const auto renumber = [](Sentence& sentence) {
    for (int& word : sentence) word = 100'000 - 7 * word;
  };
  for (References& of_one : references) std::for_each(of_one.begin(), of_one.end(), renumber);
  Sentence renumbered = candidate;
  renumber(renumbered);
  EXPECT_NEAR(CiderD(references).score(5, renumbered), before, 1e-12);
}

}  // namespace
}  // namespace glimpse::metrics
