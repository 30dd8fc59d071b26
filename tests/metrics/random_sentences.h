/// Sentences of few words, so that they have n-grams in common.
#pragma once

#include "core/random.h"
#include "metrics/sentence.h"

namespace glimpse::metrics {

/// Of 0 to `most` words below `words`.
inline Sentence random_sentence(Random& random, std::uint64_t words, std::uint64_t most) {
  Sentence sentence(random.below(most + 1));
  for (int& word : sentence) word = static_cast<int>(random.below(words));
  return sentence;
}

inline std::vector<References> random_references(Random& random, int images, std::uint64_t words) {
  std::vector<References> all;
  for (int image = 0; image < images; ++image) {
    References& references = all.emplace_back();
    for (int i = 0; i <= image % 4; ++i) references.push_back(random_sentence(random, words, 12));
  }
  return all;
}

}  // namespace glimpse::metrics
