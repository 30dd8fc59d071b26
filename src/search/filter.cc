#include "search/filter.h"

#include <algorithm>

namespace glimpse::search {

WordFilter::WordFilter(int vocabulary_size, std::span<const int> forbidden)
    : banned_(static_cast<std::size_t>(vocabulary_size), 0) {
  for (const int word : forbidden) banned_[static_cast<std::size_t>(word)] = 1;
}

void WordFilter::ban(int word) {
  std::uint8_t& flag = banned_[static_cast<std::size_t>(word)];
  if (flag != 0) return;
  flag = 1;
  lifted_.push_back(word);
}

void WordFilter::ban_repeats(std::span<const int> words, int n) {
  if (n == 0) return;
  const auto context = static_cast<std::size_t>(n - 1);
  if (words.size() < context) return;
  const auto last = words.end() - static_cast<std::ptrdiff_t>(context);
  for (std::size_t i = 0; i + context < words.size(); ++i) {
    if (std::equal(last, words.end(), words.begin() + static_cast<std::ptrdiff_t>(i))) ban(words[i + context]);
  }
}

void WordFilter::lift() {
  for (const int word : lifted_) banned_[static_cast<std::size_t>(word)] = 0;
  lifted_.clear();
}

}  // namespace glimpse::search
