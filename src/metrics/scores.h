/// All metrics of a set of captions at once: what validation and `glimpse eval` say.
#pragma once

#include <array>
#include <span>
#include <string>
#include <vector>

namespace glimpse::metrics {

struct Scores {
  std::size_t images = 0;
  std::array<double, 4> bleu = {};  ///< BLEU-1 to BLEU-4, of the whole set, 0 to 1
  double rouge_l = 0;               ///< mean, 0 to 1
  double cider = 0;                 ///< CIDEr-D, mean, 0 to 10
  double mean_length = 0;           ///< words a caption, as the metrics count them
  int distinct_words = 0;           ///< that the captions use
};

/// `captions[i]` is picture i's, `references[i]`, at least one, what people wrote; both as written, and tokenised here
/// as the standard evaluation does. Throws Error(kUsage) where the counts differ, there are none, or a picture has no
/// reference.
Scores score_captions(std::span<const std::string> captions, std::span<const std::vector<std::string>> references);

}  // namespace glimpse::metrics
