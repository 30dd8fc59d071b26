// glimpse compare: trains several recipes on equal terms and says how they did.
#include <algorithm>
#include <set>

#include "cli/interrupt.h"
#include "cli/terminal.h"
#include "commands/compare_run.h"
#include "commands/evaluate.h"
#include "core/file.h"
#include "eval/comparison.h"
#include "eval/speeds.h"
#include "io/overlay_files.h"
#include "pipeline/locations.h"
#include "pipeline/model_facts.h"
#include "train/recipe/recipe_terms.h"
#include "train/run/curves.h"

namespace glimpse::apps {
namespace {

namespace fs = std::filesystem;

constexpr int kBatch = 16;
constexpr int kMostSeeds = 100;

struct CompareOptions {
  fs::path folder;
  train::Trainer::Start start = train::Trainer::Start::kAnew;
  int seeds = 1;
  std::optional<std::string> split;
  int batch = kBatch;
  ModelOptions model;
};

CommandLine command_line() {
  OptionGroup what{
      "What to compare",
      {{"output,o", "DIR", "the folder for models, table and plots; required"},
       {"seeds", "N", "train each variant N times, with the recipe's seed and those after it (default: 1)"},
       {"split", "NAME", "judge on the pictures of this split (default: test where the set has splits, else all)"},
       {"batch", "N", "pictures at a time, when judging (default: " + std::to_string(kBatch) + ")"},
       setting_option()}};
  OptionGroup run = run_option_group();
  return {
      "glimpse compare [options] -o DIR RECIPE…",
      "Trains the recipes one after the other on equal terms (the same data, seed, threads and epochs), captions the "
      "same pictures by the same search, and writes DIR/compare.md (a table), compare.json, curves.svg (losses and "
      "validations) and scores.svg. Beside each model stands its whole recipe, NAME.conf. Ctrl-C saves first.",
      {std::move(what), std::move(run), model_option_groups().front()},
      "Exit codes: 0 all done, 1 internal error or nothing could be saved, 2 wrong usage or data, 3 a model that\n"
      "cannot be used, 4 a training or some pictures failed and the rest is complete, 130 interrupted and saved.\n"
      "  glimpse compare models/recipes/attention/*.conf -o attention/\n"};
}

CompareOptions read_options(const ParsedArguments& arguments) {
  CompareOptions options;
  const std::optional<std::string> folder = arguments.text("output");
  if (!folder) throw Error(ErrorCode::kUsage, "compare needs a folder to write to: --output DIR");
  if (arguments.positional.empty()) {
    throw Error(ErrorCode::kUsage, "compare needs recipes, one or more (models/recipes/attention has some)");
  }
  options.folder = fs::absolute(*folder).lexically_normal();
  options.start = training_start(arguments);
  options.seeds = arguments.integer("seeds", 1, 1, kMostSeeds);
  options.split = arguments.text("split");
  options.batch = arguments.integer("batch", kBatch, 1, 1024);
  options.model = read_model_options(arguments);
  return options;
}

/// All recipes, as the command line changes them, each with its own name; complains where they are not on equal terms.
std::vector<train::Recipe> read_recipes(const ParsedArguments& arguments) {
  std::vector<train::Recipe> recipes;
  std::set<std::string> names;
  for (const std::string& file : arguments.positional) {
    train::Recipe& recipe = recipes.emplace_back(train::read_recipe(file));
    apply_settings(recipe, arguments);
    if (recipe.name.empty()) recipe.name = fs::path(file).stem().native();
    if (recipe.name.find('/') != std::string::npos) {
      throw Error(ErrorCode::kUsage, quote(file) + " has the name " + quote(recipe.name) + ", which no file can have");
    }
    if (!names.insert(recipe.name).second) {
      throw Error(ErrorCode::kUsage, "two of the recipes have the name " + quote(recipe.name));
    }
    const std::string unequal = unequal_terms(recipes.front(), recipe);
    if (!unequal.empty()) {
      throw Error(ErrorCode::kUsage,
                  quote(arguments.positional.front()) + " and " + quote(file) + " are not on equal terms: " + unequal);
    }
  }
  return recipes;
}

/// The recipe of one run, with its seed and a place in the folder.
train::Recipe recipe_of_run(train::Recipe recipe, const CompareOptions& options, int run) {
  recipe.seed += static_cast<std::uint64_t>(run);
  const std::string suffix = run == 0 ? "" : ".seed-" + std::to_string(recipe.seed);
  recipe.output = options.folder / (recipe.name + suffix + ".safetensors");
  return recipe;
}

class ComparisonRun {
 public:
  ComparisonRun(const CompareOptions& options, std::vector<train::Recipe> recipes,
                const std::vector<std::string>& files)
      : options_(options),
        recipes_(std::move(recipes)),
        all_(train::read_captioned_set(recipes_.front().data.captions, recipes_.front().data.photos)),
        set_(eval::set_to_score(all_, options.split)) {
    train::check_pictures_exist(set_);
    if (options_.model.threads == 0) options_.model.threads = recipes_.front().threads;
    for (std::size_t i = 0; i < recipes_.size(); ++i) {
      eval::Variant& variant = comparison_.variants.emplace_back();
      variant.name = recipes_[i].name;
      variant.recipe = files[i];
    }
    comparison_.captions = all_.path.filename().native();
    comparison_.pictures = set_.pictures.size();
    comparison_.how = how();
  }

