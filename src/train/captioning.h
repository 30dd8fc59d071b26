/// Stages that learn to caption by teacher forcing: the decoder alone on maps of an encoder that stands still, computed
/// as they are needed or kept on disk, or encoder and decoder together; and before them, language without pictures.
#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "decoder/vocabulary.h"
#include "train/captioned_set.h"
#include "train/decoder_network.h"
#include "train/feature_cache.h"
#include "train/loader.h"
#include "train/network.h"
#include "train/stage.h"

namespace glimpse::train {

/// A picture with its captions as ids, neither start nor end.
struct TrainingPicture {
  std::filesystem::path file;
  std::vector<std::vector<int>> captions;
};

/// Captions as ids of `vocabulary`, cut at `max_words`.
std::vector<TrainingPicture> encode_pictures(const std::vector<CaptionedPicture>& pictures,
                                             const Vocabulary& vocabulary, int max_words);

struct CaptioningInput {
  std::string name;  ///< of the stage
  DecoderStage options;
  std::filesystem::path cache;       ///< folder for maps; empty: computed at every step
  bool tune_encoder = false;         ///< else it stands still
  double encoder_learning_rate = 0;  ///< where it learns
  bool freeze_statistics = true;     ///< batch norm by the running ones
  ModelConfig config;                ///< of the model as it will be
  net::GraphSpec encoder;            ///< its output is the map that the decoder reads
  std::vector<TrainingPicture> pictures;
  std::vector<CaptionedPicture> validation;
  std::uint64_t seed = 1;
};

class Captioning : public Stage {
 public:
  /// `parameters` has the tensors of encoder and decoder. Throws as FeatureCache and Loader do.
  Captioning(CaptioningInput input, ParameterSet& parameters, dnn::Kernels& kernels, Observer& observer);

  std::string_view name() const override { return input_.name; }
  const StageOptions& options() const override { return input_.options; }
  ParameterSet& parameters() override { return parameters_; }
  std::int64_t steps_per_epoch() const override;
  void seek(std::int64_t step) override;
  Step step() override;
  /// "BLEU-4" and "CIDEr", see score_captioner.
  Measures validate() override;
  /// Both together: CIDEr is 0 whatever the captions where all pictures are described alike.
  double quality(const Measures& scores) const override { return scores[0].second + scores[1].second; }
  bool starts_trained() const override { return input_.tune_encoder; }
  bool trains(const std::string& name) const override { return input_.tune_encoder || !is_encoders(name); }
  std::map<std::string, double> rate_scales() const override;

 private:
  /// The maps of one step and whose they are.
  struct Maps {
    Variable features;               ///< [images, L, D]
    std::vector<std::size_t> owner;  ///< of each image: index of input_.pictures
  };
  bool is_encoders(const std::string& name) const;
  Maps cached_maps(Tape& tape);
  Maps live_maps(Tape& tape);
  std::vector<TrainingCaption> captions_of(const std::vector<std::size_t>& owner) const;

  CaptioningInput input_;
  ParameterSet& parameters_;
  dnn::Kernels& kernels_;
  Network encoder_;
  std::vector<std::string> encoder_tensors_;  ///< sorted
  DecoderNetwork decoder_;
  std::optional<FeatureCache> cache_;
  std::vector<std::size_t> readable_;  ///< with a cache: the pictures that there are maps of
  std::optional<Loader> loader_;
  std::int64_t step_ = 0;
};

struct LanguageInput {
  CaptionStage options;  ///< its language_epochs are run
  DecoderConfig decoder;
  std::vector<std::vector<int>> sentences;  ///< ids, neither start nor end
  std::vector<std::vector<int>> validation;
  std::uint64_t seed = 1;
};

/// The decoder's side of language on text alone: as many sentences a step as there would be captions.
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
