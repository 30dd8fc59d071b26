#include "metrics/bleu.h"

#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <utility>

#include "metrics/ngrams.h"

namespace glimpse::metrics {
namespace {

// The evaluation's own guards against division by zero; they decide what a set without a single match scores.
constexpr double kTiny = 1e-15;
constexpr double kSmall = 1e-9;

std::int64_t nearest_length(std::int64_t length, std::span<const Sentence> references) {
  std::pair<std::int64_t, std::int64_t> best = {INT64_MAX, 0};
  for (const Sentence& reference : references) {
    const auto own = static_cast<std::int64_t>(reference.size());
    best = std::min(best, {std::abs(own - length), own});
  }
  return best.second;
}

}  // namespace

void BleuCounts::add(std::span<const int> candidate, std::span<const Sentence> references) {
  const auto words = static_cast<std::int64_t>(candidate.size());
  length += words;
  reference_length += nearest_length(words, references);
  const std::vector<NgramCount> counts = count_ngrams(candidate);
  std::vector<int> allowed(counts.size());
  for (const Sentence& reference : references) {
    // Both are sorted by key.
    std::size_t i = 0;
    for (const NgramCount& ngram : count_ngrams(reference)) {
      while (i < counts.size() && counts[i].key < ngram.key) ++i;
      if (i < counts.size() && counts[i].key == ngram.key) allowed[i] = std::max(allowed[i], ngram.count);
    }
  }
  for (std::size_t i = 0; i < counts.size(); ++i) {
    const auto order = static_cast<std::size_t>(counts[i].order);
    guessed[order] += counts[i].count;
    correct[order] += std::min(counts[i].count, allowed[i]);
  }
}

std::array<double, 4> BleuCounts::scores() const {
  const double ratio = (static_cast<double>(length) + kTiny) / (static_cast<double>(reference_length) + kSmall);
  const double brevity = ratio < 1 ? std::exp(1 - 1 / ratio) : 1;
  std::array<double, 4> scores = {};
  double product = 1;
  for (std::size_t order = 0; order < scores.size(); ++order) {
    product *= (static_cast<double>(correct[order]) + kTiny) / (static_cast<double>(guessed[order]) + kSmall);
    scores[order] = brevity * std::pow(product, 1.0 / static_cast<double>(order + 1));
  }
  return scores;
}

}  // namespace glimpse::metrics
