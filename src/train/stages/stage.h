/// One stage of training as the loop around it sees it: batches in, gradients out, a score now and then. All that is
/// random in a stage follows from the seed and the step, so that a stage can be taken up again at any step.
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

  /// The next step is that one; called once, before the first step.
  virtual void seek(std::int64_t step) = 0;

  struct Step {
    double loss = 0;
    Measures parts;             ///< of the loss, and what else is worth a line of the journal
    std::int64_t pictures = 0;  ///< that it was made of
  };
  /// Adds the next batch's gradients to the parameters'.
  virtual Step step() = 0;

  /// Pictures that could not be read in the steps so far, each once; the loop tells the observer.
  virtual std::span<const DamagedPicture> damaged() const { return {}; }

  /// How good the parameters are as they stand, on pictures that are not trained on.
  virtual Measures validate() = 0;
  /// The validation's one number: larger is better.
  virtual double quality(const Measures& scores) const = 0;

  /// Whether it goes on from weights that are worth something: they are validated before the first step then, and kept
  /// where nothing better comes.
  virtual bool starts_trained() const { return false; }
  /// Whether the parameter of that name learns in this stage.
  virtual bool trains(const std::string& /*name*/) const { return true; }
  /// Prefixes of parameters' names with the factor of their learning rate.
  virtual std::map<std::string, double> rate_scales() const { return {}; }
};

}  // namespace glimpse::train
