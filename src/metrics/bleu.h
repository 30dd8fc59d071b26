/// BLEU (Papineni et al. 2002) of a whole set of captions, as the standard COCO evaluation computes it.
#pragma once

#include <array>
#include <cstdint>
#include <span>

#include "metrics/sentence.h"

namespace glimpse::metrics {

/// The counts that BLEU is computed from. They add up over captions and sets.
struct BleuCounts {
  std::int64_t length = 0;            ///< words of the candidates
  std::int64_t reference_length = 0;  ///< words of each one's reference nearest in length; of two, the shorter
  std::array<std::int64_t, 4> correct =
      {};  ///< n-grams that a reference has, each as often as one of them has it at most
  std::array<std::int64_t, 4> guessed = {};  ///< n-grams of the candidates

  void add(std::span<const int> candidate, std::span<const Sentence> references);
  /// BLEU-1 to BLEU-4, from 0 to 1: geometric means of the precisions, times the brevity penalty.
  std::array<double, 4> scores() const;
};

}  // namespace glimpse::metrics
