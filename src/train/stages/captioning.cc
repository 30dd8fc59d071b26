#include "train/stages/captioning.h"

#include <algorithm>
#include <cmath>
#include <utility>

#include "core/random.h"

namespace glimpse::train {
std::vector<TrainingCaption> Captioning::captions_of(const std::vector<std::size_t>& owner) const {
  std::vector<TrainingCaption> captions;
  Random random(step_seed(Purpose::kChoice));
  for (std::size_t image = 0; image < owner.size(); ++image) {
    std::vector<std::vector<int>> all = input().pictures[owner[image]].captions;
    const std::size_t count = std::min(all.size(), static_cast<std::size_t>(input().options.captions_per_photo));
    for (std::size_t i = 0; i < count; ++i) {
      if (count < all.size()) std::swap(all[i], all[i + random.below(all.size() - i)]);
      captions.push_back({static_cast<int>(image), std::move(all[i]), 1});
    }
  }
  return captions;
}

Captioning::StepLoss Captioning::step_loss(Tape& tape, const Maps& maps) {
  const DecoderLoss loss = decoder().loss(tape, maps.features, captions_of(maps.owner),
                                          loss_options(input().options, step_seed(Purpose::kDropout)), maps.masks);
  return {loss.loss, {{"cross_entropy", loss.cross_entropy}, {"doubly_stochastic", loss.doubly_stochastic}}};
}

LanguageLearning::LanguageLearning(LanguageInput input, ParameterSet& parameters, dnn::Kernels& kernels)
    : input_(std::move(input)), parameters_(parameters), kernels_(kernels), decoder_(input_.decoder, parameters, {}) {
  input_.options.epochs = input_.options.language_epochs;
}

std::int64_t LanguageLearning::batch() const {
  return static_cast<std::int64_t>(input_.options.batch) * input_.options.captions_per_photo;
}

std::int64_t LanguageLearning::steps_per_epoch() const { return batches(input_.sentences.size(), batch()); }

bool LanguageLearning::trains(const std::string& name) const {
  // What the language needs; all else starts as it was made.
  constexpr std::string_view kParts[] = {"embedding.", "lstm.", "history.", "deep.", "output."};
  return std::ranges::any_of(kParts, [&](std::string_view part) { return name.starts_with(part); });
}

Stage::Step LanguageLearning::step() {
  std::vector<TrainingCaption> sentences;
  for (const std::size_t place : places_of(input_.sentences.size(), batch(), step_, input_.seed)) {
    sentences.push_back({0, input_.sentences[place], 1});
  }
  Tape tape(kernels_);
  const DecoderLoss loss = decoder_.language_loss(
      tape, sentences, loss_options(input_.options, seed_of(input_.seed, step_, Purpose::kDropout)));
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
