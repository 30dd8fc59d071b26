/// The best continuations of a set of rows: a bounded heap, with a vectorised scan that skips words below its minimum.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

namespace glimpse::search {

/// Row `row` followed by `word`.
struct Candidate {
  double log_prob = 0;  ///< of the whole hypothesis
  int row = 0;
  int word = 0;
  float word_log_prob = 0;
};

class BestCandidates {
 public:
  explicit BestCandidates(std::size_t capacity);

  void clear() { heap_.clear(); }
  /// −infinity and NaN never enter.
  void offer(const Candidate& candidate);
  /// Offers every word of a row whose hypothesis so far has `log_prob`: log_probs [vocabulary]; words with a non-zero
  /// entry in `banned` are left out. Rows and words must come in ascending order for ties to fall to the first.
  void scan(int row, double log_prob, std::span<const float> log_probs, std::span<const std::uint8_t> banned);
  /// Best first; equal ones by row, then word. Spoils the heap: clear() before the next step.
  std::span<const Candidate> sorted();

 private:
  std::size_t capacity_;
  std::vector<Candidate> heap_;  ///< its worst candidate in front
};

}  // namespace glimpse::search
