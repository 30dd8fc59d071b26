/// A StepModel without a network: the log-probabilities of the next word are a fixed random function of the words so
/// far and of the image, so that every hypothesis can be enumerated and recomputed.
#pragma once

#include <cmath>
#include <cstdint>
#include <limits>
#include <vector>

#include "core/random.h"
#include "search/step_model.h"

namespace glimpse::search::testing {

/// What the table says after some words.
struct Entry {
  std::vector<float> log_probs;
  std::vector<float> alphas;
  float gate = 0;
};

struct TableShape {
  int words = 6;  ///< start 0, end 1, the rest words
  int images = 1;
  int rows_per_image = 8;
  int cells = 3;
  std::uint64_t seed = 1;
  double spread = 1.5;  ///< deviation of the scores before softmax
  int first_image = 0;  ///< the table's image that is this model's first
};

constexpr int kStart = 0;
constexpr int kEnd = 1;

class TableModel : public StepModel {
 public:
  explicit TableModel(const TableShape& shape) : shape_(shape) { restart(); }

  void restart() { histories_.assign(static_cast<std::size_t>(rows()), {}); }
  const TableShape& shape() const { return shape_; }
  int steps_taken() const { return steps_; }

  int images() const override { return shape_.images; }
  int rows_per_image() const override { return shape_.rows_per_image; }
  int vocabulary_size() const override { return shape_.words; }
  int cells() const override { return shape_.cells; }
  int start_id() const override { return kStart; }
  int end_id() const override { return kEnd; }

  /// After `words`, the start marker left out, for an image of the table.
  virtual Entry entry(int image, const std::vector<int>& words) const {
    std::uint64_t seed = shape_.seed * 1000003U + static_cast<std::uint64_t>(image + shape_.first_image);
    for (const int word : words) seed = (seed + static_cast<std::uint64_t>(word) + 1) * 0x9E3779B97F4A7C15U;
    Random random(seed);
    Entry entry;
    double total = 0;
    for (int i = 0; i < shape_.words; ++i) {
      entry.log_probs.push_back(static_cast<float>(random.normal() * shape_.spread));
      if (i != kStart) total += std::exp(static_cast<double>(entry.log_probs.back()));
    }
    for (float& value : entry.log_probs) value -= static_cast<float>(std::log(total));
    entry.log_probs[kStart] = -std::numeric_limits<float>::infinity();
    for (int i = 0; i < shape_.cells; ++i) entry.alphas.push_back(static_cast<float>(random.uniform()));
    entry.gate = static_cast<float>(random.uniform());
    return entry;
  }

  StepOutput step(std::span<const int> tokens, std::span<const int> parents) override {
    const bool first = steps_++ == 0;
    std::vector<std::vector<int>> next(histories_.size());
    log_probs_.clear();
    alphas_.clear();
    gates_.clear();
    for (std::size_t row = 0; row < histories_.size(); ++row) {
      if (!first) {
        next[row] = histories_[static_cast<std::size_t>(parents[row])];
        next[row].push_back(tokens[row]);
      }
      const Entry said = entry(static_cast<int>(row) / shape_.rows_per_image, next[row]);
      log_probs_.insert(log_probs_.end(), said.log_probs.begin(), said.log_probs.end());
      alphas_.insert(alphas_.end(), said.alphas.begin(), said.alphas.end());
      gates_.push_back(said.gate);
    }
    histories_.swap(next);
    return {log_probs_, alphas_, gates_};
  }

 private:
  int rows() const { return shape_.images * shape_.rows_per_image; }

  TableShape shape_;
  int steps_ = 0;
  std::vector<std::vector<int>> histories_;
  std::vector<float> log_probs_;
  std::vector<float> alphas_;
  std::vector<float> gates_;
};

}  // namespace glimpse::search::testing
