/// How often a sentence has each of its n-grams. Internal to this level.
#pragma once

#include <array>
#include <cstdint>
#include <span>
#include <vector>

namespace glimpse::metrics {

constexpr int kMaxOrder = 4;  ///< all metrics here count n-grams of 1 to 4 words

struct NgramCount {
  std::uint64_t key =
      0;          ///< the words and their order, mixed to 64 bits: a million n-grams collide at odds of 1 to 10^7
  int order = 0;  ///< n − 1
  int count = 0;
};

/// One entry an n-gram, sorted by key.
std::vector<NgramCount> count_ngrams(std::span<const int> words);

}  // namespace glimpse::metrics
