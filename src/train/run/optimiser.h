/// Optimisers: AdamW (Loshchilov and Hutter 2019) and SGD with momentum, learning-rate schedules, clipping, and the
/// moving average of weights (Polyak and Juditsky 1992).
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <string>
#include <vector>

#include "autograd/parameters.h"
#include "train/recipe/recipe.h"

namespace glimpse::train {

/// The rate at `step` (from 0) of `steps`: linear warm-up, then half a cosine to 0, or constant.
double learning_rate(const StageOptions& options, std::int64_t step, std::int64_t steps);

/// Holds the moments and averages of one ParameterSet, which must outlive it.
class Optimiser {
 public:
  /// Updates only the parameters whose name `trained` accepts; averages all statistics.
  Optimiser(
      const StageOptions& options, ParameterSet& parameters,
      const std::function<bool(const std::string&)>& trained = [](const std::string&) { return true; });

  /// One step: clips the gradients, updates the parameters, clears the gradients. `rate`: see learning_rate; `scale`:
  /// learning-rate factors by name prefix. Returns the gradients' norm before clipping. Throws Error(kDiverged) naming the
  /// tensor whose gradient is not finite, before anything is changed.
  double step(double rate, const std::map<std::string, double>& scale = {});

  /// Runs `body` with the averaged weights as parameters, if averages are kept.
  template <typename Body>
  void with_averages(Body&& body) {
    swap_averages();
    try {
      body();
    } catch (...) {
      swap_averages();
      throw;
    }
    swap_averages();
  }

  /// The state for an exact resume: moments, averages and the step count.
  std::map<std::string, TensorView, std::less<>> state() const;
  std::int64_t steps_done() const { return steps_done_; }
  /// Throws Error(kModel) where a tensor is missing or has another shape.
  void restore(const Weights& weights, std::int64_t steps_done);

 private:
  struct Slot {
    Parameter* parameter = nullptr;
    Tensor first;    ///< AdamW's first moment, SGD's velocity
    Tensor second;   ///< AdamW's second moment
    Tensor average;  ///< of the weights
  };
  /// Euclidean norm of the gradients of what is trained; NaN or infinity where one is not finite.
  double gradient_norm() const;
  void check_finite() const;
  void swap_averages();

  StageOptions options_;
  ParameterSet& parameters_;
  std::vector<Slot> slots_;
  std::map<std::string, Tensor, std::less<>> statistic_averages_;
  std::int64_t steps_done_ = 0;
};

}  // namespace glimpse::train
