#include "train/stages/picture_stage.h"

#include <algorithm>
#include <utility>

#include "core/random.h"
#include "net/tensors.h"
#include "train/stages/caption_validation.h"
#include "train/stages/picture_batch.h"
#include "data/vocabulary_builder.h"

namespace glimpse::train {
namespace {

using dnn::Array;

std::vector<std::filesystem::path> files_of(const std::vector<TrainingPicture>& pictures) {
  std::vector<std::filesystem::path> files;
  for (const TrainingPicture& picture : pictures) files.push_back(picture.file);
  return files;
}

std::vector<std::string> tensor_names(const net::GraphSpec& graph, const Preprocess& input) {
  std::vector<std::string> names;
  for (const net::TensorSpec& spec : net::required_tensors(graph, {1, 3, input.height, input.width})) {
    names.push_back(spec.name);
  }
  std::ranges::sort(names);
  return names;
}

}  // namespace

DecoderLossOptions loss_options(const DecoderStage& options, std::uint64_t seed) {
  DecoderLossOptions result;
  result.feature_dropout = options.dropout_features;
  result.embedding_dropout = options.dropout_embedding;
  result.output_dropout = options.dropout_output;
  result.label_smoothing = static_cast<float>(options.label_smoothing);
  result.doubly_stochastic = options.doubly_stochastic;
  result.seed = seed;
  result.hard_rate = options.hard_rate;
  result.hard_entropy = options.hard_entropy;
  result.hard_expectation = options.hard_expectation;
  result.hard_baseline_decay = options.hard_baseline_decay;
  return result;
}

std::vector<TrainingPicture> encode_pictures(const std::vector<CaptionedPicture>& pictures,
                                             const Vocabulary& vocabulary, int max_words) {
  std::vector<TrainingPicture> result;
  for (const CaptionedPicture& picture : pictures) {
    TrainingPicture& encoded = result.emplace_back();
    encoded.file = picture.file;
    for (const std::vector<std::string>& words : picture.tokens) {
      encoded.captions.push_back(encode_caption(vocabulary, words, max_words));
      encoded.captions.back().pop_back();  // the end, which the decoder's loss adds itself
    }
  }
  return result;
}

PictureStage::PictureStage(PictureStageInput input, ParameterSet& parameters, dnn::Kernels& kernels, Observer& observer)
    : input_(std::move(input)),
      parameters_(parameters),
      kernels_(kernels),
      encoder_(input_.encoder, parameters),
      encoder_tensors_(tensor_names(input_.encoder, input_.config.input)),
      decoder_(input_.config.decoder, parameters, input_.config.grid()) {
  if (input_.cache.empty()) {
    PictureStage::seek(0);
    return;
  }
  FeatureCacheOptions cache;
  cache.folder = input_.cache;
  cache.graph = input_.encoder;
  cache.graph_text = input_.config.graph;
  cache.input = input_.config.input;
  cache.mirrored = input_.options.augment.flip;
  cache.threads = kernels.threads();
  cache_.emplace(cache, parameters, files_of(input_.pictures), observer);
  for (std::size_t i = 0; i < input_.pictures.size(); ++i) {
    if (cache_->readable(i)) readable_.push_back(i);
  }
}

bool PictureStage::is_encoders(const std::string& name) const {
  return std::ranges::binary_search(encoder_tensors_, name);
}

std::map<std::string, double> PictureStage::rate_scales() const {
  std::map<std::string, double> scales;
  if (!input_.tune_encoder) return scales;
  const double factor = input_.encoder_learning_rate / input_.options.learning_rate;
  for (const std::string& name : encoder_tensors_) scales.emplace(name, factor);
  return scales;
}

std::int64_t PictureStage::steps_per_epoch() const {
  return cache_ ? batches(readable_.size(), input_.options.batch) : loader_->batches_per_epoch();
}

void PictureStage::seek(std::int64_t step) {
  step_ = step;
  if (cache_) return;
  LoaderOptions options;
  options.batch = input_.options.batch;
  options.input = input_.config.input;
  options.augment = input_.options.augment;
  options.seed = input_.seed;
  const std::int64_t steps = batches(input_.pictures.size(), options.batch);
  loader_.emplace(files_of(input_.pictures), options, static_cast<int>(step / steps), step % steps);
}

PictureStage::Maps PictureStage::cached_maps(Tape& tape) {
  Maps maps;
  for (const std::size_t place : places_of(readable_.size(), input_.options.batch, step_, input_.seed)) {
    maps.owner.push_back(readable_[place]);
  }
  const Array features =
      kernels_.take({static_cast<std::int64_t>(maps.owner.size()), cache_->cells(), cache_->channels()});
  Random random(step_seed(Purpose::kMirror));
  const std::int64_t size = cache_->cells() * cache_->channels();
  for (std::size_t i = 0; i < maps.owner.size(); ++i) {
    const bool mirrored = input_.options.augment.flip && random.below(2) == 1;
    cache_->read(maps.owner[i], mirrored, features.data() + static_cast<std::int64_t>(i) * size);
    const auto [width, height] = cache_->size(maps.owner[i]);
    add_mask(input_.config.input, input_.config.grid(), width, height, mirrored, maps.masks);
  }
  maps.features = tape.constant(features);
  return maps;
}

PictureStage::Maps PictureStage::live_maps(Tape& tape) {
  const Batch& batch = loader_->next();
  Maps maps;
  for (const LoadedPicture& picture : batch.pictures) {
    maps.owner.push_back(picture.index);
    const Augmentation& seen = picture.augmentation;  // mirrored in its place: the padding stays where it is
    add_mask(input_.config.input, input_.config.grid(), seen.width, seen.height, false, maps.masks);
  }
  const bool by_batch = input_.tune_encoder && !input_.freeze_statistics;
  const Network::Mode mode{by_batch ? Statistics::kBatch : Statistics::kRunning, !input_.tune_encoder};
  maps.features = cells(tape, encoder_.forward(tape, picture_batch(tape, batch, input_.config.input), mode));
  return maps;
}

Weights PictureStage::decoder_weights() const {
  return snapshot(parameters_, [this](const std::string& name) { return !is_encoders(name); });
}

Stage::Step PictureStage::step() {
  Tape tape(kernels_);
  const Maps maps = cache_ ? cached_maps(tape) : live_maps(tape);
  StepLoss learnt = step_loss(tape, maps);
  Step result;
  result.loss = learnt.loss.value().data()[0];
  result.parts = std::move(learnt.parts);
  result.pictures = static_cast<std::int64_t>(maps.owner.size());
  tape.backward(learnt.loss);
  ++step_;
  return result;
}

Measures PictureStage::validate() {
  return score_captioner(input_.config, parameters_, input_.validation, kernels_.threads());
}

}  // namespace glimpse::train
