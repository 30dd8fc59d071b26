/// Two reference searches: exhaustive, and a literal beam search.
#pragma once

#include <vector>

#include "search/search.h"
#include "table_model.h"

namespace glimpse::search::testing {

struct ReferenceCaption {
  std::vector<int> words;
  bool ended = false;
  double log_prob = 0;
  double score = 0;
};

/// All captions that the options allow, best first.
std::vector<ReferenceCaption> enumerate(const TableModel& model, int image, const SearchOptions& options);

/// Beam search without constraints, by sorting all continuations of all hypotheses at every step.
std::vector<ReferenceCaption> plain_beam_search(const TableModel& model, int image, const SearchOptions& options);

/// Whether `words` holds some n-gram twice.
bool repeats(const std::vector<int>& words, int n);

}  // namespace glimpse::search::testing
