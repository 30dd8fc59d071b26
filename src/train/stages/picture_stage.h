/// Base of the stages that train on images. Encoder features come from a trained encoder, a frozen one, or a cache.
/// Also: validation.
#pragma once

#include <cstdint>
#include <filesystem>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "decoder/vocabulary.h"
#include "data/captioned_set.h"
#include "train/nets/decoder_network.h"
#include "train/stages/epochs.h"
#include "train/stages/feature_cache.h"
#include "data/loader.h"
#include "train/nets/network.h"
#include "train/stages/stage.h"

namespace glimpse::train {

/// A picture with its captions as ids, neither start nor end.
struct TrainingPicture {
  std::filesystem::path file;
  std::vector<std::vector<int>> captions;
};

/// Captions as ids of `vocabulary`, cut at `max_words`.
std::vector<TrainingPicture> encode_pictures(const std::vector<CaptionedPicture>& pictures,
                                             const Vocabulary& vocabulary, int max_words);

/// The loss that a stage's options ask for; `seed` is the dropout's.
DecoderLossOptions loss_options(const DecoderStage& options, std::uint64_t seed);

struct PictureStageInput {
  std::string name;  ///< of the stage
  DecoderStage options;
  std::filesystem::path cache;       ///< folder for maps; empty: computed at every step
  bool tune_encoder = false;         ///< else it is frozen
  double encoder_learning_rate = 0;  ///< if it is trained
  bool freeze_statistics = true;     ///< batch norm by the running ones
  ModelConfig config;                ///< of the model as it will be
  net::GraphSpec encoder;            ///< its output is the map that the decoder reads
  std::vector<TrainingPicture> pictures;
  std::vector<CaptionedPicture> validation;
  std::uint64_t seed = 1;
};

class PictureStage : public Stage {
 public:
  /// `parameters` has the tensors of encoder and decoder. Throws as FeatureCache and Loader do.
  PictureStage(PictureStageInput input, ParameterSet& parameters, dnn::Kernels& kernels, Observer& observer);

  std::string_view name() const override { return input_.name; }
  const StageOptions& options() const override { return input_.options; }
  ParameterSet& parameters() override { return parameters_; }
  std::int64_t steps_per_epoch() const override;
  void seek(std::int64_t step) override;
  std::span<const DamagedPicture> damaged() const override {
    return loader_ ? std::span<const DamagedPicture>(loader_->damaged()) : std::span<const DamagedPicture>();
  }
  Step step() override;
  /// "BLEU-4" and "CIDEr", see score_captioner.
  Measures validate() override;
  /// Both together: CIDEr is 0 whatever the captions where all pictures are described alike.
  double quality(const Measures& scores) const override { return scores[0].second + scores[1].second; }
  bool trains(const std::string& name) const override { return input_.tune_encoder || !is_encoders(name); }
  std::map<std::string, double> rate_scales() const override;

 protected:
  /// The encoder features of one step, and their pictures.
  struct Maps {
    Variable features;               ///< [images, L, D]
    std::vector<std::size_t> owner;  ///< of each image: index of input().pictures
    std::vector<float> masks;        ///< [images, L], see DecoderNetwork::loss
  };
  struct StepLoss {
    Variable loss;
    Measures parts;
  };
  /// The step's loss.
  virtual StepLoss step_loss(Tape& tape, const Maps& maps) = 0;

  const PictureStageInput& input() const { return input_; }
  const DecoderNetwork& decoder() const { return decoder_; }
  /// A copy of the decoder's current tensors.
  Weights decoder_weights() const;
  std::uint64_t step_seed(Purpose purpose) const { return seed_of(input_.seed, step_, purpose); }
  bool is_encoders(const std::string& name) const;

 private:
  Maps cached_maps(Tape& tape);
  Maps live_maps(Tape& tape);

  PictureStageInput input_;
  ParameterSet& parameters_;
  dnn::Kernels& kernels_;
  Network encoder_;
  std::vector<std::string> encoder_tensors_;  ///< sorted
  DecoderNetwork decoder_;
  std::optional<FeatureCache> cache_;
  std::vector<std::size_t> readable_;  ///< with a cache: the pictures with cached features
  std::optional<Loader> loader_;
  std::int64_t step_ = 0;
};

}  // namespace glimpse::train
