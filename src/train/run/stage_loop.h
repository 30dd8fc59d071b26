/// The loop that every stage runs in: rate, optimiser, average, validation, journal, checkpoints, interruption.
#pragma once

#include <functional>
#include <optional>

#include "train/run/journal.h"
#include "train/run/observer.h"
#include "train/run/optimiser.h"
#include "train/stages/stage.h"

namespace glimpse::train {

/// Callbacks of the loop. None is null.
struct StageHooks {
  Observer* observer = nullptr;
  /// Saves a checkpoint.
  std::function<void()> save;
  /// Keeps the current parameters: the best so far.
  std::function<void()> keep_best;
  std::function<void(const StepRecord& record)> stepped;
  std::function<void(const Validation& validation)> validated;
};

/// Runs `stage` from where `optimiser` stands to its last epoch. `best`, the best validation's quality so far, is kept
/// up to date. Throws Error: kInterrupted after saving, where the observer asks for it; kDiverged naming step and
/// tensor for numbers that are not finite.
void run_stage(Stage& stage, Optimiser& optimiser, std::optional<double>& best, const StageHooks& hooks);

}  // namespace glimpse::train
