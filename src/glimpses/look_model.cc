#include "glimpses/look_model.h"

#include <algorithm>
#include <span>

#include "core/error.h"
#include "core/json.h"
#include "model/half_tensors.h"
#include "model/json_section.h"

namespace glimpse {
namespace {

constexpr int kVersion = 1;
constexpr std::string_view kConfigKey = "model.json";

constexpr int kLargestSide = 4096;
constexpr int kLargestPatch = 256;
constexpr int kMostScales = 8;
constexpr int kMostGlimpses = 1000;
constexpr int kMostObjects = 100;
constexpr int kMostClasses = 100'000;

constexpr Spelling<LookConfig::Kind> kKinds[] = {{LookConfig::Kind::kRam, "ram"}, {LookConfig::Kind::kDram, "dram"}};
constexpr Spelling<LookConfig::Core> kCores[] = {
    {LookConfig::Core::kRelu, "relu(core.in g + core.hidden h)"},
    {LookConfig::Core::kLstm, "lstm, gates i,f,g,o = core.in g + core.hidden h, one bias"}};
constexpr std::string_view kInput = "grey, light on black, 0 to 1";

/// Numbers that make no model: what is wrong with them, or nothing.
std::string complaint(const LookConfig& config) {
  const std::int64_t widest = std::int64_t{config.patch} << (config.scales - 1);
  if (widest > 2 * kLargestSide) {
    return "has patches " + std::to_string(widest) + " pixels wide, of " + std::to_string(config.scales) +
           " scales; take fewer";
  }
  if (config.kind == LookConfig::Kind::kRam) {
    if (config.objects != 1) {
      return "is of kind 'ram' and has " + std::to_string(config.objects) + " objects; it says one, 'dram' several";
    }
  } else if (config.width % config.coarse != 0 || config.height % config.coarse != 0) {
    return "looks at pictures of " + std::to_string(config.width) + " × " + std::to_string(config.height) +
           " pixels, which squares of " + std::to_string(config.coarse) + " do not fill; change 'coarse'";
  }
  return {};
}

void add_dense(std::vector<std::pair<std::string, Shape>>& tensors, const std::string& name, std::int64_t out,
               std::int64_t in, bool bias = true) {
  tensors.emplace_back(name + ".weight", Shape{out, in});
  if (bias) tensors.emplace_back(name + ".bias", Shape{out});
}

void check_tensors(const LookConfig& config, const Weights& weights) {
  const auto size = [&](const char* name, std::size_t dimension) {
    const Shape& shape = weights.at(name).shape;
    if (shape.size() == 2) return shape[dimension];
    throw Error(ErrorCode::kModel, quote(weights.path().native()) + ": the tensor " + quote(name) + " is no matrix");
  };
  const LookShape shape{size("retina.weight", 0), size("glimpse.what.weight", 0), size("class.weight", 1)};
  for (const auto& [name, wanted] : look_tensors(config, shape)) {
    const Shape& found = weights.at(name).shape;
    if (found == wanted) continue;
    throw Error(ErrorCode::kModel, quote(weights.path().native()) + ": the tensor " + quote(name) + " is " +
                                       to_string(found) + ", not " + to_string(wanted));
  }
}

}  // namespace

std::vector<std::pair<std::string, Shape>> look_tensors(const LookConfig& config, const LookShape& shape) {
  const bool lstm = config.core == LookConfig::Core::kLstm;
  const std::int64_t gates = lstm ? 4 * shape.hidden : shape.hidden;
  std::vector<std::pair<std::string, Shape>> tensors;
  add_dense(tensors, "retina", shape.features, config.retina_size());
  add_dense(tensors, "where", shape.features, 2);
  add_dense(tensors, "glimpse.what", shape.glimpse, shape.features);
  add_dense(tensors, "glimpse.where", shape.glimpse, shape.features, config.kind == LookConfig::Kind::kDram);
  add_dense(tensors, "core.in", gates, shape.glimpse);
  add_dense(tensors, "core.hidden", gates, shape.hidden, false);
  if (config.kind == LookConfig::Kind::kDram) {
    add_dense(tensors, "context.in", shape.features, config.coarse_size());
    add_dense(tensors, "context.out", shape.hidden, shape.features);
    add_dense(tensors, "upper.in", 4 * shape.hidden, shape.hidden);
    add_dense(tensors, "upper.hidden", 4 * shape.hidden, shape.hidden, false);
  }
  add_dense(tensors, "place", 2, shape.hidden);
  add_dense(tensors, "class", config.outputs(), shape.hidden);
  return tensors;
}

void check(const LookConfig& config) {
  const std::string wrong = complaint(config);
  if (!wrong.empty()) throw Error(ErrorCode::kUsage, "a model that looks around " + wrong);
}

LookConfig look_config_from_json(std::string_view json, const std::string& file) {
  const JsonSection root = JsonSection::parse(json, file);
  root.check_version(kVersion);
  if (!root.has("kind")) {
    if (root.has("decoder")) root.fail("", "is of a captioner; 'glimpse caption' runs it, not 'glimpse look'");
    root.fail("kind", "is missing");
  }
  root.allow_only(
      {"version", "kind", "name", "input", "retina", "core", "glimpses", "objects", "coarse", "classes", "provenance"});
  LookConfig config;
  config.kind = root.choice<LookConfig::Kind>("kind", kKinds);
  config.name = root.text("name");
  const JsonSection input = root.section("input");
  input.allow_only({"width", "height", "colour"});
  config.width = input.whole("width", 1, kLargestSide);
  config.height = input.whole("height", 1, kLargestSide);
  if (input.text("colour") != kInput) {
    input.fail("colour", "is " + quote(input.text("colour")) + "; known is " + quote(kInput));
  }
  const JsonSection retina = root.section("retina");
  retina.allow_only({"patch", "scales"});
  config.patch = retina.whole("patch", 1, kLargestPatch);
  config.scales = retina.whole("scales", 1, kMostScales);
  config.core = root.choice<LookConfig::Core>("core", kCores);
  config.glimpses = root.whole("glimpses", 1, kMostGlimpses);
  config.objects = root.whole("objects", 1, kMostObjects);
  if (config.kind == LookConfig::Kind::kDram) config.coarse = root.whole("coarse", 1, kLargestSide);
  config.classes = root.texts("classes");
  if (config.classes.empty() || config.classes.size() > kMostClasses) {
    root.fail("classes", "are " + std::to_string(config.classes.size()) + ", not 1 to " + std::to_string(kMostClasses));
  }
  if (root.has("provenance")) config.provenance = root.object("provenance");
  const std::string wrong = complaint(config);
  if (!wrong.empty()) root.fail("", wrong);
  return config;
}

std::string look_config_to_json(const LookConfig& config) {
  Json json;
  json["version"] = kVersion;
  json["kind"] = spell<LookConfig::Kind>(kKinds, config.kind);
  json["name"] = config.name;
  json["input"] = {{"width", config.width}, {"height", config.height}, {"colour", kInput}};
  json["retina"] = {{"patch", config.patch}, {"scales", config.scales}};
  json["core"] = spell<LookConfig::Core>(kCores, config.core);
  json["glimpses"] = config.glimpses;
  json["objects"] = config.objects;
  if (config.kind == LookConfig::Kind::kDram) json["coarse"] = config.coarse;
  json["classes"] = Json::list(config.classes);
  if (!config.provenance.empty()) json["provenance"] = parse_json(config.provenance, "provenance");
  return json.dump({.indent = 1});
}

LookModel LookModel::load(const std::filesystem::path& path) {
  Weights weights(path);
  const auto found = weights.metadata().find(kConfigKey);
  if (found == weights.metadata().end()) {
    throw Error(ErrorCode::kModel,
                quote(path.native()) + " is not a glimpse model: its metadata has no " + quote(kConfigKey));
  }
  LookConfig config = look_config_from_json(found->second, path.native() + " (" + std::string(kConfigKey) + ")");
  check_tensors(config, weights);
  return {std::move(config), std::move(weights)};
}

void write_look_bundle(const LookConfig& config, const std::map<std::string, TensorView, std::less<>>& tensors,
                       const std::filesystem::path& path) {
  write_half_tensors(tensors, {{std::string(kConfigKey), look_config_to_json(config)}}, path);
}

}  // namespace glimpse
