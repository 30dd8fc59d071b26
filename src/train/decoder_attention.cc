#include "train/decoder_attention.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <utility>

#include "core/random.h"
#include "train/losses.h"
#include "train/map_ops.h"
#include "train/row_ops.h"

namespace glimpse::train {
namespace {

using Score = DecoderConfig::Score;
using Selector = DecoderConfig::Selector;
using dnn::Activation;
using dnn::Array;

dnn::ScoreFunction score_function(Score score) {
  if (score == Score::kAdditiveTanh) return dnn::ScoreFunction::kTanh;
  return score == Score::kAdditiveRelu ? dnn::ScoreFunction::kRelu : dnn::ScoreFunction::kDot;
}

std::uint64_t mixed(std::uint64_t seed, std::uint64_t a) { return Random(Random(seed).next() ^ a).next(); }

}  // namespace

bool is_additive(Score score) { return score == Score::kAdditiveTanh || score == Score::kAdditiveRelu; }

DecoderAttention::DecoderAttention(const DecoderConfig& config, ParameterSet& parameters, Tape& tape, Grid grid,
                                   Variable memory, dnn::RowsOfImages rows, const HardOptions& hard)
    : config_(config), parameters_(parameters), tape_(tape), grid_(grid), hard_(hard), memory_size_(memory.dim(1)) {
  const std::int64_t heads = config_.heads;
  const std::int64_t cells = grid_.cells();
  std::size_t captions = 0;
  for (const std::vector<int>& own : rows) captions += own.size();
  expects_.resize(captions);
  for (std::size_t image = 0; image < rows.size(); ++image) {
    const bool expects = Random(mixed(hard_.seed, ~image)).uniform() < hard_.expectation;
    for (const int row : rows[image]) expects_[static_cast<std::size_t>(row)] = expects ? 1 : 0;
  }
  Variable keys = linear(tape_, memory, parameter("key.weight"), parameter("key.bias"));
  key_size_ = keys.dim(1);
  if (heads > 1) {
    keys = split_heads(tape_, keys, cells, heads);
    memory = split_heads(tape_, memory, cells, heads);
  }
  if (config_.score == Score::kCosine) keys = unit_rows(tape_, keys);
  if (config_.score == Score::kScaledDot) {
    const Array factor = tape_.kernels().take({1, 1});
    factor.data()[0] = 1 / std::sqrt(static_cast<float>(keys.dim(1)));
    keys = scaled(tape_, keys, tape_.constant(factor));
  }
  Gaze gaze = {cells, std::move(rows)};
  if (heads > 1) gaze = split_heads(gaze, heads);
  Variable weight;
  if (is_additive(config_.score)) weight = reshape(tape_, parameter("score.weight"), {heads, key_size_ / heads});
  scores_.emplace(tape_, score_function(config_.score), keys, weight, gaze);
  read_.emplace(tape_, memory, gaze);
  if (config_.selector == Selector::kLocal) place_.emplace(tape_, parameter("place.weight"), parameter("place.bias"));
}

std::vector<std::string> DecoderAttention::hidden_layers(const DecoderConfig& config) {
  if (config.selector == Selector::kLocal) return {"query", "place_hidden"};
  return {"query"};
}

Variable DecoderAttention::look(const Variable& sums, std::int64_t rows) {
  const std::int64_t heads = config_.heads;
  const Piece asked = query(sums, rows);
  Variable weights;
  if (config_.selector == Selector::kLocal) {
    weights = windowed(asked, predicted_places(sums, rows));
  } else {
    weights = (*scores_)(asked, rows * heads);
  }
  alphas_.push_back(weights);
  if (is_hard()) {
    cells_.push_back(draw(weights));
    if (config_.selector == Selector::kHard) {
      weights = chosen(tape_, weights, cells_.back());
    } else {
      const Array places = tape_.kernels().take({rows * heads, 2});
      for (std::int64_t i = 0; i < rows * heads; ++i) {
        const int cell = cells_.back()[static_cast<std::size_t>(i)];
        const float nowhere = std::numeric_limits<float>::quiet_NaN();
        places.data()[2 * i] = cell < 0 ? nowhere : static_cast<float>(cell / grid_.cols) + 0.5F;
        places.data()[2 * i + 1] = cell < 0 ? nowhere : static_cast<float>(cell % grid_.cols) + 0.5F;
      }
      weights = windowed(asked, tape_.constant(places));
    }
  }
  return reshape(tape_, (*read_)(weights), {rows, memory_size_});
}

/// A row a head.
Piece DecoderAttention::query(const Variable& sums, std::int64_t rows) {
  Piece query = {sums};
  const std::int64_t heads = config_.heads;
  if (heads > 1 || config_.score == Score::kCosine) {
    query.matrix = reshape(tape_, slice_columns(tape_, sums, 0, key_size_), {rows * heads, key_size_ / heads});
  }
  if (config_.score == Score::kCosine) {
    query.matrix = scaled(tape_, unit_rows(tape_, query.matrix), parameter("score.weight"));
  }
  return query;
}

/// grid · σ(place(tanh(place_hidden(h)))), a row a head: [rows · heads, 2].
Variable DecoderAttention::predicted_places(const Variable& sums, std::int64_t rows) {
  const std::int64_t size = parameters_.at("place_hidden.weight").value.dim(0);
  const Variable hidden =
      activation(tape_, slice_columns(tape_, sums, sums.dim(1) - size, size), {Activation::Kind::kTanh});
  const Variable share = activation(tape_, (*place_)(hidden), {Activation::Kind::kSigmoid});
  const Array extent = tape_.kernels().zeros({2, 2});
  extent.data()[0] = static_cast<float>(grid_.rows);
  extent.data()[3] = static_cast<float>(grid_.cols);
  const Variable places = linear(tape_, share, tape_.constant(extent), {});
  if (config_.heads == 1) return places;
  std::vector<int> row_of_head;
  for (std::int64_t i = 0; i < rows * config_.heads; ++i) row_of_head.push_back(static_cast<int>(i / config_.heads));
  return gather_rows(tape_, places, std::move(row_of_head));
}

/// The softmax within windows around `places` [rows, 2], times a Gaussian.
Variable DecoderAttention::windowed(const Piece& query, const Variable& places) {
  const Array mask = tape_.kernels().take({places.dim(0), grid_.cells()});
  dnn::window_mask(places.value(), window(), mask, tape_.kernels().threads());
  return gaussian_window(tape_, (*scores_)(query, places.dim(0), mask), places, window());
}

/// A cell a row, drawn from its alphas; −1 where the row takes the mean.
std::vector<int> DecoderAttention::draw(const Variable& alphas) {
  const std::uint64_t step_seed = mixed(hard_.seed, cells_.size());
  const std::int64_t count = alphas.dim(1);
  std::vector<int> cells;
  for (std::int64_t row = 0; row < alphas.dim(0); ++row) {
    if (expects_[static_cast<std::size_t>(row / config_.heads)] != 0) {
      cells.push_back(-1);
      continue;
    }
    const float* alpha = alphas.value().data() + row * count;
    double left = Random(mixed(step_seed, static_cast<std::uint64_t>(row))).uniform();
    int cell = 0;
    while (cell + 1 < count && left >= static_cast<double>(alpha[cell])) left -= static_cast<double>(alpha[cell++]);
    cells.push_back(cell);
  }
  return cells;
}

Variable DecoderAttention::loss(std::span<const float> advantages, std::span<const float> shares,
                                double entropy_weight) {
  std::vector<std::pair<double, Variable>> terms;
  for (std::size_t t = 0; t < cells_.size(); ++t) {
    std::vector<float> row_advantages;
    std::vector<float> row_shares;
    for (std::size_t i = 0; i < cells_[t].size(); ++i) {
      const std::size_t row = i / static_cast<std::size_t>(config_.heads);
      row_advantages.push_back(advantages[row]);
      row_shares.push_back(expects_[row] != 0 ? 0 : shares[row]);
    }
    terms.emplace_back(-1, log_of_chosen(tape_, alphas_[t], cells_[t], row_advantages));
    terms.emplace_back(-entropy_weight, entropy(tape_, alphas_[t], row_shares));
  }
  return terms.empty() ? Variable() : weighted_sum(tape_, terms);
}

}  // namespace glimpse::train
