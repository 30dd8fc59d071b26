/// Shared by the commands that train.
#pragma once

#include <string>

#include "cli/arguments.h"
#include "cli/stopwatch.h"
#include "train/run/observer.h"
#include "train/run/trainer.h"

namespace glimpse::apps {

/// Shows the trainer's progress: one rewritten line on a terminal, a line now and then elsewhere. Ctrl-C asks it to
/// stop, once `catch_interrupts` was called.
class TrainingReporter : public train::Observer {
 public:
  void progress(const train::Progress& progress) override;
  void validated(const train::Validation& validation) override;
  void note(const std::string& text) override;
  bool interrupted() override;

 private:
  Stopwatch since_line_;
};

/// --set, which `apply_settings` looks at.
Option setting_option();
/// --threads, likewise, and --resume and --overwrite, which `training_start` looks at.
OptionGroup run_option_group();

/// Changes the recipe as --set and --threads say. Throws Error(kUsage).
void apply_settings(train::Recipe& recipe, const ParsedArguments& arguments);

/// Throws Error(kUsage) where both --resume and --overwrite are given.
train::Trainer::Start training_start(const ParsedArguments& arguments);

/// Calls `read`. Missing or unreadable data are a usage error of the recipe that names them.
template <typename Read>
auto blame_recipe(const Read& read) {
  try {
    return read();
  } catch (const Error& error) {
    if (error.code() == ErrorCode::kModel || error.code() == ErrorCode::kInternal) throw;
    throw Error(ErrorCode::kUsage, error.what());
  }
}

}  // namespace glimpse::apps
