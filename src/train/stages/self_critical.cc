#include "train/stages/self_critical.h"

#include <numeric>
#include <utility>

#include "core/random.h"
#include "decoder/decoder.h"

namespace glimpse::train {
namespace {

/// The captions of all pictures as the reward sees them: the end is a word.
std::vector<metrics::References> references_of(const PictureStageInput& input) {
  std::vector<metrics::References> references;
  for (const TrainingPicture& picture : input.pictures) {
    metrics::References& of_one = references.emplace_back(picture.captions);
    for (metrics::Sentence& sentence : of_one) sentence.push_back(input.config.decoder.end_id);
  }
  return references;
}

/// Captions of the pictures that `features` [images, L, D] are the maps of; masks: see DecoderSession::prepare.
Hypotheses say(const Decoder& decoder, const dnn::Array& features, std::span<const float> masks,
               const search::SearchOptions& options) {
  const auto images = static_cast<int>(features.dim(0));
  DecoderSession session(decoder, images, search::rows_needed(options));
  session.prepare(features.values(), images, masks);
  return search::search(session, options);
}

double mean(std::span<const double> values) {
  return std::accumulate(values.begin(), values.end(), 0.0) / static_cast<double>(values.size());
}

}  // namespace

std::vector<double> advantages(std::span<const double> rewards, std::size_t per_picture,
                               std::span<const double> greedy) {
  std::vector<double> result;
  for (std::size_t first = 0; first < rewards.size(); first += per_picture) {
    const std::span<const double> own = rewards.subspan(first, per_picture);
    const double sum = std::accumulate(own.begin(), own.end(), 0.0);
    for (const double reward : own) {
      const double others = greedy.empty() ? (sum - reward) / static_cast<double>(per_picture - 1) : 0;
      result.push_back(reward - (greedy.empty() ? others : greedy[first / per_picture]));
    }
  }
  return result;
}

SelfCritical::SelfCritical(const SelfCriticalInput& input, ParameterSet& parameters, dnn::Kernels& kernels,
                           Observer& observer)
    : PictureStage(input, parameters, kernels, observer),
      samples_(input.samples),
      temperature_(input.temperature),
      baseline_(input.baseline),
      max_words_(input.max_words),
      cider_(references_of(input)) {}

search::SearchOptions SelfCritical::sampling(std::size_t images) const {
  search::SearchOptions options = greedy();
  options.top = samples_;
  options.sampling = search::SamplingOptions{temperature_};
  Random seeds(step_seed(Purpose::kSamples));
  while (options.image_seeds.size() < images) options.image_seeds.push_back(seeds.next());
  return options;
}

search::SearchOptions SelfCritical::greedy() const {
  search::SearchOptions options;
  options.beam = 1;
  options.max_words = max_words_;
  options.min_words = 0;
  options.no_repeat_ngram = 0;
  return options;
}

std::vector<double> SelfCritical::rewards(const Hypotheses& captions, const std::vector<std::size_t>& owner) const {
  std::vector<double> result;
  for (std::size_t image = 0; image < owner.size(); ++image) {
    for (const search::Hypothesis& caption : captions[image]) {
      metrics::Sentence sentence = caption.words;
      if (caption.ended) sentence.push_back(input().config.decoder.end_id);
      result.push_back(cider_.score(owner[image], sentence));
    }
  }
  return result;
}

PictureStage::StepLoss SelfCritical::step_loss(Tape& tape, const Maps& maps) {
  const ModelConfig& config = input().config;
  const Decoder current(config.decoder, decoder_weights(), config.grid(), static_cast<int>(config.vocabulary.size()));
  const dnn::Array& features = maps.features.value();
  const Hypotheses drawn = say(current, features, maps.masks, sampling(maps.owner.size()));
  const std::vector<double> reached = rewards(drawn, maps.owner);
  std::vector<double> of_greedy;
  if (baseline_ == ScstStage::Baseline::kGreedy)
    of_greedy = rewards(say(current, features, maps.masks, greedy()), maps.owner);
  const std::vector<double> gained = advantages(reached, static_cast<std::size_t>(samples_), of_greedy);

  std::vector<TrainingCaption> captions;
  double words = 0;
  for (std::size_t image = 0; image < drawn.size(); ++image) {
    for (const search::Hypothesis& caption : drawn[image]) {
      const auto advantage = static_cast<float>(gained[captions.size()]);
      captions.push_back({static_cast<int>(image), caption.words, advantage, caption.ended});
      words += static_cast<double>(caption.words.size());
    }
  }
  DecoderLossOptions options = loss_options(input().options, step_seed(Purpose::kDropout));
  options.label_smoothing = 0;
  options.temperature = static_cast<float>(temperature_);
  // Left out of the loss: words that are never sampled would gain probability, since no reward pushes them down.
  options.left_out = config.decoder.never_emit;
  options.per_caption = true;
  options.reward = HardReward::kWeight;
  const DecoderLoss loss = decoder().loss(tape, maps.features, captions, options, maps.masks);
  const double reward = mean(reached);
  return {loss.loss,
          {{"reward", reward},
           {"baseline", reward - mean(gained)},
           {"length", words / static_cast<double>(captions.size())}}};
}

}  // namespace glimpse::train
