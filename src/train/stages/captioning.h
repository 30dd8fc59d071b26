/// Teacher-forcing stages: the decoder alone on features of a frozen encoder (computed or cached), encoder and decoder
/// together, and language pretraining on text alone.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "train/nets/decoder_network.h"
#include "train/stages/picture_stage.h"

namespace glimpse::train {

/// By teacher forcing.
class Captioning : public PictureStage {
 public:
  using PictureStage::PictureStage;

  bool starts_trained() const override { return input().tune_encoder; }

 private:
  StepLoss step_loss(Tape& tape, const Maps& maps) override;
  std::vector<TrainingCaption> captions_of(const std::vector<std::size_t>& owner) const;
};

struct LanguageInput {
  CaptionStage options;  ///< its language_epochs are run
  DecoderConfig decoder;
  std::vector<std::vector<int>> sentences;  ///< ids, neither start nor end
  std::vector<std::vector<int>> validation;
  std::uint64_t seed = 1;
};

/// Language pretraining of the decoder on text alone: as many sentences a step as there would be captions.
class LanguageLearning : public Stage {
 public:
  LanguageLearning(LanguageInput input, ParameterSet& parameters, dnn::Kernels& kernels);

  std::string_view name() const override { return "language"; }
  const StageOptions& options() const override { return input_.options; }
  ParameterSet& parameters() override { return parameters_; }
  std::int64_t steps_per_epoch() const override;
  void seek(std::int64_t step) override { step_ = step; }
  Step step() override;
  Measures validate() override;  ///< "perplexity" of the validation captions
  double quality(const Measures& scores) const override { return -scores[0].second; }
  bool trains(const std::string& name) const override;

 private:
  std::int64_t batch() const;

  LanguageInput input_;
  ParameterSet& parameters_;
  dnn::Kernels& kernels_;
  DecoderNetwork decoder_;
  std::int64_t step_ = 0;
};

}  // namespace glimpse::train
