/// Self-critical training (Rennie et al. 2017): sampled captions that CIDEr-D rates above the baseline become likelier,
/// the others less likely. REINFORCE (Williams 1992) with a baseline: the gradient is that of −mean over captions of
/// advantage · Σ log p(word), whose expectation is the gradient of the expected reward.
///
/// Captions are drawn by the search that samples for people, from the decoder as it stands, without dropout; nothing is
/// blocked but the words that are never said. The end counts as a word, in drawn captions and in references, for
/// rewards and document frequencies alike, as Rennie's and all later code has it: CIDEr-D as it is reported does not
/// see a sentence that breaks off ("a man riding a"), and what it does not see is soon left out. One that is cut at
/// max_words has no end, in its reward and in its loss.
#pragma once

#include <span>
#include <vector>

#include "metrics/cider.h"
#include "search/search.h"
#include "train/stages/picture_stage.h"

namespace glimpse::train {

struct SelfCriticalInput : PictureStageInput {
  int samples = 5;         ///< sampled captions a picture
  double temperature = 1;  ///< softmax temperature in sampling and loss; below 1: closer to beam search
  ScstStage::Baseline baseline = ScstStage::Baseline::kMean;
  int max_words = 20;  ///< end not counted
};

using Hypotheses = std::vector<std::vector<search::Hypothesis>>;  ///< a picture's captions, a picture

/// Each caption's reward less its baseline, a picture's captions in a row: `greedy`'s entry of the picture, or where
/// that is empty the mean of the picture's other captions.
std::vector<double> advantages(std::span<const double> rewards, std::size_t per_picture,
                               std::span<const double> greedy);

/// A step's parts in the journal: mean "reward" of the drawn captions, of their "baseline", and their "length" in
/// words.
class SelfCritical : public PictureStage {
 public:
  /// Throws as PictureStage does.
  SelfCritical(const SelfCriticalInput& input, ParameterSet& parameters, dnn::Kernels& kernels, Observer& observer);

  bool starts_trained() const override { return true; }

 private:
  StepLoss step_loss(Tape& tape, const Maps& maps) override;
  search::SearchOptions sampling(std::size_t images) const;
  search::SearchOptions greedy() const;
  std::vector<double> rewards(const Hypotheses& captions, const std::vector<std::size_t>& owner) const;

  const int samples_;
  const double temperature_;
  const ScstStage::Baseline baseline_;
  const int max_words_;
  const metrics::CiderD cider_;
};

}  // namespace glimpse::train
