#include "train/nets/decoder_network.h"

#include <algorithm>
#include <cmath>
#include <numeric>
#include <optional>
#include <string>
#include <utility>

#include "autograd/channel_ops.h"
#include "autograd/losses.h"
#include "autograd/map_ops.h"
#include "autograd/row_ops.h"
#include "autograd/step_ops.h"
#include "core/error.h"
#include "core/random.h"
#include "train/nets/decoder_attention.h"

namespace glimpse::train {
namespace {

using Config = DecoderConfig;
using dnn::Activation;

constexpr Activation kTanh = {Activation::Kind::kTanh};
constexpr Activation kRelu = {Activation::Kind::kRelu};

/// Captions by falling length, so that those that are still running are the first rows, and their words step by step.
struct Batch {
  std::vector<int> images;          ///< a row
  std::vector<std::int64_t> alive;  ///< rows of each step
  std::vector<int> tokens;          ///< fed, all rows of a step after those of the one before
  CrossEntropyOptions targets;      ///< beside them
};

Batch arrange(std::span<const TrainingCaption> captions, const Config& config, const DecoderLossOptions& options) {
  if (captions.empty()) throw Error(ErrorCode::kUsage, "a training step without captions");
  std::vector<const TrainingCaption*> rows;
  for (const TrainingCaption& caption : captions) rows.push_back(&caption);
  std::ranges::stable_sort(rows, std::ranges::greater{}, [](const auto* caption) { return caption->words.size(); });
  Batch batch;
  batch.targets.smoothing = options.label_smoothing;
  batch.targets.temperature = options.temperature;
  batch.targets.left_out = options.left_out;
  for (const TrainingCaption* row : rows) batch.images.push_back(row->image);
  for (std::size_t t = 0; t <= rows.front()->words.size(); ++t) {
    std::int64_t alive = 0;
    for (const TrainingCaption* row : rows) {
      const std::vector<int>& words = row->words;
      if (t > words.size()) break;
      ++alive;
      batch.tokens.push_back(t == 0 ? config.start_id : words[t - 1]);
      batch.targets.ids.push_back(t == words.size() ? config.end_id : words[t]);
      batch.targets.weights.push_back(t == words.size() && !row->ended ? 0 : row->weight);
    }
    batch.alive.push_back(alive);
  }
  const auto share = 1.0F / static_cast<float>(options.per_caption ? captions.size() : batch.tokens.size());
  for (float& weight : batch.targets.weights) weight *= share;
  return batch;
}

dnn::RowsOfImages rows_of_images(const Batch& batch, std::int64_t images) {
  dnn::RowsOfImages rows(static_cast<std::size_t>(images));
  for (std::size_t row = 0; row < batch.images.size(); ++row) {
    const int image = batch.images[row];
    if (image < 0 || image >= images) {
      throw Error(ErrorCode::kUsage, "a caption of picture " + std::to_string(image) + " in a training step of " +
                                         std::to_string(images) + " pictures");
    }
    rows[static_cast<std::size_t>(image)].push_back(static_cast<int>(row));
  }
  return rows;
}

/// One training step: what its parts share.
class Teaching {
 public:
  Teaching(const Config& config, ParameterSet& parameters, Grid grid, Tape& tape, const DecoderLossOptions& options)
      : config_(config), parameters_(parameters), grid_(grid), tape_(tape), options_(options) {}

  DecoderLoss run(const Variable& features, std::span<const TrainingCaption> captions, std::span<const float> masks);

 private:
  Variable parameter(const std::string& name) { return tape_.parameter(parameters_.at(name)); }
  Variable layer(const std::string& name, const Variable& src) {
    return linear(tape_, src, parameter(name + ".weight"), parameter(name + ".bias"));
  }
  Variable dropped(const Variable& src, double rate, std::uint64_t which) {
    return dropout(tape_, src, rate, options_.seed * 3 + which);
  }
  std::int64_t hidden() { return parameters_.at("lstm.weight_hh").value.dim(1); }
  std::int64_t key_size() { return parameters_.at("query.weight").value.dim(0); }
  std::int64_t gate_size() {
    return config_.gate == Config::Gate::kNone ? 0 : parameters_.at("gate.weight").value.dim(0);
  }

  void see(const Variable& features, const Batch& batch, std::span<const float> masks);
  LstmState start(const Batch& batch);
  RepeatedLinear from_hidden();
  void unroll(const Batch& batch, LstmState state);
  Variable scores(const Variable& words, const Batch& batch);
  Variable past(const Variable& states, const Batch& batch);
  void learn_to_choose(const Batch& batch, const std::vector<double>& log_likelihoods, DecoderLoss& result);