  ExitCode run() {
    for (int run = 0; run < options_.seeds; ++run) {
      for (std::size_t i = 0; i < recipes_.size() && !interrupted(); ++i) train_run(i, run);
    }
    for (std::size_t i = 0; i < recipes_.size() && !interrupted(); ++i) judge(comparison_.variants[i]);
    if (!interrupted()) measure();
    if (interrupted()) {
      report("interrupted; all is saved, --resume goes on");
      return ExitCode::kInterrupted;
    }
    write();
    return some_failed_ ? ExitCode::kSomeFailed : ExitCode::kDone;
  }

 private:
  std::string how() const {
    const search::SearchOptions& search = options_.model.caption.search;
    std::string text = search.sampling ? "Drawn at random" : "Beam " + std::to_string(search.beam);
    text += ", " + std::to_string(options_.seeds) + (options_.seeds == 1 ? " seed" : " seeds") + " from " +
            std::to_string(recipes_.front().seed) + " on. Images/s: encoder and search, batches of " +
            std::to_string(options_.batch) + ", the variants taking turns in one run";
    const int threads = options_.model.threads;
    return text + (threads == 0 ? "." : ", " + std::to_string(threads) + (threads == 1 ? " thread." : " threads."));
  }

  void train_run(std::size_t index, int run) {
    const train::Recipe recipe = recipe_of_run(recipes_[index], options_, run);
    reporter_.note(recipe.name + " (" + std::to_string(index + 1) + " of " + std::to_string(recipes_.size()) +
                   "), seed " + std::to_string(recipe.seed));
    eval::VariantRun& result = comparison_.variants[index].runs.emplace_back();
    result.seed = recipe.seed;
    result.model = recipe.output;
    try {
      train_variant(recipe, options_.start, reporter_);
    } catch (const Error& error) {
      if (error.code() == ErrorCode::kInterrupted) return;
      // A diverged training is a result of the variant; any other error would hit the others too.
      if (error.code() != ErrorCode::kDiverged) throw Error(error.code(), recipe.name + ": " + error.what());
      report_error(recipe.name + ": " + error.what());
      result.failure = error.what();
      some_failed_ = true;
    }
  }

  void judge(eval::Variant& variant) {
    for (eval::VariantRun& run : variant.runs) {
      if (!run.failure.empty() || interrupted()) continue;
      ModelOptions model = options_.model;
      model.model = run.model.native();
      const eval::Evaluation evaluation = evaluate_set(set_, all_, model, options_.batch);
      run.scores = evaluation.scores;
      if (evaluation.made.failed > 0) some_failed_ = true;
      if (!run.scores) run.failure = "none of the pictures could be captioned";
      if (variant.parameters == 0) variant.parameters = model_facts(Model::load(run.model)).parameters();
    }
  }

  /// Of each variant the first model that there is.
  void measure() {
    std::vector<fs::path> models;
    std::vector<eval::Variant*> variants;
    for (eval::Variant& variant : comparison_.variants) {
      const auto trained = std::ranges::find_if(variant.runs, [](const auto& run) { return run.scores.has_value(); });
      if (trained == variant.runs.end()) continue;
      models.push_back(trained->model);
      variants.push_back(&variant);
    }
    CaptionerOptions captioner;
    captioner.batch = options_.batch;
    captioner.threads = options_.model.threads;
    captioner.tuning = dnn::Tuning::kMeasure;
    captioner.tuning_cache = tuning_cache();
    const std::vector<double> speeds =
        eval::measure_speeds(models, set_, captioner, options_.model.caption, interrupt_token());
    for (std::size_t i = 0; i < speeds.size(); ++i) variants[i]->pictures_per_second = speeds[i];
  }

  void write() const {
    std::vector<train::NamedJournal> journals;
    for (const eval::Variant& variant : comparison_.variants) {
      const fs::path journal = variant.runs.front().model.native() + ".training/journal.jsonl";
      journals.push_back({variant.name, train::read_journal(journal)});
    }
    const auto put = [&](const char* name, const std::string& text) {
      write_atomically(options_.folder / name, [&](std::ostream& out) { out << text; });
    };
    const std::string table = eval::as_markdown(comparison_);
    put("compare.md", table);
    put("compare.json", as_json(comparison_));
    put("curves.svg", train::draw_curves_together(journals, "Training, seed " + std::to_string(recipes_[0].seed)));
    put("scores.svg", eval::as_bars(comparison_));
    write_output(table);
  }

  CompareOptions options_;
  std::vector<train::Recipe> recipes_;
  train::CaptionedSet all_;
  train::CaptionedSet set_;
  eval::Comparison comparison_;
  TrainingReporter reporter_;
  bool some_failed_ = false;
};

}  // namespace

ExitCode run_compare(Arguments arguments) {
  const std::optional<ParsedArguments> parsed = parse_arguments(command_line(), arguments);
  if (!parsed) return ExitCode::kDone;
  const CompareOptions options = read_options(*parsed);
  std::optional<ComparisonRun> run;
  blame_recipe([&] {
    std::vector<train::Recipe> recipes = read_recipes(*parsed);
    for (const train::Recipe& recipe : recipes) check(recipe_of_run(recipe, options, 0));
    if (recipes.front().data.captions.empty()) {
      throw Error(ErrorCode::kUsage, "the recipes name no captions, so there is nothing to compare by");
    }
    run.emplace(options, std::move(recipes), parsed->positional);
  });
  io::make_folder(options.folder, "--output");
  catch_interrupts();
  return run->run();
}

}  // namespace glimpse::apps
