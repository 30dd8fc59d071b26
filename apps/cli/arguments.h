/// Command lines with our own help layout and messages that say what was meant. Boost.Program_options, which takes them
/// apart, is known to arguments.cc alone.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "cli/command.h"
#include "core/error.h"
#include "core/text.h"

namespace glimpse::apps {

constexpr bool kRepeatable = true;

struct Option {
  std::string names;      ///< "output,o", or "output" where no letter stands for it
  std::string parameter;  ///< what --help calls its value; empty for an option without one
  std::string description;
  bool repeatable = false;  ///< may be given again and again

  std::string name() const { return names.substr(0, names.find(',')); }
};

/// A titled group of options.
struct OptionGroup {
  std::string title;
  std::vector<Option> options;
};

struct CommandLine {
  std::string usage;    ///< "glimpse caption [options] PICTURE…"
  std::string summary;  ///< a sentence or two on what the command does
  std::vector<OptionGroup> groups;
  std::string notes;  ///< printed after the options; may be empty
};

struct ParsedArguments {
  std::map<std::string, std::vector<std::string>> values;  ///< of the options that were given; empty without parameter
  std::vector<std::string> positional;

  bool has(const std::string& name) const { return values.contains(name); }
  std::optional<std::string> text(const std::string& name) const;
  /// All values of an option that may be given again and again.
  std::vector<std::string> list(const std::string& name) const;
  /// The option's number, or `standard` where it is not given. Throws Error(kUsage) outside [least, most].
  int integer(const std::string& name, int standard, int least, int most) const;
  double real(const std::string& name, double standard, double least, double most) const;
};

/// Nothing where `--help` was asked for and has been printed. Throws Error(kUsage).
std::optional<ParsedArguments> parse_arguments(const CommandLine& command, Arguments arguments);

std::string help_text(const CommandLine& command);

/// "; did you mean 'X'?" or nothing.
std::string did_you_mean(std::string_view name, const std::vector<std::string_view>& candidates);

/// The value that `name` stands for; throws Error(kUsage) naming the option and all names it takes.
template <typename T>
T choose(std::string_view option, const std::string& name, const std::vector<std::pair<std::string_view, T>>& choices) {
  std::string all;
  std::vector<std::string_view> names;
  for (const auto& [choice, value] : choices) {
    if (choice == name) return value;
    names.push_back(choice);
    all += (all.empty() ? "" : ", ") + std::string(choice);
  }
  throw Error(ErrorCode::kUsage, "--" + std::string(option) + " does not know " + quote(name) +
                                     did_you_mean(name, names) + " (it takes: " + all + ")");
}

}  // namespace glimpse::apps