  const Config& config_;
  ParameterSet& parameters_;
  Grid grid_;
  Tape& tape_;
  const DecoderLossOptions& options_;
  Variable memory_;                            ///< [images · L, D']; none without pictures
  std::optional<DecoderAttention> attention_;  ///< none without pictures
  Variable word_gates_;                        ///< [words, 4n], the words' part of the LSTM's sums
  Variable context_weight_;                    ///< [4n, D']
  std::vector<Variable> hiddens_;              ///< a step
  std::vector<Variable> contexts_;
};

/// Memory and keys, once for all captions of a picture.
void Teaching::see(const Variable& features, const Batch& batch, std::span<const float> masks) {
  const std::int64_t images = features.dim(0);
  const std::int64_t cells = features.dim(1);
  memory_ = reshape(tape_, features, {images * cells, features.dim(2)});
  if (config_.feature_projection == Config::FeatureProjection::kRelu) {
    memory_ = activation_in_place(tape_, layer("feature", memory_), kRelu);
  }
  memory_ = dropped(memory_, options_.feature_dropout, 0);
  attention_.emplace(config_, parameters_, tape_, grid_, memory_, rows_of_images(batch, images), masks,
                     HardOptions{options_.seed, options_.hard_expectation});
}

/// h and c in front of the first word, a row a caption.
LstmState Teaching::start(const Batch& batch) {
  if (!memory_) {
    const auto rows = static_cast<std::int64_t>(batch.images.size());
    const Variable zeros = tape_.constant(tape_.kernels().zeros({rows, hidden()}));
    return {zeros, zeros};
  }
  Variable mean = attention_->means();
  if (config_.init == Config::Init::kTwoLayer) mean = activation(tape_, layer("init", mean), kRelu);
  LstmState state = {layer("init_h", mean), layer("init_c", mean)};
  if (config_.init != Config::Init::kLinear) {
    state = {activation(tape_, state.h, kTanh), activation(tape_, state.c, kTanh)};
  }
  return {gather_rows(tape_, state.h, batch.images), gather_rows(tape_, state.c, batch.images)};
}

/// h[t−1] → [query; LSTM's sums; gate; what else attention wants of it] as one product; the LSTM's alone without
/// pictures.
RepeatedLinear Teaching::from_hidden() {
  const Variable lstm = parameter("lstm.weight_hh");
  if (!memory_) return {tape_, lstm, parameter("lstm.bias")};
  std::vector<Variable> weights;
  std::vector<Variable> biases;
  const auto take = [&](const std::string& name) {
    weights.push_back(parameter(name + ".weight"));
    const bool biased = parameters_.contains(name + ".bias");
    biases.push_back(biased ? parameter(name + ".bias")
                            : tape_.constant(tape_.kernels().zeros({weights.back().dim(0)})));
  };
  const std::vector<std::string> looks = DecoderAttention::hidden_layers(config_);
  take(looks.front());
  weights.push_back(lstm);
  biases.push_back(parameter("lstm.bias"));
  if (gate_size() > 0) take("gate");
  for (const std::string& name : std::span(looks).subspan(1)) take(name);
  return {tape_, concat_rows(tape_, weights), concat_rows(tape_, biases)};
}

void Teaching::unroll(const Batch& batch, LstmState state) {
  const RepeatedLinear hidden_layer = from_hidden();
  std::optional<RepeatedLinear> context_layer;
  if (memory_) context_layer.emplace(tape_, context_weight_, Variable());
  const std::int64_t gates_at = memory_ ? key_size() : 0;
  std::int64_t word = 0;
  for (const std::int64_t rows : batch.alive) {
    const Variable sums = hidden_layer(first_rows(tape_, state.h, rows));
    std::vector<Piece> pieces = {{sums, {0, gates_at}}, {word_gates_, {word, 0}}};
    if (memory_) {
      Variable context = attention_->look(sums, rows);
      if (gate_size() > 0) context = gated(tape_, context, {sums, {0, gates_at + 4 * hidden()}}, gate_size());
      pieces.push_back({(*context_layer)(context)});
      contexts_.push_back(context);
    }
    state = lstm_cell(tape_, pieces, state.c, rows);
    hiddens_.push_back(state.h);
    word += rows;
  }
}

/// What the deep output reads of the states that each caption has been through: states [words, n] → [words, E].
Variable Teaching::past(const Variable& states, const Batch& batch) {
  Past past;
  past.states = states;
  past.keys = layer("history.key", states);
  past.queries = linear(tape_, states, parameter("history.query.weight"), {});
  past.weight = parameter("history.score.weight");
  return linear(tape_, past_attention(tape_, past, batch.alive), parameter("deep.r.weight"), {});
}

/// The words' logits of all steps; `words` are the embeddings that were fed.
Variable Teaching::scores(const Variable& words, const Batch& batch) {
  const Variable states = concat_rows(tape_, hiddens_);
  Variable last = states;
  if (config_.output != Config::Output::kPlain) {
    last = linear(tape_, states, parameter("deep.h.weight"), parameter("deep.bias"));
    last = add(tape_, last, linear(tape_, words, parameter("deep.e.weight"), {}));
    if (memory_) last = add(tape_, last, linear(tape_, concat_rows(tape_, contexts_), parameter("deep.z.weight"), {}));
    if (config_.history != Config::History::kNone) last = add(tape_, last, past(states, batch));
    if (config_.output == Config::Output::kDeepTanh) last = activation_in_place(tape_, last, kTanh);
  }
  return layer("output", dropped(last, options_.output_dropout, 2));
}

DecoderLoss Teaching::run(const Variable& features, std::span<const TrainingCaption> captions,
                          std::span<const float> masks) {
  const Batch batch = arrange(captions, config_, options_);
  if (features) see(features, batch, masks);
  const Variable words =
      dropped(gather_rows(tape_, parameter("embedding.weight"), batch.tokens), options_.embedding_dropout, 1);
  const Variable weight = parameter("lstm.weight_ih");
  word_gates_ = linear(tape_, words, slice_columns(tape_, weight, 0, words.dim(1)), {});
  if (features) context_weight_ = slice_columns(tape_, weight, words.dim(1), memory_.dim(1));
  unroll(batch, start(batch));

  const CrossEntropy entropy = cross_entropy(tape_, scores(words, batch), batch.targets);
  DecoderLoss result;
  result.words = static_cast<std::int64_t>(batch.tokens.size());
  const auto& likelihoods = entropy.log_likelihoods;
  result.cross_entropy =
      -std::accumulate(likelihoods.begin(), likelihoods.end(), 0.0) / static_cast<double>(result.words);
  result.loss = entropy.loss;
  if (!features) return result;
  const Variable rest = unseen(tape_, attention_->alphas());
  const auto count = static_cast<double>(captions.size()) * config_.heads;
  result.doubly_stochastic = static_cast<double>(rest.value().data()[0]) / count;
  if (options_.doubly_stochastic != 0) {
    result.loss = weighted_sum(tape_, {{1, result.loss}, {options_.doubly_stochastic / count, rest}});
  }
  if (config_.is_hard()) learn_to_choose(batch, likelihoods, result);
  return result;
}

/// Adds to the loss what makes cells that were drawn with good results more probable.
void Teaching::learn_to_choose(const Batch& batch, const std::vector<double>& log_likelihoods, DecoderLoss& result) {
  const std::size_t rows = batch.images.size();
  std::vector<double> sums(rows);
  std::vector<float> shares(rows);  // of a caption's words in the loss, all alike
  std::size_t word = 0;
  for (const std::int64_t alive : batch.alive) {
    for (std::size_t row = 0; row < static_cast<std::size_t>(alive); ++row, ++word) {
      sums[row] += log_likelihoods[word];
      shares[row] = std::max(shares[row], std::abs(batch.targets.weights[word]));
    }
  }
  float& baseline = parameters_.statistic(kHardBaseline).values()[0];
  std::vector<float> advantages(rows);
  for (std::size_t row = 0; row < rows; ++row) {
    advantages[row] =
        options_.reward == HardReward::kLikelihood
            ? shares[row] * static_cast<float>(options_.hard_rate * (sums[row] - static_cast<double>(baseline)))
            : batch.targets.weights[row];
  }
  if (options_.reward == HardReward::kLikelihood) {
    const double mean = std::accumulate(sums.begin(), sums.end(), 0.0) / static_cast<double>(rows);
    baseline = static_cast<float>(options_.hard_baseline_decay * static_cast<double>(baseline) +
                                  (1 - options_.hard_baseline_decay) * mean);
  }
  const Variable choices = attention_->loss(advantages, shares, options_.hard_entropy);
  result.loss = weighted_sum(tape_, {{1, result.loss}, {1, choices}});
}

}  // namespace

DecoderLoss DecoderNetwork::loss(Tape& tape, const Variable& features, std::span<const TrainingCaption> captions,
                                 const DecoderLossOptions& options, std::span<const float> masks) const {
  return Teaching(config_, parameters_, grid_, tape, options).run(features, captions, masks);
}

DecoderLoss DecoderNetwork::language_loss(Tape& tape, std::span<const TrainingCaption> captions,
                                          const DecoderLossOptions& options) const {
  return Teaching(config_, parameters_, grid_, tape, options).run({}, captions, {});
}

}  // namespace glimpse::train
