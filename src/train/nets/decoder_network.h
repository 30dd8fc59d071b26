/// A decoder under training: the teacher-forcing loss. It runs the same text as inference (decoder/formulas.h), so its
/// parameters are a model's weights.
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include "autograd/parameters.h"
#include "autograd/tape.h"
#include "model/model.h"
#include "train/nets/decoder_parameters.h"

namespace glimpse::train {

/// A training caption.
struct TrainingCaption {
  int image = 0;           ///< of the batch
  std::vector<int> words;  ///< ids, neither start nor end
  float weight = 1;        ///< of its words' cross entropy; self-critical training: the advantage
  bool ended = true;       ///< false: truncated, so its end is not trained
};

/// The reward of a cell sampled by hard attention.
enum class HardReward {
  kLikelihood,  ///< of the caption that was seen with it, against a moving mean (Xu et al. 2015)
  kWeight       ///< the caption's weight: what self-critical training gave the caption
};

struct DecoderLossOptions {
  double feature_dropout = 0;    ///< of the projected map
  double embedding_dropout = 0;  ///< of the word embeddings
  double output_dropout = 0;     ///< before the output layer
  float label_smoothing = 0;
  float temperature = 1;      ///< of the words' softmax
  std::vector<int> left_out;  ///< words excluded from the softmax because search never emits them
  bool per_caption = false;   ///< the cross entropy is a mean over captions, each one's words summed; else over words
  double doubly_stochastic = 0;  ///< weight of the mean over captions of Σ_cells (1 − Σ_t α_t)²
  std::uint64_t seed = 0;        ///< for dropout and sampled cells; a new one each step
  // Hard attention's (Xu et al. 2015, section 4.1): the gradient is that of log p(y|s) + λ_r (log p(y|s) − b) log p(s)
  // + λ_e H[s], with the moving baseline b ← decay · b + (1 − decay) · log p(y|s).
  double hard_expectation = 0.5;     ///< probability with which a picture's captions see the mean of all cells instead
  double hard_rate = 1;              ///< λ_r
  double hard_entropy = 0.002;       ///< λ_e
  double hard_baseline_decay = 0.9;  ///< of b
  HardReward reward = HardReward::kLikelihood;
};

struct DecoderLoss {
  Variable loss;  ///< [1]: weighted, smoothed cross entropy a word (or a caption) + the doubly stochastic part
  double cross_entropy = 0;      ///< mean over words, ends counted, neither weighted nor smoothed
  double doubly_stochastic = 0;  ///< mean over captions, before its weight
  std::int64_t words = 0;        ///< ends counted
};

/// Holds references to both arguments.
class DecoderNetwork {
 public:
  DecoderNetwork(const DecoderConfig& config, ParameterSet& parameters, Grid grid)
      : config_(config), parameters_(parameters), grid_(grid) {}

  /// features [images, L, D]; gradients flow into them where they need some. What depends on the picture alone is
  /// computed once for all its captions. masks [images, L]: how much each cell counts, as DecoderSession::prepare has
  /// it; empty: all do. Throws Error(kUsage) for no captions and for a caption of an image that is not there.
  DecoderLoss loss(Tape& tape, const Variable& features, std::span<const TrainingCaption> captions,
                   const DecoderLossOptions& options, std::span<const float> masks = {}) const;
  /// The loss of sentences without pictures, for language pretraining: context and start state are zeros, and attention
  /// gets no gradient. The captions' `image` is ignored.
  DecoderLoss language_loss(Tape& tape, std::span<const TrainingCaption> captions,
                            const DecoderLossOptions& options) const;

 private:
  const net::StepGraph& graph() const;

  const DecoderConfig& config_;
  ParameterSet& parameters_;
  Grid grid_;
  mutable std::shared_ptr<const net::StepGraph> graph_;  // made when the parameters are first used
};

}  // namespace glimpse::train
