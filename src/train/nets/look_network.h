/// A model that looks around (glimpses/look_model.h) on the tape: many pictures at once, the places drawn around where
/// the network says, and the loss that teaches it both what to say and where to look.
#pragma once

#include <cstdint>
#include <vector>

#include "autograd/tape.h"
#include "glimpses/look_model.h"
#include "glimpses/retina.h"
#include "train/recipe/recipe.h"

namespace glimpse::train {

class ParameterSet;

/// Beginning of the names of what only training needs: the baseline.
inline constexpr std::string_view kLookScaffold = "baseline.";

/// Adds the model's tensors and the baseline's, drawn by chance.
void add_look_parameters(const LookConfig& config, const LookShape& shape, std::uint64_t seed,
                         ParameterSet& parameters);

struct LookLessonOptions {
  int samples = 1;       ///< ways of looking drawn for each picture
  double deviation = 0;  ///< of the places that are drawn; 0: where the network says, and nothing is learnt of that
  LookStage::Reward reward = LookStage::Reward::kProbability;
  double early = 0;      ///< see LookStage
  double reinforce = 1;  ///< weight of REINFORCE's gradient
  std::uint64_t seed = 1;
};

class LookNetwork {
 public:
  /// Refers to both.
  LookNetwork(const LookConfig& config, ParameterSet& parameters) : config_(config), parameters_(parameters) {}

  /// What came of a batch's lesson. Row r is a way of looking at picture r / samples.
  struct Lesson {
    Variable loss;                   ///< [1]
    double cross_entropy = 0;        ///< mean over what is to be said
    double baseline_error = 0;       ///< mean square of reward − baseline
    double reward = 0;               ///< mean
    double right = 0;                ///< share of rows of which all was said right
    std::vector<dnn::Array> places;  ///< [rows, 2] of each glimpse
    std::vector<dnn::Array> logits;  ///< [rows, outputs] after each round
  };
  /// `labels`: the classes of each picture, in order; with DRAM without the end.
  Lesson lesson(Tape& tape, const std::vector<GreyPicture>& pictures, const std::vector<std::vector<int>>& labels,
                const LookLessonOptions& options) const;

 private:
  class Run;

  const LookConfig& config_;
  ParameterSet& parameters_;
};

}  // namespace glimpse::train
