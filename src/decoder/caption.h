/// What captioning gives back: the caption and, behind every word, the glimpse.
#pragma once

#include <string>
#include <vector>

#include "core/geometry.h"

namespace glimpse {

/// Where the model looked when it said a word.
struct Glimpse {
  std::string word;
  double log_prob = 0;
  double beta = 1;           ///< the gate: how much the picture counted (1 without a gate)
  std::vector<float> alpha;  ///< [rows × cols], row-major, sums to 1
  Rect box;  ///< in source pixels: the smallest block of cells around the peak that holds most of the attention
  std::vector<float> channels = {};  ///< how much each channel of the map counted, mean 1; empty: all alike
};

struct Caption {
  std::string text;
  double log_prob = 0;  ///< of all words and the end
  double score = 0;     ///< length-normalised
  std::vector<Glimpse> glimpses;
};

}  // namespace glimpse
