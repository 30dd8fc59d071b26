/// Builds a vocabulary from captions and encodes captions as ids.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <unordered_map>
#include <vector>

#include "decoder/vocabulary.h"

namespace glimpse::train {

// The words that every vocabulary begins with: "<pad>", "<start>", "<end>", "<unk>". DecoderConfig has the same ids.
inline constexpr int kPadId = 0;
inline constexpr int kStartId = 1;
inline constexpr int kEndId = 2;
inline constexpr int kUnknownId = 3;

/// Counts words. A word that is spelt like one of the four special ones counts as unknown.
class VocabularyBuilder {
 public:
  /// The words of one caption, as tokenise_caption gives them.
  void add(std::span<const std::string> words);

  /// The four special words, then those that were seen at least `threshold` times, the most frequent first, equally
  /// frequent ones in the order of their bytes. Throws Error(kUsage), with what was counted, for fewer than two words
  /// beside the special ones.
  std::vector<std::string> build(int threshold) const;

 private:
  std::unordered_map<std::string, std::int64_t> counts_;
};

/// The first `max_words` words of a caption as ids, unknown ones as kUnknownId, and kEndId behind them. A caption that
/// was cut ends in kEndId too: at most max_words + 1 ids.
std::vector<int> encode_caption(const Vocabulary& vocabulary, std::span<const std::string> words, int max_words);

}  // namespace glimpse::train
