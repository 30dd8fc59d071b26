#include "train/run/training_folder.h"

#include "core/error.h"
#include "core/file.h"
#include "train/run/curves.h"
#include "train/run/journal.h"
#include "train/run/stage_loop.h"

namespace glimpse::train {

namespace fs = std::filesystem;

TrainingFolder::TrainingFolder(const Recipe& recipe, Observer& observer)
    : recipe_(recipe), observer_(observer), folder_(recipe.output.native() + ".training") {}

void TrainingFolder::prepare(Trainer::Start start) const {
  const bool begun = fs::exists(journal_path());
  if (start == Trainer::Start::kOver) fs::remove_all(folder_);
  if (start == Trainer::Start::kAnew && begun) {
    throw Error(ErrorCode::kUsage, quote(folder_.native()) +
                                       " holds a training that was begun; --resume goes on with it, --overwrite "
                                       "begins anew");
  }
  if (start == Trainer::Start::kGoOn && !begun) {
    throw Error(ErrorCode::kUsage, "there is no training in " + quote(folder_.native()) + " to go on with");
  }
  fs::create_directories(folder_);
}

bool TrainingFolder::take_finished(const std::string& stage, ParameterSet& parameters, const std::string& graph) const {
  if (!fs::exists(finished_path(stage))) return false;
  const Checkpoint checkpoint(finished_path(stage), architecture_of(parameters.views(), graph));
  parameters.load(checkpoint.weights());
  observer_.note(stage + " is done: its weights are taken from " + quote(finished_path(stage).native()));
  return true;
}

Counters TrainingFolder::counters(const Stage& stage, const Optimiser& optimiser,
                                  const std::optional<double>& best) const {
  Counters result;
  result.stage = stage.name();
  result.step = optimiser.steps_done();
  result.seeds = {{"seed", recipe_.seed}};
  result.best_validation = best;
  result.recipe = to_text(recipe_);
  return result;
}

void TrainingFolder::run_to_end(Stage& stage, const std::string& graph, const std::string& scaffold) const {
  ParameterSet& parameters = stage.parameters();
  const std::string name(stage.name());
  const fs::path state_path = folder_ / (name + ".checkpoint.safetensors");
  const fs::path best_path = folder_ / (name + ".best.safetensors");
  const auto architecture = [&] { return architecture_of(parameters.views(), graph); };
  Optimiser optimiser(stage.options(), parameters, [&](const std::string& tensor) { return stage.trains(tensor); });
  std::optional<double> best;
  if (fs::exists(state_path)) {
    const Checkpoint checkpoint(state_path, architecture());
    parameters.load(checkpoint.weights());
    optimiser.restore(checkpoint.weights(), checkpoint.counters().step);
    best = checkpoint.counters().best_validation;
    observer_.note(name + " goes on at step " + std::to_string(optimiser.steps_done()));
  }
  Journal journal(journal_path(), name, optimiser.steps_done());
  StageHooks hooks;
  hooks.observer = &observer_;
  hooks.save = [&] {
    TensorViews all = parameters.views();
    all.merge(optimiser.state());
    write_checkpoint(state_path, architecture(), counters(stage, optimiser, best), all);
  };
  hooks.keep_best = [&] {
    write_checkpoint(best_path, architecture(), counters(stage, optimiser, best), parameters.views());
  };
  hooks.stepped = [&](const StepRecord& record) { journal.write(record); };
  hooks.validated = [&](const Validation& validation) {
    journal.write(validation);
    draw();
  };
  run_stage(stage, optimiser, best, hooks);
  parameters.load(Checkpoint(best_path, architecture()).weights());
  parameters.remove(scaffold);
  const TensorViews result = parameters.views();
  write_checkpoint(finished_path(name), architecture_of(result, graph), counters(stage, optimiser, best), result);
  fs::remove(state_path);
  fs::remove(best_path);
}

void TrainingFolder::draw() const {
  const std::string curves = draw_curves(read_journal(journal_path()), recipe_.name);
  write_atomically(folder_ / "curves.svg", [&](std::ostream& out) { out << curves; });
}

}  // namespace glimpse::train
