/// ROUGE-L (Lin 2004), as the standard COCO evaluation computes it.
#pragma once

#include <span>

#include "metrics/sentence.h"

namespace glimpse::metrics {

/// Of one caption, from 0 to 1: the F-measure (β = 1.2) of the best precision and the best recall that the longest
/// common subsequence has with any reference, not necessarily the same one. 0 for a caption without words. The score of
/// a set is the mean.
double rouge_l(std::span<const int> candidate, std::span<const Sentence> references);

}  // namespace glimpse::metrics
