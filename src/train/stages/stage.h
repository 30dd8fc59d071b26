/// One stage of training as the loop sees it: batches in, gradients out, a score now and then. All randomness follows
/// from the seed and the step, so a stage can resume at any step.
#pragma once

#include <cstdint>
#include <map>
#include <span>
#include <string>
#include <string_view>

#include "data/loader.h"
#include "train/run/observer.h"
#include "autograd/parameters.h"
#include "train/recipe/recipe.h"

namespace glimpse::train {

class Stage {
 public:
  virtual ~Stage() = default;

  virtual std::string_view name() const = 0;  ///< the recipe's section
  virtual const StageOptions& options() const = 0;
  virtual ParameterSet& parameters() = 0;
  virtual std::int64_t steps_per_epoch() const = 0;

  /// Makes `step` the next step. Called once, before the first step.
  virtual void seek(std::int64_t step) = 0;

  struct Step {
    double loss = 0;
    Measures parts;             ///< parts of the loss, and other values for the journal
    std::int64_t pictures = 0;  ///< pictures in the batch
  };
  /// Adds the next batch's gradients to the parameters'.
  virtual Step step() = 0;

  /// Pictures that could not be read in the steps so far, each once; the loop tells the observer.
  virtual std::span<const DamagedPicture> damaged() const { return {}; }

  /// Scores the current parameters on held-out pictures.
  virtual Measures validate() = 0;
  /// The validation's one number: larger is better.
  virtual double quality(const Measures& scores) const = 0;

  /// True if training starts from pretrained weights: they are validated before the first step and kept if nothing
  /// better follows.
  virtual bool starts_trained() const { return false; }
  /// Whether this stage trains the parameter of that name.
  virtual bool trains(const std::string& /*name*/) const { return true; }
  /// Learning-rate factors by prefix of parameter name.
  virtual std::map<std::string, double> rate_scales() const { return {}; }
};

}  // namespace glimpse::train
