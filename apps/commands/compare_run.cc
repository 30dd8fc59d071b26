#include "commands/compare_run.h"

#include "core/file.h"

namespace glimpse::apps {
namespace {

namespace fs = std::filesystem;

/// Refuses to resume a training by another recipe. The thread count may differ.
void check_same_recipe(const fs::path& file, const train::Recipe& recipe) {
  train::Recipe before = train::read_recipe(file);
  before.threads = recipe.threads;
  if (train::to_text(before) == train::to_text(recipe)) return;
  throw Error(ErrorCode::kUsage, quote(recipe.output.native() + ".training") + " was begun by another recipe, " +
                                     quote(file.native()) + "; --overwrite begins anew");
}

}  // namespace

void train_variant(const train::Recipe& recipe, train::Trainer::Start start, train::Observer& observer) {
  using Start = train::Trainer::Start;
  fs::path file = recipe.output;
  file.replace_extension(".conf");
  train::Recipe here = recipe;
  here.folder = file.parent_path();
  train::Trainer trainer = blame_recipe([&] { return train::Trainer(here, observer); });
  const bool begun = fs::exists(trainer.folder() / "journal.jsonl");
  if (start == Start::kGoOn && begun) check_same_recipe(file, here);
  if (start == Start::kGoOn && !begun) start = Start::kAnew;
  if (start == Start::kOver || !begun) {
    write_atomically(file, [&](std::ostream& out) { out << train::to_text(here); });
  }
  trainer.run(start);
}

}  // namespace glimpse::apps
