#include "cli/arguments.h"

#include <algorithm>
#include <boost/program_options.hpp>
#include <charconv>
#include <sstream>

#include "cli/terminal.h"

namespace glimpse::apps {
namespace {

namespace po = boost::program_options;

constexpr std::size_t kHelpIndent = 30;            // where descriptions begin
constexpr const char* kPositional = "<argument>";  // no option can be spelt like this on a command line by accident

/// Columns that `text` takes on a terminal: its characters, counted without UTF-8's continuation bytes.
std::size_t columns(std::string_view text) {
  return static_cast<std::size_t>(
      std::count_if(text.begin(), text.end(), [](char c) { return (static_cast<unsigned char>(c) & 0xc0) != 0x80; }));
}

/// `text` broken at spaces to lines of at most `width` columns, all but the first indented.
std::string wrapped(std::string_view text, std::size_t width, std::size_t indent) {
  std::string result;
  std::size_t column = 0;
  for (const std::string_view word : split_words(text)) {
    if (column > 0 && column + 1 + columns(word) > width) {
      result += '\n' + std::string(indent, ' ');
      column = 0;
    } else if (column > 0) {
      result += ' ';
      ++column;
    }
    result += word;
    column += columns(word);
  }
  return result;
}

/// "-b, --beam N"
std::string option_label(const Option& option) {
  const std::string name = option.name();
  const std::string letter = name == option.names ? "    " : "-" + option.names.substr(name.size() + 1) + ", ";
  return letter + "--" + name + (option.parameter.empty() ? "" : " " + option.parameter);
}

/// `option` as it is said in messages, from whatever Boost calls it.
std::string unknown_option_message(std::string name, const po::options_description& all) {
  std::vector<std::string> long_names;
  for (const auto& option : all.options()) {
    if (option->long_name() != kPositional) long_names.push_back("--" + option->long_name());
  }
  if (const std::size_t equals = name.find('='); equals != std::string::npos) name.resize(equals);
  return "unknown option " + quote(name) + did_you_mean(name, {long_names.begin(), long_names.end()}) +
         " (--help lists all options)";
}

OptionGroup help_group() { return {"Help", {{"help,h", "", "print this and exit"}}}; }

po::options_description described(const std::vector<OptionGroup>& groups) {
  using Texts = std::vector<std::string>;
  po::options_description all;
  auto add = all.add_options();
  for (const OptionGroup& group : groups) {
    for (const Option& option : group.options) {
      const char* names = option.names.c_str();
      if (option.parameter.empty()) {
        add(names, "");
      } else if (option.repeatable) {
        add(names, po::value<Texts>()->composing(), "");
      } else {
        add(names, po::value<std::string>(), "");
      }
    }
  }
  add(kPositional, po::value<Texts>());
  return all;
}

std::vector<std::string> values_of(const po::variable_value& value) {
  if (const auto* texts = boost::any_cast<std::vector<std::string>>(&value.value())) return *texts;
  if (const auto* text = boost::any_cast<std::string>(&value.value())) return {*text};
  return {};
}

template <typename Number>
Number parse_number(const std::string& name, const std::string& text, Number least, Number most) {
  Number value{};
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  // Written so that a NaN is refused too.
  if (error != std::errc() || end != text.data() + text.size() || !(value >= least && value <= most)) {
    std::ostringstream message;
    message << "--" << name << " takes a number from " << least << " to " << most << ", not " << quote(text);
    throw Error(ErrorCode::kUsage, message.str());
  }
  return value;
}

}  // namespace

std::optional<std::string> ParsedArguments::text(const std::string& name) const {
  if (!has(name)) return std::nullopt;
  return values.at(name).at(0);
}

std::vector<std::string> ParsedArguments::list(const std::string& name) const {
  return has(name) ? values.at(name) : std::vector<std::string>();
}

int ParsedArguments::integer(const std::string& name, int standard, int least, int most) const {
  const std::optional<std::string> value = text(name);
  return value ? parse_number<int>(name, *value, least, most) : standard;
}

double ParsedArguments::real(const std::string& name, double standard, double least, double most) const {
  const std::optional<std::string> value = text(name);
  return value ? parse_number<double>(name, *value, least, most) : standard;
}

std::string did_you_mean(std::string_view name, const std::vector<std::string_view>& candidates) {
  const std::string_view near = nearest(name, candidates);
  return near.empty() ? "" : "; did you mean '" + std::string(near) + "'?";
}

std::string help_text(const CommandLine& command) {
  const auto width = static_cast<std::size_t>(terminal_width());
  std::vector<OptionGroup> groups = command.groups;
  groups.push_back(help_group());
  std::string text = "usage: " + command.usage + "\n\n" + wrapped(command.summary, width, 0) + "\n";
  for (const OptionGroup& group : groups) {
    text += "\n" + bold(group.title) + "\n";
    for (const Option& option : group.options) {
      std::string label = "  " + option_label(option);
      if (columns(label) + 2 > kHelpIndent) label += '\n';
      const std::size_t used = label.back() == '\n' ? 0 : columns(label);
      text += label + std::string(kHelpIndent - used, ' ') +
              wrapped(option.description, width - kHelpIndent, kHelpIndent) + "\n";
    }
  }
  if (!command.notes.empty()) text += "\n" + command.notes;
  return text;
}

std::optional<ParsedArguments> parse_arguments(const CommandLine& command, Arguments arguments) {
  std::vector<OptionGroup> groups = command.groups;
  groups.push_back(help_group());
  const po::options_description all = described(groups);
  po::positional_options_description positional;
  positional.add(kPositional, -1);

  ParsedArguments parsed;
  try {
    const int style = po::command_line_style::unix_style & ~po::command_line_style::allow_guessing;
    po::variables_map given;
    po::store(po::command_line_parser(std::vector<std::string>(arguments.begin(), arguments.end()))
                  .options(all)
                  .positional(positional)
                  .style(style)
                  .run(),
              given);
    po::notify(given);
    for (const auto& [name, value] : given) parsed.values.emplace(name, values_of(value));
  } catch (const po::unknown_option& error) {
    throw Error(ErrorCode::kUsage, unknown_option_message(error.get_option_name(), all));
  } catch (const po::error& error) {
    throw Error(ErrorCode::kUsage, std::string(error.what()) + " (--help lists all options)");
  }
  if (parsed.has("help")) {
    write_output(help_text(command));
    return std::nullopt;
  }
  parsed.positional = parsed.list(kPositional);
  return parsed;
}

}  // namespace glimpse::apps
