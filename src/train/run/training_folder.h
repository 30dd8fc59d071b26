/// The state of a training: a folder beside the model, OUTPUT.training, with the running stage's checkpoint, the
/// weights of each finished stage, the journal, and the curves drawn from it.
#pragma once

#include <filesystem>
#include <optional>
#include <string>

#include "train/run/checkpoint.h"
#include "train/run/optimiser.h"
#include "train/stages/stage.h"
#include "train/run/trainer.h"

namespace glimpse::train {

class TrainingFolder {
 public:
  /// Refers to both.
  TrainingFolder(const Recipe& recipe, Observer& observer);

  const std::filesystem::path& path() const { return folder_; }

  /// Makes it. Throws Error(kUsage) where `start` does not fit what is in it.
  void prepare(Trainer::Start start) const;

  /// True if the stage has finished; loads its result into `parameters`. `graph`: see Architecture.
  bool take_finished(const std::string& stage, ParameterSet& parameters, const std::string& graph) const;

  /// Runs a stage, resuming it if it was interrupted, and stores the parameters of the best validation, without those
  /// whose names begin with `scaffold`. Throws as run_stage does.
  void run_to_end(Stage& stage, const std::string& graph, const std::string& scaffold) const;

 private:
  std::filesystem::path journal_path() const { return folder_ / "journal.jsonl"; }
  std::filesystem::path finished_path(const std::string& stage) const { return folder_ / (stage + ".safetensors"); }
  Counters counters(const Stage& stage, const Optimiser& optimiser, const std::optional<double>& best) const;
  void draw() const;

  const Recipe& recipe_;
  Observer& observer_;
  std::filesystem::path folder_;
};

}  // namespace glimpse::train
