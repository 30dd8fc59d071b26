// Entry point of the command line; the one place that catches exceptions.
#include <array>
#include <csignal>
#include <exception>
#include <filesystem>
#include <new>
#include <string>
#include <vector>

#include "cli/arguments.h"
#include "cli/command.h"
#include "cli/terminal.h"
#include "dnn/runtime/threads.h"

namespace glimpse::apps {
namespace {

struct Command {
  std::string_view name;
  std::string_view summary;
  ExitCode (*run)(Arguments);
};

constexpr std::array kCommands = {
    Command{"caption", "say what is on pictures", run_caption},
    Command{"overlay", "draw where the model looked at each word", run_overlay},
    Command{"batch", "caption folders, lists and archives, and make a report", run_batch},
    Command{"eval", "score a model's captions beside what people wrote", run_eval},
    Command{"train", "make a model from pictures and captions", run_train},
    Command{"scenes", "draw captioned pictures to learn from, endlessly", run_scenes},
    Command{"digits", "draw pictures of digits to look around on", run_digits},
    Command{"look", "read digits by looking a few times, and draw where", run_look},
    Command{"compare", "train several recipes on equal terms, and say how they did", run_compare},
    Command{"info", "describe a model", run_info},
    Command{"pack", "make one file of an unpacked model folder", run_pack},
    Command{"bench", "measure the encoder and the decoder on this machine", run_bench},
};

std::string usage() {
  std::string text =
      "usage: glimpse COMMAND [options] …\n\n"
      "Captions pictures and shows where the model looked at each word.\n\n" +
      bold("Commands") + "\n";
  for (const Command& command : kCommands) {
    text += "  " + std::string(command.name) + std::string(10 - command.name.size(), ' ') +
            std::string(command.summary) + "\n";
  }
  return text +
         "\nglimpse COMMAND --help lists a command's options, glimpse --version says what it is built from.\n\n"
         "  glimpse caption photo.jpg\n"
         "  glimpse overlay photo.jpg -o out/\n"
         "  glimpse batch photos/ -o captions.jsonl --report report/\n";
}

ExitCode run(Arguments arguments) {
  if (arguments.empty()) throw Error(ErrorCode::kUsage, "which command? (glimpse --help lists them)");
  const std::string& name = arguments.front();
  if (name == "--help" || name == "-h" || name == "help") {
    write_output(usage());
    return ExitCode::kDone;
  }
  if (name == "--version") {
    write_output("glimpse " GLIMPSE_VERSION "\n" + dnn::version() + "\n");
    return ExitCode::kDone;
  }
  std::vector<std::string_view> names;
  for (const Command& command : kCommands) {
    if (command.name == name) return command.run(arguments.subspan(1));
    names.push_back(command.name);
  }
  std::error_code ignored;
  if (std::filesystem::exists(name, ignored)) {
    throw Error(ErrorCode::kUsage, quote(name) + " is no command; did you mean 'glimpse caption " + name + "'?");
  }
  throw Error(ErrorCode::kUsage,
              "unknown command " + quote(name) + did_you_mean(name, names) + " (glimpse --help lists all commands)");
}

ExitCode guarded_run(Arguments arguments) {
  try {
    return run(arguments);
  } catch (const ReaderGone&) {
    return ExitCode::kDone;
  } catch (const Error& error) {
    report_error(error.what());
    return exit_code(error.code());
  } catch (const std::bad_alloc&) {
    report_error("not enough memory");
  } catch (const std::exception& error) {
    report_error(std::string("internal error: ") + error.what());
  }
  return ExitCode::kFailure;
}

}  // namespace

ExitCode exit_code(ErrorCode code) {
  switch (code) {
    case ErrorCode::kUsage:
      return ExitCode::kUsage;
    case ErrorCode::kModel:
      return ExitCode::kModel;
    case ErrorCode::kDiverged:
      return ExitCode::kDiverged;
    case ErrorCode::kInterrupted:
      return ExitCode::kInterrupted;
    default:
      return ExitCode::kFailure;
  }
}

}  // namespace glimpse::apps

int main(int argc, char** argv) {
  std::signal(SIGPIPE, SIG_IGN);  // a reader that has gone is noticed when writing
  const std::vector<std::string> arguments(argv + (argc > 0 ? 1 : 0), argv + argc);
  return static_cast<int>(glimpse::apps::guarded_run(arguments));
}
