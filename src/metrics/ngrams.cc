#include "metrics/ngrams.h"

#include <algorithm>

namespace glimpse::metrics {
namespace {

/// The finaliser of splitmix64 (Steele, Lea and Flood 2014), which is a bijection.
std::uint64_t mix(std::uint64_t value) {
  value = (value ^ (value >> 30)) * 0xbf58476d1ce4e5b9U;
  value = (value ^ (value >> 27)) * 0x94d049bb133111ebU;
  return value ^ (value >> 31);
}

}  // namespace

std::vector<NgramCount> count_ngrams(std::span<const int> words) {
  std::vector<NgramCount> all;
  all.reserve(words.size() * kMaxOrder);
  for (std::size_t begin = 0; begin < words.size(); ++begin) {
    std::uint64_t key = 0;
    for (int order = 0; order < kMaxOrder && begin + static_cast<std::size_t>(order) < words.size(); ++order) {
      const int word = words[begin + static_cast<std::size_t>(order)];
      key = mix(key + 0x9e3779b97f4a7c15U + static_cast<std::uint32_t>(word));
      all.push_back({key, order, 1});
    }
  }
  std::sort(all.begin(), all.end(), [](const NgramCount& a, const NgramCount& b) { return a.key < b.key; });
  std::size_t kept = 0;
  for (std::size_t i = 0; i < all.size(); ++i) {
    if (kept > 0 && all[kept - 1].key == all[i].key) {
      ++all[kept - 1].count;
    } else {
      all[kept++] = all[i];
    }
  }
  all.resize(kept);
  return all;
}

}  // namespace glimpse::metrics
