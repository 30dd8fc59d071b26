#include "train/captioning.h"

#include <algorithm>
#include <cmath>
#include <numeric>
#include <utility>

#include "core/random.h"
#include "net/tensors.h"
#include "train/caption_validation.h"
#include "train/picture_batch.h"
#include "train/vocabulary_builder.h"

namespace glimpse::train {
namespace {

using dnn::Array;

/// A seed of its own for every step, and for every purpose in it.
std::uint64_t seed_of(std::uint64_t seed, std::int64_t step, std::uint64_t purpose) {
  return Random(seed + 0x9e3779b97f4a7c15ULL * static_cast<std::uint64_t>(step) + purpose).next();
}
constexpr std::uint64_t kOrder = 1;
constexpr std::uint64_t kMirror = 2;
constexpr std::uint64_t kDropout = 3;
constexpr std::uint64_t kChoice = 4;

/// The numbers below `count` in the order of epoch `epoch`.
std::vector<std::size_t> shuffled(std::size_t count, std::uint64_t seed, std::int64_t epoch) {
  std::vector<std::size_t> order(count);
  std::iota(order.begin(), order.end(), std::size_t{0});
  Random random(seed_of(seed, epoch, kOrder));
  for (std::size_t i = count; i > 1; --i) std::swap(order[i - 1], order[random.below(i)]);
  return order;
}

std::int64_t batches(std::size_t count, std::int64_t batch) {
  return (static_cast<std::int64_t>(count) + batch - 1) / batch;
}

/// The places of one step in its epoch's order.
std::vector<std::size_t> places_of(std::size_t count, std::int64_t batch, std::int64_t step, std::uint64_t seed) {
  const std::int64_t steps = batches(count, batch);
  const std::vector<std::size_t> order = shuffled(count, seed, step / steps);
  const auto first = static_cast<std::size_t>(step % steps * batch);
  const std::size_t last = std::min(count, first + static_cast<std::size_t>(batch));
  return {order.begin() + static_cast<std::ptrdiff_t>(first), order.begin() + static_cast<std::ptrdiff_t>(last)};
}

DecoderLossOptions loss_options(const DecoderStage& options, std::uint64_t seed) {
  DecoderLossOptions result;
  result.feature_dropout = options.dropout_features;
  result.embedding_dropout = options.dropout_embedding;
  result.output_dropout = options.dropout_output;
  result.label_smoothing = static_cast<float>(options.label_smoothing);
  result.doubly_stochastic = options.doubly_stochastic;
  result.seed = seed;
  return result;
}

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

Captioning::Captioning(CaptioningInput input, ParameterSet& parameters, dnn::Kernels& kernels, Observer& observer)
    : input_(std::move(input)),
      parameters_(parameters),
      kernels_(kernels),
      encoder_(input_.encoder, parameters),
      encoder_tensors_(tensor_names(input_.encoder, input_.config.input)),
      decoder_(input_.config.decoder, parameters) {
  if (input_.cache.empty()) {
    seek(0);
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

bool Captioning::is_encoders(const std::string& name) const {
  return std::ranges::binary_search(encoder_tensors_, name);
}

std::map<std::string, double> Captioning::rate_scales() const {
  std::map<std::string, double> scales;
  if (!input_.tune_encoder) return scales;
  const double factor = input_.encoder_learning_rate / input_.options.learning_rate;
  for (const std::string& name : encoder_tensors_) scales.emplace(name, factor);
  return scales;
}

std::int64_t Captioning::steps_per_epoch() const {
  return cache_ ? batches(readable_.size(), input_.options.batch) : loader_->batches_per_epoch();
}

void Captioning::seek(std::int64_t step) {
  step_ = step;
  if (cache_) return;
  LoaderOptions options;
  options.batch = input_.options.batch;
  options.width = input_.config.input.width;
  options.height = input_.config.input.height;
  options.augment = input_.options.augment;
  options.seed = input_.seed;
  const std::int64_t steps = batches(input_.pictures.size(), options.batch);
  loader_.emplace(files_of(input_.pictures), options, static_cast<int>(step / steps), step % steps);
}

Captioning::Maps Captioning::cached_maps(Tape& tape) {
  Maps maps;
  for (const std::size_t place : places_of(readable_.size(), input_.options.batch, step_, input_.seed)) {
    maps.owner.push_back(readable_[place]);
  }
  const Array features =
      kernels_.take({static_cast<std::int64_t>(maps.owner.size()), cache_->cells(), cache_->channels()});
  Random random(seed_of(input_.seed, step_, kMirror));
  const std::int64_t size = cache_->cells() * cache_->channels();
  for (std::size_t i = 0; i < maps.owner.size(); ++i) {
    const bool mirrored = input_.options.augment.flip && random.below(2) == 1;
    cache_->read(maps.owner[i], mirrored, features.data() + static_cast<std::int64_t>(i) * size);
  }
  maps.features = tape.constant(features);
  return maps;
}

Captioning::Maps Captioning::live_maps(Tape& tape) {
  const Batch& batch = loader_->next();
  Maps maps;
  for (const LoadedPicture& picture : batch.pictures) maps.owner.push_back(picture.index);
  const bool by_batch = input_.tune_encoder && !input_.freeze_statistics;
  const Network::Mode mode{by_batch ? Statistics::kBatch : Statistics::kRunning, !input_.tune_encoder};
  maps.features = cells(tape, encoder_.forward(tape, picture_batch(tape, batch, input_.config.input), mode));
  return maps;
}

std::vector<TrainingCaption> Captioning::captions_of(const std::vector<std::size_t>& owner) const {
  std::vector<TrainingCaption> captions;
  Random random(seed_of(input_.seed, step_, kChoice));
  for (std::size_t image = 0; image < owner.size(); ++image) {
    std::vector<std::vector<int>> all = input_.pictures[owner[image]].captions;
    const std::size_t count = std::min(all.size(), static_cast<std::size_t>(input_.options.captions_per_photo));
    for (std::size_t i = 0; i < count; ++i) {
      if (count < all.size()) std::swap(all[i], all[i + random.below(all.size() - i)]);
      captions.push_back({static_cast<int>(image), std::move(all[i]), 1});
    }
  }
  return captions;
}

Stage::Step Captioning::step() {
  Tape tape(kernels_);
  const Maps maps = cache_ ? cached_maps(tape) : live_maps(tape);
  const DecoderLoss loss = decoder_.loss(tape, maps.features, captions_of(maps.owner),
                                         loss_options(input_.options, seed_of(input_.seed, step_, kDropout)));
  Step result;
  result.loss = loss.loss.value().data()[0];
  result.parts = {{"cross_entropy", loss.cross_entropy}, {"doubly_stochastic", loss.doubly_stochastic}};
  result.pictures = static_cast<std::int64_t>(maps.owner.size());
  tape.backward(loss.loss);
  ++step_;
  return result;
}

Measures Captioning::validate() {
  return score_captioner(input_.config, parameters_, input_.validation, kernels_.threads());
}

LanguageLearning::LanguageLearning(LanguageInput input, ParameterSet& parameters, dnn::Kernels& kernels)
    : input_(std::move(input)), parameters_(parameters), kernels_(kernels), decoder_(input_.decoder, parameters) {
  input_.options.epochs = input_.options.language_epochs;
}

std::int64_t LanguageLearning::batch() const {
  return static_cast<std::int64_t>(input_.options.batch) * input_.options.captions_per_photo;
}

std::int64_t LanguageLearning::steps_per_epoch() const { return batches(input_.sentences.size(), batch()); }

bool LanguageLearning::trains(const std::string& name) const {
  // What the language needs; all else starts as it was made.
  constexpr std::string_view kParts[] = {"embedding.", "lstm.", "deep.", "output."};
  return std::ranges::any_of(kParts, [&](std::string_view part) { return name.starts_with(part); });
}

Stage::Step LanguageLearning::step() {
  std::vector<TrainingCaption> sentences;
  for (const std::size_t place : places_of(input_.sentences.size(), batch(), step_, input_.seed)) {
    sentences.push_back({0, input_.sentences[place], 1});
  }
  Tape tape(kernels_);
  const DecoderLoss loss =
      decoder_.language_loss(tape, sentences, loss_options(input_.options, seed_of(input_.seed, step_, kDropout)));
  Step result;
  result.loss = loss.loss.value().data()[0];
  result.parts = {{"cross_entropy", loss.cross_entropy}};
  result.pictures = static_cast<std::int64_t>(sentences.size());
  tape.backward(loss.loss);
  ++step_;
  return result;
}

Measures LanguageLearning::validate() {
  double sum = 0;
  double words = 0;
  for (std::size_t from = 0; from < input_.validation.size(); from += static_cast<std::size_t>(batch())) {
    const std::size_t to = std::min(input_.validation.size(), from + static_cast<std::size_t>(batch()));
    std::vector<TrainingCaption> sentences;
    for (std::size_t i = from; i < to; ++i) sentences.push_back({0, input_.validation[i], 1});
    Tape tape(kernels_);
    const DecoderLoss loss = decoder_.language_loss(tape, sentences, {});
    sum += loss.cross_entropy * static_cast<double>(loss.words);
    words += static_cast<double>(loss.words);
  }
  return {{"perplexity", std::exp(sum / words)}};
}

}  // namespace glimpse::train
