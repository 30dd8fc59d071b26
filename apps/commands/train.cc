// glimpse train: a model from pictures and captions, as a recipe says.
#include "train/run/trainer.h"

#include <utility>

#include "cli/arguments.h"
#include "cli/command.h"
#include "cli/interrupt.h"
#include "commands/training.h"

namespace glimpse::apps {
namespace {

/// Of a model that goes on learning, unless told otherwise.
constexpr int kEpochs = 10;

CommandLine command_line() {
  OptionGroup what{"What to train",
                   {{"config,c", "FILE", "the recipe: data, network, stages (models/recipes has some)"},
                    setting_option(),
                    {"output,o", "FILE", "the model to write (default: the recipe's output)"}}};
  OptionGroup further{
      "Or a model that goes on learning, from your own pictures",
      {{"from", "MODEL", "the model to start from, instead of a recipe"},
       {"captions", "FILE",
        "pictures and their captions: JSON lines with image and captions, Karpathy's or COCO's JSON"},
       {"images", "DIR", "the folder that the names of the pictures start from (default: that of the captions)"},
       {"epochs", "N", "times that each picture is seen (default: " + std::to_string(kEpochs) + ")"}}};
  OptionGroup run = run_option_group();
  return {
      "glimpse train --config RECIPE [options]",
      "Trains a captioner. Beside the model, in OUTPUT.training, stand the last checkpoint, a journal of all losses "
      "and scores (journal.jsonl) and their curves (curves.svg). Ctrl-C saves first.",
      {std::move(what), std::move(further), std::move(run)},
      "Exit codes: 0 all done, 1 internal error or nothing could be saved, 2 wrong usage or data, 3 a model that\n"
      "cannot be used, 5 training diverged (a lower learning rate may help), 130 interrupted and saved.\n"};
}

/// Encoder and decoder of a model, gently, on a few pictures.
train::Recipe further_recipe(const ParsedArguments& arguments) {
  const auto needed = [&](const char* name) {
    const std::optional<std::string> text = arguments.text(name);
    if (!text) throw Error(ErrorCode::kUsage, "train --from needs --" + std::string(name) + " FILE, too");
    return std::filesystem::absolute(*text).lexically_normal();
  };
  train::Recipe recipe;
  recipe.folder = std::filesystem::current_path();
  recipe.from = std::filesystem::absolute(*arguments.text("from")).lexically_normal();
  recipe.output = needed("output");
  recipe.name = recipe.output.stem().native();
  recipe.data.captions = needed("captions");
  const std::optional<std::string> images = arguments.text("images");
  recipe.data.photos =
      images ? std::filesystem::absolute(*images).lexically_normal() : recipe.data.captions.parent_path();
  recipe.data.vocabulary_threshold = 1;
  train::FinetuneStage& stage = recipe.finetune.emplace();
  stage.epochs = arguments.integer("epochs", kEpochs, 1, 100000);
  stage.batch = 16;
  stage.learning_rate = 1e-3;
  stage.encoder_learning_rate = 5e-5;
  stage.warm_up = 10;
  stage.label_smoothing = 0;
  stage.doubly_stochastic = 0;
  stage.dropout_features = stage.dropout_embedding = stage.dropout_output = 0.2;
  stage.augment.flip = true;
  return recipe;
}

train::Recipe recipe_of(const ParsedArguments& arguments) {
  const std::optional<std::string> config = arguments.text("config");
  if (config.has_value() == arguments.has("from")) {
    throw Error(
        ErrorCode::kUsage,
        "train needs a recipe, --config FILE (models/recipes has some), or a model to go on with, --from MODEL");
  }
  train::Recipe recipe = config ? train::read_recipe(*config) : further_recipe(arguments);
  apply_settings(recipe, arguments);
  if (const auto output = arguments.text("output"); output && config) train::set(recipe, "output", *output);
  return recipe;
}

}  // namespace

ExitCode run_train(Arguments arguments) {
  const std::optional<ParsedArguments> parsed = parse_arguments(command_line(), arguments);
  if (!parsed) return ExitCode::kDone;
  if (!parsed->positional.empty()) {
    throw Error(ErrorCode::kUsage, "train takes no argument " + quote(parsed->positional.front()));
  }
  const train::Trainer::Start start = training_start(*parsed);
  TrainingReporter reporter;
  train::Trainer trainer = blame_recipe([&] { return train::Trainer(recipe_of(*parsed), reporter); });
  catch_interrupts();
  try {
    trainer.run(start);
  } catch (const Error& error) {
    if (error.code() != ErrorCode::kInterrupted) throw;
    reporter.note(error.what());
    return ExitCode::kInterrupted;
  }
  return ExitCode::kDone;
}

}  // namespace glimpse::apps
