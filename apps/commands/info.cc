// glimpse info: what a model is made of.
#include <algorithm>
#include <array>
#include <cstdio>
#include <filesystem>
#include <map>
#include <nlohmann/json.hpp>
#include <set>

#include "cli/arguments.h"
#include "cli/command.h"
#include "cli/locations.h"
#include "cli/options.h"
#include "cli/terminal.h"
#include "commands/attention_table.h"
#include "core/tensor.h"
#include "core/text.h"
#include "net/graph.h"
#include "pipeline/captioner.h"

namespace glimpse::apps {
namespace {

using Json = nlohmann::ordered_json;

struct TensorTotals {
  std::int64_t count = 0;
  std::int64_t parameters = 0;
  std::int64_t bytes = 0;
};

struct ModelSummary {
  std::int64_t file_bytes = 0;
  std::size_t nodes = 0;
  std::int64_t encoder_parameters = 0;
  std::int64_t decoder_parameters = 0;
  std::int64_t multiply_adds = 0;                           ///< of the encoder, for one picture
  std::int64_t channels = 0;                                ///< of the map
  std::map<std::string_view, TensorTotals> tensors;         ///< by element type
  std::vector<std::pair<std::string, std::int64_t>> sizes;  ///< of the decoder's parts
};

/// The tensors' names begin with what the graph's nodes say; whatever belongs to no node is the decoder's.
bool belongs_to_encoder(const std::string& tensor, const std::set<std::string>& prefixes) {
  for (std::size_t dot = tensor.find('.'); dot != std::string::npos; dot = tensor.find('.', dot + 1)) {
    if (prefixes.count(tensor.substr(0, dot)) > 0) return true;
  }
  return false;
}

std::vector<std::pair<std::string, std::int64_t>> decoder_sizes(const Weights& weights) {
  struct Size {
    const char* label;
    const char* tensor;
    std::size_t dimension;
  };
  static constexpr std::array kSizes = {Size{"lstm_units", "lstm.weight_hh", 1},
                                        Size{"embedding", "embedding.weight", 1},
                                        Size{"attention", "key.weight", 0},
                                        Size{"features", "key.weight", 1},
                                        Size{"channel_keys", "channel.query.weight", 0},
                                        Size{"history_keys", "history.query.weight", 0}};
  std::vector<std::pair<std::string, std::int64_t>> sizes;
  for (const Size& size : kSizes) {
    if (weights.contains(size.tensor)) sizes.emplace_back(size.label, weights.at(size.tensor).shape.at(size.dimension));
  }
  return sizes;
}

ModelSummary summarise(const Model& model) {
  CaptionerOptions options;
  options.tuning = dnn::Tuning::kDirect;
  const Captioner captioner(model, options);  // a model that cannot caption is not described but refused
  const net::GraphSpec graph = net::parse_graph(model.config().graph, model.config().graph_name);
  ModelSummary summary;
  summary.nodes = graph.nodes.size();
  summary.channels = captioner.encoder().output_shape(0)[3];
  for (const dnn::StepInfo& step : captioner.encoder().steps()) summary.multiply_adds += step.flops / 2;
  std::set<std::string> prefixes;
  for (const net::Node& node : graph.nodes) prefixes.insert(node.attributes.weights());
  for (const auto& [name, tensor] : model.weights().tensors()) {
    TensorTotals& totals = summary.tensors[to_string(tensor.dtype)];
    ++totals.count;
    totals.parameters += tensor.count();
    totals.bytes += static_cast<std::int64_t>(tensor.bytes());
    (belongs_to_encoder(name, prefixes) ? summary.encoder_parameters : summary.decoder_parameters) += tensor.count();
  }
  summary.sizes = decoder_sizes(model.weights());
  summary.sizes.emplace_back("heads", model.config().decoder.heads);
  std::error_code ignored;
  summary.file_bytes = static_cast<std::int64_t>(std::filesystem::file_size(model.weights().path(), ignored));
  return summary;
}

/// "1234567" as "1,234,567"
std::string grouped(std::int64_t number) {
  std::string digits = std::to_string(number);
  for (std::ptrdiff_t i = static_cast<std::ptrdiff_t>(digits.size()) - 3; i > 0; i -= 3) {
    digits.insert(static_cast<std::size_t>(i), ",");
  }
  return digits;
}

std::string in_short(double value) {
  std::array<char, 32> text{};
  std::snprintf(text.data(), text.size(), "%.4g", value);
  return text.data();
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
  if (!value.is_string()) return value.dump(-1, ' ', false, Json::error_handler_t::replace);
  const auto& text = value.get_ref<const std::string&>();
  const auto lines = std::count(text.begin(), text.end(), '\n');
  return lines > 1 ? std::to_string(lines) + " lines (--format json has them)" : text;
}

/// The provenance that a model's maker wrote; null where there is none.
Json provenance(const ModelConfig& config) {
  return config.provenance.empty() ? Json() : Json::parse(config.provenance);
}

std::string line(std::string_view label, const std::string& value) {
  std::string padded(label);
  padded.resize(13, ' ');
  return bold(padded) + one_line(value) + "\n";
}

std::string describe(const Model& model, const ModelSummary& summary) {
  const ModelConfig& config = model.config();
  const Preprocess& input = config.input;
  std::string text = line("model", config.name);
  text += line("file", model.weights().path().string() + ", " + grouped(summary.file_bytes) + " bytes");
  text += line("input", std::to_string(input.width) + " × " + std::to_string(input.height) + " " +
                            (input.rgb ? "RGB" : "BGR") + ", " + std::string(resize_name(input.resize)) + "; mean " +
                            triple(input.mean) + "; deviation " + triple(input.std));
  text += line("encoder", std::to_string(summary.nodes) + " nodes, " + in_millions(summary.encoder_parameters) +
                              " parameters, " + in_millions(summary.multiply_adds) + " multiply-adds a picture");
  text += line("map", std::to_string(config.rows) + " × " + std::to_string(config.cols) + " cells, " +
                          std::to_string(summary.channels) + " channels, node " + quote(config.output_node));
  std::string sizes;
  for (const auto& [label, size] : summary.sizes)
    sizes += (sizes.empty() ? "" : ", ") + label + " " + std::to_string(size);
  text += line("decoder", in_millions(summary.decoder_parameters) + " parameters; " + sizes);
  for (const auto& [key, formula] : decoder_formulas(config.decoder)) {
    text += line("", std::string(key) + ": " + std::string(formula));
  }
  if (config.decoder.has_window())
    text += line("", "window: " + in_short(config.decoder.window) + " cells to each side");
  text += line("vocabulary", grouped(static_cast<std::int64_t>(config.vocabulary.size())) + " words");
  for (const auto& [type, totals] : summary.tensors) {
    text +=
        line("tensors", grouped(totals.count) + " of " + std::string(type) + ", " + grouped(totals.bytes) + " bytes");
  }
  const Json origin = provenance(config);
  if (origin.is_null()) return text + line("provenance", "not recorded");
  std::string_view label = "provenance";
  for (const auto& [key, value] : origin.items()) {
    text += line(label, key + ": " + shown(value));
    label = "";
  }
  return text;
}

std::string to_json(const Model& model, const ModelSummary& summary) {
  const ModelConfig& config = model.config();
  Json json = {{"name", config.name}, {"file", model.weights().path().string()}, {"bytes", summary.file_bytes}};
  json["input"] = {{"width", config.input.width},
                   {"height", config.input.height},
                   {"resize", resize_name(config.input.resize)},
                   {"colour", config.input.rgb ? "RGB" : "BGR"}};
  json["encoder"] = {{"nodes", summary.nodes},
                     {"parameters", summary.encoder_parameters},
                     {"multiply_adds", summary.multiply_adds},
                     {"output", config.output_node},
                     {"rows", config.rows},
                     {"cols", config.cols},
                     {"channels", summary.channels}};
  json["decoder"] = {{"parameters", summary.decoder_parameters}};
  for (const auto& [label, size] : summary.sizes) json["decoder"][label] = size;
  for (const auto& [key, formula] : decoder_formulas(config.decoder)) json["decoder"][std::string(key)] = formula;
  if (config.decoder.has_window()) json["decoder"]["window"] = config.decoder.window;
  json["vocabulary"] = config.vocabulary.size();
  json["tensors"] = Json::object();
  for (const auto& [type, totals] : summary.tensors) {
    json["tensors"][std::string(type)] = {
        {"count", totals.count}, {"parameters", totals.parameters}, {"bytes", totals.bytes}};
  }
  json["provenance"] = provenance(config);
  return json.dump(-1, ' ', false, Json::error_handler_t::replace) + "\n";
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
  Json json = Json::array();
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
  OptionGroup group{"Options", {}};
  group.options.add_options()("format", po::value<std::string>()->value_name("FORMAT"), "text or json (default: text)")(
      "graph", "print the encoder's graph, as text that glimpse can read, and nothing else")(
      "attention",
      "print every attention mechanism there is: how a recipe or a graph asks for it, its equation and its source");
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
  const ModelSummary summary = summarise(model);
  write_output(format == Format::kJson ? to_json(model, summary) : describe(model, summary));
  return ExitCode::kDone;
}

}  // namespace glimpse::apps
