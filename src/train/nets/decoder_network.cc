#include "train/nets/decoder_network.h"

#include <algorithm>
#include <cmath>
#include <numeric>
#include <string>
#include <utility>

#include "autograd/attention_ops.h"
#include "autograd/channel_ops.h"
#include "autograd/losses.h"
#include "autograd/map_ops.h"
#include "autograd/row_ops.h"
#include "autograd/step_ops.h"
#include "core/error.h"
#include "core/random.h"
#include "core/seed.h"
#include "train/nets/step_network.h"

namespace glimpse::train {
namespace {

using Config = DecoderConfig;

/// Captions by falling length, so that running captions are the first rows, and their words step by step.
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

/// Assigns captions to images and samples what is random for them.
ops::Lesson lesson_of(const Batch& batch, Grid grid, std::int64_t images, const DecoderLossOptions& options, Tape& tape,
                      ParameterSet& parameters) {
  ops::Lesson lesson{tape, parameters};
  lesson.grid_rows = grid.rows;
  lesson.grid_cols = grid.cols;
  lesson.images = images;
  lesson.alive = batch.alive;
  lesson.tokens = batch.tokens;
  lesson.dropout = {options.feature_dropout, options.embedding_dropout, options.output_dropout, options.seed};
  lesson.hard = {options.seed, options.hard_expectation};
  if (images == 0) return lesson;
  lesson.image_of_row = batch.images;
  lesson.gaze = {grid.cells(), rows_of_images(batch, images)};
  lesson.expects.resize(batch.images.size());
  for (std::size_t image = 0; image < lesson.gaze.rows.size(); ++image) {
    const bool expects = Random(mixed(options.seed, ~image)).uniform() < options.hard_expectation;
    for (const int row : lesson.gaze.rows[image]) lesson.expects[static_cast<std::size_t>(row)] = expects ? 1 : 0;
  }
  return lesson;
}

/// −Σ advantages · log α of the cells that were drawn − entropy_weight · Σ shares · H(α), over steps, rows and heads
/// (Xu et al. 2015, section 4.1).
Variable loss_of_choices(const ops::Lesson& lesson, std::span<const float> advantages, std::span<const float> shares,
                         double entropy_weight) {
  std::vector<std::pair<double, Variable>> terms;
  for (std::size_t t = 0; t < lesson.cells.size(); ++t) {
    std::vector<float> row_advantages;
    std::vector<float> row_shares;
    for (std::size_t i = 0; i < lesson.cells[t].size(); ++i) {
      const std::size_t row = i / static_cast<std::size_t>(lesson.heads);
      row_advantages.push_back(advantages[row]);
      row_shares.push_back(lesson.expects[row] != 0 ? 0 : shares[row]);
    }
    terms.emplace_back(-1, log_of_chosen(lesson.tape, lesson.alphas[t], lesson.cells[t], row_advantages));
    terms.emplace_back(-entropy_weight, entropy(lesson.tape, lesson.alphas[t], row_shares));
  }
  return weighted_sum(lesson.tape, terms);
}

/// Adds hard attention's REINFORCE term to the loss.
void learn_to_choose(const ops::Lesson& lesson, const Batch& batch, const DecoderLossOptions& options,
                     const std::vector<double>& log_likelihoods, DecoderLoss& result) {
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
  float& baseline = lesson.parameters.statistic(kHardBaseline).values()[0];
  std::vector<float> advantages(rows);
  for (std::size_t row = 0; row < rows; ++row) {
    advantages[row] =
        options.reward == HardReward::kLikelihood
            ? shares[row] * static_cast<float>(options.hard_rate * (sums[row] - static_cast<double>(baseline)))
            : batch.targets.weights[row];
  }
  if (options.reward == HardReward::kLikelihood) {
    const double mean = std::accumulate(sums.begin(), sums.end(), 0.0) / static_cast<double>(rows);
    baseline = static_cast<float>(options.hard_baseline_decay * static_cast<double>(baseline) +
                                  (1 - options.hard_baseline_decay) * mean);
  }
  const Variable choices = loss_of_choices(lesson, advantages, shares, options.hard_entropy);
  result.loss = weighted_sum(lesson.tape, {{1, result.loss}, {1, choices}});
}

DecoderLoss teach(const net::StepGraph& graph, const Batch& batch, const DecoderLossOptions& options,
                  ops::Lesson& lesson, const Variable& features) {
  const CrossEntropy entropy = cross_entropy(lesson.tape, teach_step(graph, lesson, features), batch.targets);
  DecoderLoss result;
  result.words = static_cast<std::int64_t>(batch.tokens.size());
  const auto& likelihoods = entropy.log_likelihoods;
  result.cross_entropy =
      -std::accumulate(likelihoods.begin(), likelihoods.end(), 0.0) / static_cast<double>(result.words);
  result.loss = entropy.loss;
  if (lesson.alphas.empty()) return result;
  const Variable rest = unseen(lesson.tape, lesson.alphas);
  const auto count = static_cast<double>(batch.images.size() * static_cast<std::size_t>(lesson.heads));
  result.doubly_stochastic = static_cast<double>(rest.value().data()[0]) / count;
  if (options.doubly_stochastic != 0) {
    result.loss = weighted_sum(lesson.tape, {{1, result.loss}, {options.doubly_stochastic / count, rest}});
  }
  if (!lesson.cells.empty()) learn_to_choose(lesson, batch, options, likelihoods, result);
  return result;
}

}  // namespace

const net::StepGraph& DecoderNetwork::graph() const {
  if (graph_ == nullptr) {
    const auto shape_of = [this](std::string_view name) {
      return parameters_.contains(name) ? &parameters_.at(name).value.shape() : nullptr;
    };
    const DecoderSizes sizes = read_sizes(config_, "the decoder's parameters", shape_of);
    graph_ = std::make_shared<const net::StepGraph>(decoder_graph(config_, sizes));
  }
  return *graph_;
}

DecoderLoss DecoderNetwork::loss(Tape& tape, const Variable& features, std::span<const TrainingCaption> captions,
                                 const DecoderLossOptions& options, std::span<const float> masks) const {
  const Batch batch = arrange(captions, config_, options);
  const std::int64_t images = features.dim(0);
  ops::Lesson lesson = lesson_of(batch, grid_, images, options, tape, parameters_);
  lesson.masks = masks;
  return teach(graph(), batch, options, lesson, reshape(tape, features, {images * features.dim(1), features.dim(2)}));
}

DecoderLoss DecoderNetwork::language_loss(Tape& tape, std::span<const TrainingCaption> captions,
                                          const DecoderLossOptions& options) const {
  const Batch batch = arrange(captions, config_, options);
  ops::Lesson lesson = lesson_of(batch, grid_, 0, options, tape, parameters_);
  return teach(graph(), batch, options, lesson, {});
}

}  // namespace glimpse::train
