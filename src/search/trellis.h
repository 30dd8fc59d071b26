/// Words and attention of every row and step, linked by back-pointers. A hypothesis is a row at a step; it is traced
/// back only when needed. All memory is allocated up front.
#pragma once

#include <span>
#include <vector>

#include "core/tensor.h"
#include "search/search.h"
#include "search/step_model.h"

namespace glimpse::search {

/// A hypothesis's end in the trellis: after `words` words it stands in `row`.
struct Ending {
  int words = 0;
  int row = 0;
  double log_prob = 0;
  double end_log_prob = 0;
  bool ended = false;
  double score = 0;
};

/// log-probability / (words, end counted)^penalty.
double normalised(double log_prob, int words, bool ended, double penalty);

class Trellis {
 public:
  Trellis(int steps, const StepModel& model);

  /// Keeps the alphas, gates and channels' weights of step `step`: where the rows look for their next word.
  void record(int step, const StepOutput& output);
  /// Row `row` says `word` at `step`, continuing row `from` of the step before.
  void set(int step, int row, int from, int word, float log_prob);

  /// The words of the hypothesis that stands in `row` after `words` words; valid until the next call.
  std::span<const int> words(int row, int words);
  Hypothesis walk(const Ending& ending) const;

 private:
  struct Node {
    int from = 0;
    int word = 0;
    float log_prob = 0;
  };
  const Node& node(int step, int row) const {
    return nodes_[static_cast<std::size_t>(step) * static_cast<std::size_t>(rows_) + static_cast<std::size_t>(row)];
  }

  int rows_;
  int cells_;
  int channels_;
  std::vector<Node> nodes_;   ///< [steps, rows]
  Tensor alphas_;             ///< [steps, rows, cells]
  Tensor channel_weights_;    ///< [steps, rows, channels]
  std::vector<float> gates_;  ///< [steps, rows]
  bool has_gates_ = false;
  std::vector<int> scratch_;  ///< [steps], what `words` gives back
};

}  // namespace glimpse::search
