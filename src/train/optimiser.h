/// How gradients change parameters: AdamW (Loshchilov and Hutter 2019) and SGD with momentum, learning-rate schedules,
/// clipping, and the moving average of weights (Polyak and Juditsky 1992).
#pragma once

#include <cstdint>
#include <map>
#include <string>

#include "train/parameters.h"

namespace glimpse::train {

struct OptimiserOptions {
  enum class Kind { kAdamW, kSgd };
  enum class Schedule { kCosine, kConstant };
  Kind kind = Kind::kAdamW;
  double learning_rate = 1e-3;  ///< at its highest
  double weight_decay = 0.01;   ///< decoupled: a step takes learning rate × this part off every decaying weight
  double momentum = 0.9;        ///< SGD's (Nesterov 1983 is not used)
  double beta1 = 0.9;
  double beta2 = 0.999;
  double epsilon = 1e-8;
  std::int64_t warm_up = 0;  ///< steps from 0 to the highest rate
  Schedule schedule = Schedule::kCosine;
  double clip = 0;     ///< the largest norm of all gradients together; 0: any
  double average = 0;  ///< decay of the moving average, e.g. 0.999; 0: none
};

/// The rate at `step` (from 0) of `steps`: linear warm-up, then half a cosine to 0, or constant.
double learning_rate(const OptimiserOptions& options, std::int64_t step, std::int64_t steps);

/// Holds the moments and averages of one ParameterSet, which must outlive it.
class Optimiser {
 public:
  Optimiser(const OptimiserOptions& options, ParameterSet& parameters);

  /// Changes the parameters by their gradients, which are clipped and then cleared. `rate`: see learning_rate;
  /// `scale` (prefix of names → factor) makes some learn slower. Gives the gradients' norm before clipping. Throws
  /// Error(kModel) naming the tensor whose gradient is not finite, before anything is changed.
  double step(double rate, const std::map<std::string, double>& scale = {});

  /// Runs `body` with the averages in the parameters' place, where averages are kept.
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

  /// Everything that must be kept to go on exactly: moments, averages and the count of steps.
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
  void check_finite() const;
  void swap_averages();

  OptimiserOptions options_;
  ParameterSet& parameters_;
  std::vector<Slot> slots_;
  std::map<std::string, Tensor, std::less<>> statistic_averages_;
  std::int64_t steps_done_ = 0;
};

}  // namespace glimpse::train
