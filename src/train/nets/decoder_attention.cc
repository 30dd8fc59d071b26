#include "train/nets/decoder_attention.h"

#include <algorithm>
#include <cmath>
#include <functional>
#include <limits>
#include <numeric>
#include <ranges>
#include <utility>

#include "autograd/channel_ops.h"
#include "autograd/losses.h"
#include "autograd/map_ops.h"
#include "autograd/row_ops.h"
#include "core/seed.h"

namespace glimpse::train {
namespace {

using Channels = DecoderConfig::Channels;
using Score = DecoderConfig::Score;
using Selector = DecoderConfig::Selector;
using dnn::Activation;
using dnn::Array;

dnn::ScoreFunction score_function(Score score) {
  if (score == Score::kAdditiveTanh) return dnn::ScoreFunction::kTanh;
  return score == Score::kAdditiveRelu ? dnn::ScoreFunction::kRelu : dnn::ScoreFunction::kDot;
}

Variable constant(Tape& tape, float value) {
  const Array array = tape.kernels().take({1, 1});
  array.data()[0] = value;
  return tape.constant(array);
}

}  // namespace

bool is_additive(Score score) { return score == Score::kAdditiveTanh || score == Score::kAdditiveRelu; }

DecoderAttention::DecoderAttention(const DecoderConfig& config, ParameterSet& parameters, Tape& tape, Grid grid,
                                   Variable memory, dnn::RowsOfImages rows, std::span<const float> masks,
                                   const HardOptions& hard)
    : config_(config), parameters_(parameters), tape_(tape), grid_(grid), hard_(hard), memory_(std::move(memory)) {
  gaze_ = {grid_.cells(), std::move(rows)};
  std::vector<int> images;
  for (std::size_t image = 0; image < gaze_.rows.size(); ++image) {
    const bool expects = Random(mixed(hard_.seed, ~image)).uniform() < hard_.expectation;
    for (const int row : gaze_.rows[image]) {
      const auto at = static_cast<std::size_t>(row);
      if (images.size() <= at) {
        images.resize(at + 1);
        expects_.resize(at + 1);
      }
      images[at] = static_cast<int>(image);
      expects_[at] = expects ? 1 : 0;
    }
  }
  means_ = mean_of_images(masks);
  if (!masks.empty()) mask_ = mask_of_rows(masks, images);
  const Variable weight = parameter("key.weight");
  key_size_ = weight.dim(0);
  if (config_.selector == Selector::kLocal) place_.emplace(tape_, parameter("place.weight"), parameter("place.bias"));
  if (config_.channels == Channels::kElement) {
    elements_ = linear(tape_, memory_, parameter("element.key.weight"), parameter("element.key.bias"));
    if (config_.heads > 1) elements_ = split_heads(tape_, elements_, gaze_.cells, config_.heads);
  }
  if (!has_channels_first()) {
    look_at(memory_, linear(tape_, memory_, weight, parameter("key.bias")), gaze_);
    return;
  }
  keys_.emplace(tape_, weight, parameter("key.bias"));
  means_of_rows_ = gather_rows(tape_, means_, std::move(images));
}

Variable DecoderAttention::mean_of_images(std::span<const float> masks) {
  const std::int64_t images = std::ssize(gaze_.rows);
  if (masks.empty()) return mean_of_cells(tape_, reshape(tape_, memory_, {images, gaze_.cells, memory_.dim(1)}));
  const Array shares = tape_.kernels().take({images, gaze_.cells});
  Gaze own = {gaze_.cells, {}};
  for (std::int64_t image = 0; image < images; ++image) {
    const std::span<const float> mask =
        masks.subspan(static_cast<std::size_t>(image * gaze_.cells), static_cast<std::size_t>(gaze_.cells));
    const float total = std::accumulate(mask.begin(), mask.end(), 0.0F);
    std::ranges::transform(mask, shares.data() + image * gaze_.cells, [&](float weight) { return weight / total; });
    own.rows.push_back({static_cast<int>(image)});
  }
  return RepeatedRead(tape_, memory_, std::move(own))(tape_.constant(shares));
}

/// Each caption's image's, once for every head.
Array DecoderAttention::mask_of_rows(std::span<const float> masks, std::span<const int> images) const {
  Array result = tape_.kernels().take({std::ssize(images) * config_.heads, gaze_.cells});
  float* to = result.data();
  for (const int image : images) {
    const std::span<const float> mask =
        masks.subspan(static_cast<std::size_t>(image * gaze_.cells), static_cast<std::size_t>(gaze_.cells));
    for (int head = 0; head < config_.heads; ++head) to = std::ranges::copy(mask, to).out;
  }
  return result;
}

/// Makes memory [images · cells, D'] with its keys what `select` and `read` look at.
void DecoderAttention::look_at(const Variable& memory, const Variable& keys, const Gaze& gaze) {
  const std::int64_t heads = config_.heads;
  Variable seen = memory;
  Variable known = keys;
  if (heads > 1) {
    known = split_heads(tape_, known, gaze.cells, heads);
    seen = split_heads(tape_, seen, gaze.cells, heads);
  }
  if (config_.score == Score::kCosine) known = unit_rows(tape_, known);
  if (config_.score == Score::kScaledDot) {
    known = scaled(tape_, known, constant(tape_, 1 / std::sqrt(static_cast<float>(known.dim(1)))));
  }
  Variable weight;
  if (is_additive(config_.score)) weight = reshape(tape_, parameter("score.weight"), {heads, key_size_ / heads});
  seen_ = seen;
  seen_by_ = heads > 1 ? split_heads(gaze, heads) : gaze;
  scores_.emplace(tape_, score_function(config_.score), known, weight, seen_by_);
  read_.emplace(tape_, seen, seen_by_);
}

std::vector<std::string> DecoderAttention::hidden_layers(const DecoderConfig& config) {
  std::vector<std::string> layers = {"query"};
  if (config.selector == Selector::kLocal) layers.emplace_back("place_hidden");
  if (config.channels == Channels::kElement) {
    layers.emplace_back("element.query");
  } else if (config.channels != Channels::kNone) {
    layers.emplace_back("channel.query");
  }
  return layers;
}

/// Where in `sums` stands what `layer` gives, one of the last of hidden_layers.
Piece DecoderAttention::asked(const Variable& sums, const std::string& layer) {
  std::int64_t column = sums.dim(1);
  const std::vector<std::string> layers = hidden_layers(config_);
  for (const std::string& name : std::views::reverse(layers)) {
    column -= parameters_.at(name + ".weight").value.dim(0);
    if (name == layer) break;
  }
  return {sums, {0, column}};
}

Variable DecoderAttention::look(const Variable& sums, std::int64_t rows) {
  if (has_channels_first()) {
    const Variable weights = channel_weights(first_rows(tape_, means_of_rows_, rows), sums);
    const Variable memory = scale_channels(tape_, memory_, weights, gaze_);
    Gaze own = {gaze_.cells, {}};  // every row looks at cells of its own
    for (int row = 0; row < rows; ++row) own.rows.push_back({row});
    look_at(memory, (*keys_)(memory), own);
  }
  const Piece question = query(sums, rows);
  Variable weights = select(question, sums, rows);
  alphas_.push_back(weights);
  if (config_.is_hard()) {
    cells_.push_back(draw(weights));
    weights = chosen_weights(question, weights);
  }
  Variable context = read(weights, sums, rows);
  if (config_.channels != Channels::kSpatialChannel) return context;
  return multiply(tape_, context, channel_weights(context, sums));
}

/// The weights of each row's channels that one number each is known of, values [rows, D']: their mean is 1, see
/// attention::ChannelAttention.
Variable DecoderAttention::channel_weights(const Variable& values, const Variable& sums) {
  const Variable scores = channel_scores(tape_, values, asked(sums, "channel.query"), parameter("channel.key.weight"),
                                         parameter("channel.score.weight"));
  return scaled(tape_, softmax(tape_, scores), constant(tape_, static_cast<float>(values.dim(1))));
}

Variable DecoderAttention::select(const Piece& query, const Variable& sums, std::int64_t rows) {
  if (config_.selector == Selector::kLocal) return windowed(query, predicted_places(sums, rows));
  return (*scores_)(query, rows * config_.heads, mask_);
}

/// What hard attention reads with, of the cells that were drawn last.
Variable DecoderAttention::chosen_weights(const Piece& query, const Variable& alphas) {
  const std::vector<int>& cells = cells_.back();
  if (config_.selector == Selector::kHard) return chosen(tape_, alphas, cells);
  constexpr float kNowhere = std::numeric_limits<float>::quiet_NaN();
  const Array places = tape_.kernels().take({std::ssize(cells), 2});
  float* to = places.data();
  for (const int cell : cells) {
    const dnn::Place place = cell < 0 ? dnn::Place{kNowhere, kNowhere} : dnn::Place::middle_of(cell, window());
    *to++ = place.row;
    *to++ = place.col;
  }
  return windowed(query, tape_.constant(places));
}

/// What the rows see with those weights of cells, [rows, D'].
Variable DecoderAttention::read(const Variable& weights, const Variable& sums, std::int64_t rows) {
  const std::int64_t size = memory_.dim(1);
  if (!elements_) return reshape(tape_, (*read_)(weights), {rows, size});
  const std::int64_t heads = config_.heads;
  const Piece piece = asked(sums, "element.query");
  const Variable query =
      reshape(tape_, slice_columns(tape_, sums, piece.corner.col, size), {rows * heads, size / heads});
  return reshape(tape_, element_read(tape_, seen_, elements_, weights, query, seen_by_), {rows, size});
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
  const std::int64_t from = asked(sums, "place_hidden").corner.col;
  const Variable hidden = activation(tape_, slice_columns(tape_, sums, from, size), {Activation::Kind::kTanh});
  const Variable share = activation(tape_, (*place_)(hidden), {Activation::Kind::kSigmoid});
  const Array extent = tape_.kernels().zeros({2, 2});
  extent.data()[0] = static_cast<float>(grid_.rows);
  extent.data()[3] = static_cast<float>(grid_.cols);
  Variable places = linear(tape_, share, tape_.constant(extent), {});
  if (config_.heads == 1) return places;
  std::vector<int> row_of_head;
  for (std::int64_t i = 0; i < rows * config_.heads; ++i) row_of_head.push_back(static_cast<int>(i / config_.heads));
  return gather_rows(tape_, places, std::move(row_of_head));
}

/// The softmax within windows around `places` [rows, 2], times a Gaussian.
Variable DecoderAttention::windowed(const Piece& query, const Variable& places) {
  const Array mask = tape_.kernels().take({places.dim(0), grid_.cells()});
  dnn::window_mask(places.value(), window(), mask, tape_.kernels().threads());
  if (mask_) {
    for (std::int64_t row = 0; row < mask.dim(0); ++row) {
      const std::span<float> seen(mask.data() + row * mask.dim(1), static_cast<std::size_t>(gaze_.cells));
      const float* counts = mask_.data() + row * mask.dim(1);
      // A window at which nothing counts shows what it has.
      if (std::inner_product(seen.begin(), seen.end(), counts, 0.0F) == 0) continue;
      std::ranges::transform(seen, std::span(counts, seen.size()), seen.begin(), std::multiplies());
    }
  }
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
