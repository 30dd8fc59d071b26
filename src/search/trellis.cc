#include "search/trellis.h"

#include <algorithm>
#include <cmath>

namespace glimpse::search {

double normalised(double log_prob, int words, bool ended, double penalty) {
  return log_prob / std::pow(std::max(1, words + (ended ? 1 : 0)), penalty);
}

Trellis::Trellis(int steps, const StepModel& model)
    : rows_(model.images() * model.rows_per_image()),
      cells_(model.cells()),
      channels_(model.channels()),
      nodes_(static_cast<std::size_t>(steps) * static_cast<std::size_t>(rows_)),
      alphas_(Shape{steps, rows_, cells_}),
      channel_weights_(Shape{steps, rows_, channels_}),
      gates_(nodes_.size()),
      scratch_(static_cast<std::size_t>(steps)) {}

void Trellis::record(int step, const StepOutput& output) {
  const auto first = static_cast<std::ptrdiff_t>(step) * rows_;
  std::copy(output.alphas.begin(), output.alphas.end(), alphas_.data() + first * cells_);
  if (channels_ > 0) {
    std::copy(output.channels.begin(), output.channels.end(), channel_weights_.data() + first * channels_);
  }
  has_gates_ = !output.gates.empty();
  std::copy(output.gates.begin(), output.gates.end(), gates_.begin() + first);
}

void Trellis::set(int step, int row, int from, int word, float log_prob) {
  nodes_[static_cast<std::size_t>(step) * static_cast<std::size_t>(rows_) + static_cast<std::size_t>(row)] = {
      from, word, log_prob};
}

std::span<const int> Trellis::words(int row, int words) {
  for (int step = words - 1; step >= 0; --step) {
    const Node& said = node(step, row);
    scratch_[static_cast<std::size_t>(step)] = said.word;
    row = said.from;
  }
  return {scratch_.data(), static_cast<std::size_t>(words)};
}

Hypothesis Trellis::walk(const Ending& ending) const {
  Hypothesis hypothesis;
  hypothesis.log_prob = ending.log_prob;
  hypothesis.end_log_prob = ending.end_log_prob;
  hypothesis.score = ending.score;
  hypothesis.ended = ending.ended;
  const auto count = static_cast<std::size_t>(ending.words);
  hypothesis.words.resize(count);
  hypothesis.log_probs.resize(count);
  hypothesis.alphas.resize(count);
  if (has_gates_) hypothesis.gates.resize(count);
  if (channels_ > 0) hypothesis.channels.resize(count);
  int row = ending.row;
  for (std::size_t i = count; i-- > 0;) {
    const Node& said = node(static_cast<int>(i), row);
    // The word was chosen from what its parent row saw at this step.
    const std::size_t seen = i * static_cast<std::size_t>(rows_) + static_cast<std::size_t>(said.from);
    const float* alpha = alphas_.data() + seen * static_cast<std::size_t>(cells_);
    hypothesis.words[i] = said.word;
    hypothesis.log_probs[i] = said.log_prob;
    hypothesis.alphas[i].assign(alpha, alpha + cells_);
    if (has_gates_) hypothesis.gates[i] = gates_[seen];
    if (channels_ > 0) {
      const float* weights = channel_weights_.data() + seen * static_cast<std::size_t>(channels_);
      hypothesis.channels[i].assign(weights, weights + channels_);
    }
    row = said.from;
  }
  return hypothesis;
}

}  // namespace glimpse::search
