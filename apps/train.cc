// glimpse train: a model from pictures and captions, as a recipe says.
#include "train/trainer.h"

#include <array>
#include <cmath>
#include <cstdio>
#include <utility>

#include "arguments.h"
#include "command.h"
#include "interrupt.h"
#include "stopwatch.h"
#include "terminal.h"

namespace glimpse::apps {
namespace {

/// Where standard error is no terminal, a line this often.
constexpr double kSecondsBetweenLines = 30;
/// Of a model that goes on learning, unless told otherwise.
constexpr int kEpochs = 10;

CommandLine command_line() {
  const auto value = [](const char* name) { return po::value<std::string>()->value_name(name); };
  OptionGroup what{"What to train", {}};
  what.options.add_options()("config,c", value("FILE"), "the recipe: data, network, stages (models/recipes has some)")(
      "set", po::value<std::vector<std::string>>()->composing()->value_name("KEY=VALUE"),
      "change a key of the recipe, as in --set caption.epochs=5; may be given again and again")(
      "output,o", value("FILE"), "the model to write (default: the recipe's output)");
  OptionGroup further{"Or a model that goes on learning, from your own pictures", {}};
  further.options.add_options()("from", value("MODEL"), "the model to start from, instead of a recipe")(
      "captions", value("FILE"),
      "pictures and their captions: JSON lines with image and captions, Karpathy's or COCO's JSON")(
      "images", value("DIR"), "the folder that the names of the pictures start from (default: that of the captions)")(
      "epochs", value("N"), ("times that each picture is seen (default: " + std::to_string(kEpochs) + ")").c_str());
  OptionGroup run{"How to run", {}};
  run.options.add_options()("resume", "go on with the training that was begun, exactly where it was")(
      "overwrite", "begin anew and throw away the training that was begun")(
      "threads,t", value("N"), "processor threads (default: the recipe's, or all that the process may use)");
  return {
      "glimpse train --config RECIPE [options]",
      "Trains a captioner. Beside the model, in OUTPUT.training, stand the last checkpoint, a journal of all losses "
      "and scores (journal.jsonl) and their curves (curves.svg). Ctrl-C saves first.",
      {std::move(what), std::move(further), std::move(run)},
      "Exit codes: 0 all done, 1 internal error or nothing could be saved, 2 wrong usage or data, 3 a model or\n"
      "number that cannot be used, 130 interrupted and saved.\n"};
}

std::string duration(double seconds) {
  std::array<char, 32> text{};
  const auto whole = static_cast<long>(std::lround(seconds));
  if (whole >= 3600) {
    std::snprintf(text.data(), text.size(), "%ld h %02ld min", whole / 3600, whole / 60 % 60);
  } else if (whole >= 60) {
    std::snprintf(text.data(), text.size(), "%ld min %02ld s", whole / 60, whole % 60);
  } else {
    std::snprintf(text.data(), text.size(), "%ld s", whole);
  }
  return text.data();
}

/// Shows what the trainer tells: one line that rewrites itself on a terminal, a line now and then elsewhere.
class Reporter : public train::Observer {
 public:
  void progress(const train::Progress& p) override {
    if (!errors_on_terminal() && p.step != 1 && p.step != p.steps &&
        since_line_.milliseconds() < 1000 * kSecondsBetweenLines) {
      return;
    }
    since_line_ = Stopwatch();
    std::array<char, 160> text{};
    std::snprintf(text.data(), text.size(), "%s epoch %d of %d, step %lld of %lld, loss %.4f, %.1f pictures/s, %s left",
                  std::string(p.stage).c_str(), p.epoch, p.epochs, static_cast<long long>(p.step),
                  static_cast<long long>(p.steps), p.loss, p.pictures_per_second, duration(p.seconds_left).c_str());
    if (errors_on_terminal()) {
      write_status(text.data());
    } else {
      report(text.data());
    }
  }

  void validated(const train::Validation& v) override {
    std::string text = std::string(v.stage) + " epoch " + std::to_string(v.epoch) + ", validation:";
    for (const auto& [name, score] : v.scores) {
      std::array<char, 64> number{};
      std::snprintf(number.data(), number.size(), " %s %.4f", name.c_str(), score);
      text += number.data();
    }
    say(text + (v.best ? " (best so far)" : ""));
  }

  void note(const std::string& text) override { say(text); }
  bool interrupted() override { return apps::interrupted(); }

 private:
  static void say(const std::string& text) {
    if (errors_on_terminal()) write_status("");
    report(text);
  }

  Stopwatch since_line_;
};

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
  if (arguments.has("set")) {
    for (const std::string& setting : arguments.options["set"].as<std::vector<std::string>>()) {
      const std::size_t equals = setting.find('=');
      if (equals == std::string::npos) {
        throw Error(ErrorCode::kUsage, "--set takes KEY=VALUE, not " + quote(setting));
      }
      train::set(recipe, setting.substr(0, equals), setting.substr(equals + 1));
    }
  }
  if (const auto output = arguments.text("output"); output && config) train::set(recipe, "output", *output);
  if (arguments.has("threads")) recipe.threads = arguments.integer("threads", 0, 1, 1024);
  return recipe;
}

/// Data that are missing or cannot be read are the fault of the recipe that names them.
train::Trainer prepared(const ParsedArguments& arguments, train::Observer& observer) {
  try {
    return {recipe_of(arguments), observer};
  } catch (const Error& error) {
    if (error.code() == ErrorCode::kModel || error.code() == ErrorCode::kInternal) throw;
    throw Error(ErrorCode::kUsage, error.what());
  }
}

}  // namespace

ExitCode run_train(Arguments arguments) {
  const std::optional<ParsedArguments> parsed = parse_arguments(command_line(), arguments);
  if (!parsed) return ExitCode::kDone;
  if (!parsed->positional.empty()) {
    throw Error(ErrorCode::kUsage, "train takes no argument " + quote(parsed->positional.front()));
  }
  if (parsed->has("resume") && parsed->has("overwrite")) {
    throw Error(ErrorCode::kUsage, "--resume and --overwrite do not go together");
  }
  using Start = train::Trainer::Start;
  const Start start = parsed->has("resume") ? Start::kGoOn : parsed->has("overwrite") ? Start::kOver : Start::kAnew;
  Reporter reporter;
  train::Trainer trainer = prepared(*parsed, reporter);
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
