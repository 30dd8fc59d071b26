// glimpse info: what a model is made of.
#include <algorithm>
#include <array>

#include "cli/arguments.h"
#include "cli/command.h"
#include "cli/options.h"
#include "cli/terminal.h"
#include "commands/attention_table.h"
#include "core/json.h"
#include "core/numbers.h"
#include "core/text.h"
#include "pipeline/locations.h"
#include "pipeline/model_facts.h"

namespace glimpse::apps {
namespace {

/// "1234567" as "1,234,567"
std::string grouped(std::int64_t number) {
  std::string digits = std::to_string(number);
  for (std::ptrdiff_t i = static_cast<std::ptrdiff_t>(digits.size()) - 3; i > 0; i -= 3) {
    digits.insert(static_cast<std::size_t>(i), ",");
  }
  return digits;
}

/// "2.338 million", or the number itself below that.
std::string in_millions(std::int64_t number) {
  if (number < 1'000'000) return grouped(number);
  return in_short(static_cast<double>(number) / 1e6) + " million";
}

std::string_view resize_name(Preprocess::Resize resize) {
  switch (resize) {
    case Preprocess::Resize::kStretch:
      return "stretch";
    case Preprocess::Resize::kCentreCrop:
      return "centre-crop";
    case Preprocess::Resize::kFit:
      return "fit";
  }
  return "";
}

std::string triple(const std::array<double, 3>& values) {
  return in_short(values[0]) + ", " + in_short(values[1]) + ", " + in_short(values[2]);
}

/// A value of the provenance on one line; whole texts, such as a recipe, are only counted.
std::string shown(const Json& value) {
  const auto text = value.get<std::string>();
  if (!text) return value.dump({.lenient = true});
  const auto lines = std::count(text->begin(), text->end(), '\n');
  return lines > 1 ? std::to_string(lines) + " lines (--format json has them)" : *text;
}

/// The provenance that a model's maker wrote; null where there is none.
Json provenance(const ModelConfig& config) {
  return config.provenance.empty() ? Json() : parse_json(config.provenance, "provenance");
}

std::string line(std::string_view label, const std::string& value) {
  std::string padded(label);
  padded.resize(13, ' ');
  return bold(padded) + one_line(value) + "\n";
}

std::string describe(const Model& model, const ModelFacts& facts) {
  const ModelConfig& config = model.config();
  const Preprocess& input = config.input;
  std::string text = line("model", config.name);
  text += line("file", model.weights().path().string() + ", " + grouped(facts.file_bytes) + " bytes");
  text += line("input", std::to_string(input.width) + " × " + std::to_string(input.height) + " " +
                            (input.rgb ? "RGB" : "BGR") + ", " + std::string(resize_name(input.resize)) + "; mean " +
                            triple(input.mean) + "; deviation " + triple(input.std));
  text += line("encoder", std::to_string(facts.nodes) + " nodes, " + in_millions(facts.encoder_parameters) +
                              " parameters, " + in_millions(facts.multiply_adds) + " multiply-adds a picture");
  text += line("map", std::to_string(config.rows) + " × " + std::to_string(config.cols) + " cells, " +
                          std::to_string(facts.channels) + " channels, node " + quote(config.output_node));
  std::string sizes;
  for (const auto& [label, size] : facts.sizes)
    sizes += (sizes.empty() ? "" : ", ") + label + " " + std::to_string(size);
  text += line("decoder", in_millions(facts.decoder_parameters) + " parameters; " + sizes);
  for (const auto& [key, formula] : decoder_formulas(config.decoder)) {
    text += line("", std::string(key) + ": " + std::string(formula));
  }
  if (config.decoder.has_window())
    text += line("", "window: " + in_short(config.decoder.window) + " cells to each side");
  text += line("vocabulary", grouped(static_cast<std::int64_t>(config.vocabulary.size())) + " words");
  for (const auto& [type, totals] : facts.tensors) {
    text +=
        line("tensors", grouped(totals.count) + " of " + std::string(type) + ", " + grouped(totals.bytes) + " bytes");
  }
  const Json origin = provenance(config);
  if (origin.is_null()) return text + line("provenance", "not recorded");
  std::string_view label = "provenance";
  for (const auto& [key, value] : origin.members()) {
    text += line(label, key + ": " + shown(value));
    label = "";
  }
  return text;
}

std::string to_json(const Model& model, const ModelFacts& facts) {
  const ModelConfig& config = model.config();
  Json json = {{"name", config.name}, {"file", model.weights().path().string()}, {"bytes", facts.file_bytes}};
  json["input"] = {{"width", config.input.width},
                   {"height", config.input.height},
                   {"resize", resize_name(config.input.resize)},
                   {"colour", config.input.rgb ? "RGB" : "BGR"}};
  json["encoder"] = {{"nodes", facts.nodes},
                     {"parameters", facts.encoder_parameters},
                     {"multiply_adds", facts.multiply_adds},
                     {"output", config.output_node},
                     {"rows", config.rows},
                     {"cols", config.cols},
                     {"channels", facts.channels}};
  json["decoder"] = {{"parameters", facts.decoder_parameters}};
  for (const auto& [label, size] : facts.sizes) json["decoder"][label] = size;
  for (const auto& [key, formula] : decoder_formulas(config.decoder)) json["decoder"][key] = formula;
  if (config.decoder.has_window()) json["decoder"]["window"] = config.decoder.window;
  json["vocabulary"] = config.vocabulary.size();
  json["tensors"] = Json::object();
  for (const auto& [type, totals] : facts.tensors) {
    json["tensors"][type] = {{"count", totals.count}, {"parameters", totals.parameters}, {"bytes", totals.bytes}};
  }
  json["provenance"] = provenance(config);
  return json.dump({.lenient = true}) + "\n";
}

std::string describe_attention() {
  std::string text;
  std::string_view group;
  for (const AttentionEntry& entry : attention_table()) {
    if (entry.group != group) text += (text.empty() ? "" : "\n") + bold(std::string(entry.setting)) + "\n";
    group = entry.group;
    std::string name(entry.name);
    name.resize(17, ' ');
    text.append("  ").append(name).append(entry.equation).append("\n").append(19, ' ');
    text.append(entry.source).append("\n");
  }
  return text;
}

std::string attention_json() {
  Json json = Json::list();
  for (const AttentionEntry& entry : attention_table()) {
    json.push_back({{"group", entry.group},
                    {"name", entry.name},
                    {"setting", entry.setting},
                    {"equation", entry.equation},
                    {"source", entry.source}});
  }
  return json.dump() + "\n";
}

}  // namespace

ExitCode run_info(Arguments arguments) {
  OptionGroup group{
      "Options",
      {{"format", "FORMAT", "text or json (default: text)"},
       {"graph", "", "print the encoder's graph, as text that glimpse can read, and nothing else"},
       {"attention", "",
        "print every attention mechanism there is: how a recipe or a graph asks for it, its equation and its source"}}};
  const CommandLine command = {
      "glimpse info [options] [MODEL]",
      "Describes a model: where it comes from, what goes in, its encoder, its decoder. MODEL is a bundle or the folder "
      "of an unpacked model; without it, the model that glimpse caption would use.",
      {group},
      "",
  };
  const std::optional<ParsedArguments> parsed = parse_arguments(command, arguments);
  if (!parsed) return ExitCode::kDone;
  if (parsed->positional.size() > 1) throw Error(ErrorCode::kUsage, "info describes one model at a time");
  const auto format = choose<Format>("format", parsed->text("format").value_or("text"),
                                     {{"text", Format::kText}, {"json", Format::kJson}});
  if (parsed->has("attention")) {
    if (!parsed->positional.empty()) {
      throw Error(ErrorCode::kUsage, "--attention is about all mechanisms and takes no model; 'glimpse info " +
                                         parsed->positional.front() + "' says which that model has");
    }
    write_output(format == Format::kJson ? attention_json() : describe_attention());
    return ExitCode::kDone;
  }
  const Model model = load_model(parsed->positional.empty() ? std::nullopt : std::optional(parsed->positional.front()));
  if (parsed->has("graph")) {
    write_output(model.config().graph);
    return ExitCode::kDone;
  }
  const ModelFacts facts = model_facts(model);
  write_output(format == Format::kJson ? to_json(model, facts) : describe(model, facts));
  return ExitCode::kDone;
}

}  // namespace glimpse::apps
