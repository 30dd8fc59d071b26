/// The loop that every stage runs in: rate, optimiser, average, validation, journal, checkpoints, interruption.
#pragma once

#include <cstdint>
#include <functional>

#include "train/observer.h"
#include "train/optimiser.h"
#include "train/stage.h"

namespace glimpse::train {

struct StageLoopOptions {
  Observer* observer = nullptr;  ///< never null
  /// Saves all that it takes to go on after `steps` steps.
  std::function<void(const Optimiser& optimiser, std::int64_t steps)> save;
  /// Told of each step, and of each validation with whether it is the best so far.
  std::function<void(std::int64_t step, int epoch, double rate, double pictures_per_second, const Stage::Step& result)>
      stepped;
  std::function<void(std::int64_t step, int epoch, const Measures& scores, bool best)> validated;
};

/// Runs `stage` from where `optimiser` stands to its last epoch; the parameters are then the averages, where those are
/// kept. Throws Error: kInterrupted after saving, where the observer asks for it; kModel naming step and tensor for
/// numbers that are not finite.
void run_stage(Stage& stage, Optimiser& optimiser, const StageLoopOptions& options);

}  // namespace glimpse::train
