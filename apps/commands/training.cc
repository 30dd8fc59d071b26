#include "commands/training.h"

#include <array>
#include <cstdio>

#include "cli/interrupt.h"
#include "cli/progress.h"
#include "cli/terminal.h"
#include "core/numbers.h"

namespace glimpse::apps {
namespace {

/// Where standard error is no terminal, a line this often.
constexpr double kSecondsBetweenLines = 30;

void say(const std::string& text) {
  if (errors_on_terminal()) write_status("");
  report(text);
}

}  // namespace

void TrainingReporter::progress(const train::Progress& p) {
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

void TrainingReporter::validated(const train::Validation& v) {
  std::string text = std::string(v.stage) + " epoch " + std::to_string(v.epoch) + ", validation:";
  for (const auto& [name, score] : v.scores) {
    text += " " + name + " " + fixed(score, 4);
  }
  say(text + (v.best ? " (best so far)" : ""));
}

void TrainingReporter::note(const std::string& text) { say(text); }

bool TrainingReporter::interrupted() { return apps::interrupted(); }

Option setting_option() {
  return {"set", "KEY=VALUE", "change a key of the recipe, as in --set caption.epochs=5; may be given again and again",
          kRepeatable};
}

OptionGroup run_option_group() {
  return {"How to run",
          {{"resume", "", "go on with the training that was begun, exactly where it was"},
           {"overwrite", "", "begin anew and throw away the training that was begun"},
           {"threads,t", "N", "processor threads (default: the recipe's, or all that the process may use)"}}};
}

void apply_settings(train::Recipe& recipe, const ParsedArguments& arguments) {
  for (const std::string& setting : arguments.list("set")) {
    const std::size_t equals = setting.find('=');
    if (equals == std::string::npos) {
      throw Error(ErrorCode::kUsage, "--set takes KEY=VALUE, not " + quote(setting));
    }
    train::set(recipe, setting.substr(0, equals), setting.substr(equals + 1));
  }
  if (arguments.has("threads")) recipe.threads = arguments.integer("threads", 0, 1, 1024);
}

train::Trainer::Start training_start(const ParsedArguments& arguments) {
  using Start = train::Trainer::Start;
  if (arguments.has("resume") && arguments.has("overwrite")) {
    throw Error(ErrorCode::kUsage, "--resume and --overwrite do not go together");
  }
  return arguments.has("resume") ? Start::kGoOn : arguments.has("overwrite") ? Start::kOver : Start::kAnew;
}

}  // namespace glimpse::apps
