/// Banned next words: some for the whole search, some for the current row.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

namespace glimpse::search {

class WordFilter {
 public:
  WordFilter(int vocabulary_size, std::span<const int> forbidden);

  /// Until `lift`.
  void ban(int word);
  /// Bans, until `lift`, every word that would say an n-gram of `words` a second time; n = 0 bans nothing.
  void ban_repeats(std::span<const int> words, int n);
  void lift();

  bool bans(int word) const { return banned_[static_cast<std::size_t>(word)] != 0; }
  std::span<const std::uint8_t> banned() const { return banned_; }  ///< [vocabulary], non-zero: banned

 private:
  std::vector<std::uint8_t> banned_;
  std::vector<int> lifted_;  ///< bans of the current row, which `lift` removes
};

}  // namespace glimpse::search
