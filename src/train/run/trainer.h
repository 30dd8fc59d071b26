/// Trains a model by a recipe. The state to resume from stands in a folder beside the model, OUTPUT.training: a
/// checkpoint of the stage that runs, the weights that each finished stage made, the journal, and the curves drawn from
/// it.
#pragma once

#include <filesystem>
#include <memory>

#include "train/recipe/recipe.h"
#include "train/run/observer.h"

namespace glimpse::train {

class Trainer {
 public:
  enum class Start {
    kAnew,  ///< fails if the folder has a training
    kOver,  ///< discards the folder's content
    kGoOn   ///< resumes from the last checkpoint, with the losses of an uninterrupted training
  };

  /// Reads and checks everything that the recipe names, so that errors appear before the first step. Throws Error: as
  /// `check` and the readers of captions, graphs, weights and pictures do.
  Trainer(Recipe recipe, Observer& observer);
  ~Trainer();
  Trainer(Trainer&&) noexcept;
  Trainer& operator=(Trainer&&) noexcept;

  /// Runs all stages and writes the model: the best validation's weights of the last stage, in F16. Throws Error:
  /// kUsage where `start` does not fit what is in the folder, kInterrupted after saving where the observer asked for
  /// it, kDiverged naming step and tensor where numbers are not finite, kIo where the disk is full (the last checkpoint
  /// then stands).
  void run(Start start);

  /// OUTPUT.training
  const std::filesystem::path& folder() const;

 private:
  class Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace glimpse::train
