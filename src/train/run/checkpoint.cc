#include "train/run/checkpoint.h"

#include <algorithm>
#include <cmath>
#include <string_view>
#include <utility>
#include <vector>

#include "core/error.h"
#include "core/hash.h"
#include "core/json.h"
#include "core/text.h"

namespace glimpse::train {
namespace {

constexpr int kVersion = 1;
// Keys of the file's metadata.
constexpr const char* kCounters = "glimpse.counters";
constexpr const char* kFingerprint = "glimpse.fingerprint";
constexpr const char* kGraph = "glimpse.graph";
constexpr const char* kShapes = "glimpse.shapes";

std::string shapes_to_json(const Architecture& architecture) {
  Json json = Json::object();
  for (const auto& [name, shape] : architecture.tensors) json[name] = Json::list(shape);
  return json.dump();
}

template <typename Map>
Json map_to_json(const Map& map) {
  Json json = Json::object();
  for (const auto& [key, value] : map) json[key] = value;
  return json;
}

/// False where it is no object or a value is of another type.
template <typename T>
bool read_map(const Json& json, std::map<std::string, T, std::less<>>& map) {
  for (const Json::Member& member : json.members()) {
    std::optional<T> value = member.value.get<T>();
    if (!value) return false;
    map[member.key] = *std::move(value);
  }
  return json.is_object();
}

std::string counters_to_json(const Counters& counters) {
  Json json = {{"version", kVersion},
               {"stage", counters.stage},
               {"epoch", counters.epoch},
               {"step", counters.step},
               {"seeds", map_to_json(counters.seeds)},
               {"random_states", map_to_json(counters.random_states)},
               {"recipe", counters.recipe}};
  if (counters.best_validation) {
    // NaN is refused: JSON cannot hold it, and no score would ever be better.
    if (!std::isfinite(*counters.best_validation)) {
      throw Error(ErrorCode::kUsage, "a checkpoint's best validation is " + std::to_string(*counters.best_validation) +
                                         "; keep the last finite one");
    }
    json["best_validation"] = *counters.best_validation;
  }
  try {
    return json.dump();
  } catch (const Error&) {
    throw Error(ErrorCode::kUsage, "a checkpoint's counters hold text that is not UTF-8");
  }
}

[[noreturn]] void fail(const std::filesystem::path& path, const std::string& what) {
  throw Error(ErrorCode::kModel, quote(path.native()) + ' ' + what);
}

const std::string& metadata_of(const Weights& weights, const char* key) {
  const auto found = weights.metadata().find(key);
  if (found == weights.metadata().end()) {
    fail(weights.path(), "is not a checkpoint of a training: its metadata has no " + quote(key));
  }
  return found->second;
}

Json json_of(const Weights& weights, const char* key) {
  const std::string& text = metadata_of(weights, key);
  return parse_json(text, weights.path().native() + " (" + key + ')', {.code = ErrorCode::kModel});
}

Counters read_counters(const Weights& weights) {
  const Json json = json_of(weights, kCounters);
  const auto version = json.at("version").get<int>();
  if (version && *version != kVersion) {
    fail(weights.path(), "is a checkpoint of version " + std::to_string(*version) + "; this glimpse reads version " +
                             std::to_string(kVersion));
  }
  const auto stage = json.at("stage").get<std::string>();
  const auto epoch = json.at("epoch").get<int>();
  const auto step = json.at("step").get<std::int64_t>();
  const auto recipe = json.at("recipe").get<std::string>();
  Counters counters;
  const bool maps =
      read_map(json.at("seeds"), counters.seeds) && read_map(json.at("random_states"), counters.random_states);
  counters.best_validation = json.at("best_validation").get<double>();
  const bool best = counters.best_validation || json.find("best_validation") == nullptr;
  if (!version || !stage || !epoch || !step || !recipe || !maps || !best) {
    fail(weights.path(), "is a checkpoint whose counters are incomplete or of the wrong type; begin without it");
  }
  counters.stage = *stage;
  counters.epoch = *epoch;
  counters.step = *step;
  counters.recipe = *recipe;
  if (counters.epoch < 0 || counters.step < 0) fail(weights.path(), "is a checkpoint with an epoch or step below 0");
  return counters;
}

/// Checks that the file's tensors are the network's, in one walk over both sorted lists of names.
void check_shapes(const Weights& weights, const Architecture& expected) {
  std::map<std::string, Shape, std::less<>> there;
  if (!read_map(json_of(weights, kShapes), there)) {
    fail(weights.path(), "is a checkpoint whose list of shapes is malformed; begin without it");
  }
  const std::string other = "is a checkpoint of another network: ";
  auto a = there.begin();
  auto b = expected.tensors.begin();
  while (a != there.end() || b != expected.tensors.end()) {
    if (b == expected.tensors.end() || (a != there.end() && a->first < b->first)) {
      fail(weights.path(),
           other + "its tensor " + quote(a->first) + ' ' + to_string(a->second) + " is not in this one");
    }
    if (a == there.end() || b->first < a->first) {
      fail(weights.path(),
           other + "it has no tensor " + quote(b->first) + ", which is " + to_string(b->second) + " here");
    }
    if (a->second != b->second) {
      fail(weights.path(), other + "its tensor " + quote(a->first) + " is " + to_string(a->second) +
                               ", this one's is " + to_string(b->second));
    }
    ++a;
    ++b;
  }
}

void check_graph(const Weights& weights, const Architecture& expected) {
  const std::vector<std::string_view> there = split_lines(metadata_of(weights, kGraph));
  const std::vector<std::string_view> here = split_lines(expected.graph);
  const auto line = [](const std::vector<std::string_view>& lines, std::size_t i) {
    return i < lines.size() ? quote(lines[i]) : std::string("nothing");
  };
  for (std::size_t i = 0; i < std::max(there.size(), here.size()); ++i) {
    if (i < there.size() && i < here.size() && there[i] == here[i]) continue;
    fail(weights.path(), "is a checkpoint of another network: line " + std::to_string(i + 1) + " of its graph is " +
                             line(there, i) + ", here it is " + line(here, i));
  }
}

}  // namespace

Architecture architecture_of(const TensorViews& tensors, std::string graph) {
  Architecture architecture;
  for (const auto& [name, tensor] : tensors) architecture.tensors.emplace(name, tensor.shape);
  architecture.graph = std::move(graph);
  return architecture;
}

std::string fingerprint(const Architecture& architecture) {
  Hash hash;
  hash.add(shapes_to_json(architecture) + '\n' + architecture.graph);
  return hash.text();
}

void write_checkpoint(const std::filesystem::path& path, const Architecture& architecture, const Counters& counters,
                      const TensorViews& tensors) {
  std::vector<NamedTensor> list;
  for (const auto& [name, tensor] : tensors) list.push_back({name, tensor});
  write_safetensors(path, list,
                    {{kCounters, counters_to_json(counters)},
                     {kFingerprint, fingerprint(architecture)},
                     {kGraph, architecture.graph},
                     {kShapes, shapes_to_json(architecture)}});
}

Checkpoint::Checkpoint(const std::filesystem::path& path, const Architecture& expected) : weights_(path) {
  if (metadata_of(weights_, kFingerprint) != fingerprint(expected)) {
    check_shapes(weights_, expected);
    check_graph(weights_, expected);
    fail(path, "is a checkpoint whose fingerprint is not its network's; begin without it");
  }
  counters_ = read_counters(weights_);
}

}  // namespace glimpse::train
