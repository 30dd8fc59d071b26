#include <cmath>
#include <nlohmann/json.hpp>
#include <span>

#include "core/error.h"
#include "core/text.h"
#include "model/model.h"

namespace glimpse {
namespace {

using Json = nlohmann::ordered_json;

constexpr int kVersion = 1;
constexpr int kLargestSide = 4096;
constexpr int kLargestMap = 1024;
constexpr int kMostHeads = 1024;
constexpr double kLeastWindow = 0.5;  // of cells: the nearest cell then always lies within
constexpr std::string_view kDecoderKind = "show-attend-tell";

template <typename Enum>
struct Spelling {
  Enum value;
  std::string_view text;
};

using FeatureProjection = DecoderConfig::FeatureProjection;
using Score = DecoderConfig::Score;
using Selector = DecoderConfig::Selector;
using Gate = DecoderConfig::Gate;
using Init = DecoderConfig::Init;
using Output = DecoderConfig::Output;
using Resize = Preprocess::Resize;

constexpr Spelling<Resize> kResizes[] = {
    {Resize::kStretch, "stretch"}, {Resize::kCentreCrop, "centre-crop"}, {Resize::kFit, "fit"}};
constexpr Spelling<bool> kColours[] = {{true, "RGB"}, {false, "BGR"}};
constexpr Spelling<FeatureProjection> kFeatureProjections[] = {{FeatureProjection::kNone, "none"},
                                                               {FeatureProjection::kRelu, "relu(feature)"}};
constexpr Spelling<Score> kScores[] = {{Score::kAdditiveTanh, "additive: score . tanh(key(v) + query(h))"},
                                       {Score::kAdditiveRelu, "additive: score . relu(key(v) + query(h))"},
                                       {Score::kDot, "dot: key(v) . query(h)"},
                                       {Score::kScaledDot, "scaled dot: key(v) . query(h) / sqrt(size of a head)"},
                                       {Score::kCosine, "cosine: score cos(key(v), query(h))"}};
constexpr Spelling<Selector> kSelectors[] = {
    {Selector::kSoft, "soft: softmax"},
    {Selector::kHard, "hard: one cell of the softmax"},
    {Selector::kLocal,
     "local: softmax in a window around grid * sigmoid(place(tanh(place_hidden(h)))), times a Gaussian"},
    {Selector::kHardLocal, "hard-local: softmax in a window around one cell of the softmax, times a Gaussian"}};
constexpr Spelling<Gate> kGates[] = {
    {Gate::kNone, "none"}, {Gate::kScalar, "scalar sigmoid on h[t-1]"}, {Gate::kVector, "vector sigmoid on h[t-1]"}};
constexpr Spelling<Init> kInits[] = {{Init::kLinear, "init_*(mean of projected features)"},
                                     {Init::kTanh, "tanh(init_*(mean of projected features))"},
                                     {Init::kTwoLayer, "tanh(init_*(relu(init(mean of projected features))))"}};
constexpr Spelling<Output> kOutputs[] = {
    {Output::kPlain, "output(h)"},
    {Output::kDeep, "output(deep.h h + deep.z z + deep.e e + deep.bias)"},
    {Output::kDeepTanh, "output(tanh(deep.h h + deep.z z + deep.e e + deep.bias))"}};
constexpr std::string_view kLstm = "input [embedding; context], gates i,f,g,o, one bias";

template <typename Enum>
std::string_view spell(std::span<const Spelling<Enum>> table, Enum value) {
  for (const Spelling<Enum>& row : table)
    if (row.value == value) return row.text;
  return {};
}

/// One JSON object of the file, read key by key; every complaint names file and key.
class Section {
 public:
  Section(const Json& json, std::string file, std::string name)
      : json_(json), file_(std::move(file)), name_(std::move(name)) {
    if (!json.is_object()) fail("", "is not an object");
  }

  [[noreturn]] void fail(std::string_view key, const std::string& what) const {
    std::string path = name_;
    if (!path.empty() && !key.empty()) path += '.';
    path += key;
    throw Error(ErrorCode::kModel,
                quote(file_) + ": " + (path.empty() ? "the model description" : quote(path)) + ' ' + what);
  }

  void allow_only(const std::vector<std::string_view>& keys) const {
    for (const auto& [key, unused] : json_.items()) {
      if (std::find(keys.begin(), keys.end(), key) != keys.end()) continue;
      const std::string_view near = nearest(key, keys);
      fail(key, "is not a known key" + (near.empty() ? std::string() : "; did you mean " + quote(near) + "?"));
    }
  }

  bool has(std::string_view key) const { return json_.contains(key); }

  const Json& at(std::string_view key) const {
    const auto found = json_.find(key);
    if (found == json_.end()) fail(key, "is missing");
    return *found;
  }

  Section section(std::string_view key) const {
    return {at(key), file_, name_.empty() ? std::string(key) : name_ + '.' + std::string(key)};
  }

  std::string text(std::string_view key) const {
    const Json& value = at(key);
    if (!value.is_string() || value.get_ref<const std::string&>().empty()) fail(key, "is not a text");
    return value.get<std::string>();
  }

  int whole(std::string_view key, int least, int most) const { return whole(key, at(key), least, most); }

  std::vector<int> whole_list(std::string_view key, int least, int most) const {
    const Json& list = at(key);
    if (!list.is_array()) fail(key, "is not a list");
    std::vector<int> values;
    for (const Json& entry : list) values.push_back(whole(key, entry, least, most));
    return values;
  }

  double real(std::string_view key, double least, double most) const {
    const Json& value = at(key);
    if (!value.is_number() || !(value.get<double>() >= least && value.get<double>() <= most)) {
      fail(key, "is no number from " + std::to_string(least) + " to " + std::to_string(most));
    }
    return value.get<double>();
  }

  std::array<double, 3> triple(std::string_view key) const {
    const Json& list = at(key);
    if (!list.is_array() || list.size() != 3) fail(key, "is not a list of three numbers");
    std::array<double, 3> values = {};
    for (std::size_t i = 0; i < 3; ++i) {
      if (!list[i].is_number() || !std::isfinite(list[i].get<double>())) fail(key, "is not a list of three numbers");
      values[i] = list[i].get<double>();
    }
    return values;
  }

  template <typename Enum>
  Enum choice(std::string_view key, std::span<const Spelling<Enum>> table) const {
    const std::string value = text(key);
    std::string known;
    for (const Spelling<Enum>& row : table) {
      if (row.text == value) return row.value;
      known += (known.empty() ? "" : ", ") + quote(row.text);
    }
    fail(key, "is " + quote(value) + "; known are " + known);
  }

 private:
  int whole(std::string_view key, const Json& value, int least, int most) const {
    if (!value.is_number_integer() || value.get<std::int64_t>() < least || value.get<std::int64_t>() > most) {
      fail(key, "is " + value.dump(-1, ' ', true, Json::error_handler_t::replace).substr(0, 60) +
                    ", not a whole number from " + std::to_string(least) + " to " + std::to_string(most));
    }
    return value.get<int>();
  }

  const Json& json_;
  std::string file_;
  std::string name_;
};

Preprocess read_input(const Section& input) {
  input.allow_only({"width", "height", "resize", "colour", "mean", "std"});
  Preprocess result;
  result.width = input.whole("width", 1, kLargestSide);
  result.height = input.whole("height", 1, kLargestSide);
  result.resize = input.choice<Resize>("resize", kResizes);
  result.rgb = input.choice<bool>("colour", kColours);
  result.mean = input.triple("mean");
  result.std = input.triple("std");
  for (const double deviation : result.std)
    if (deviation <= 0) input.fail("std", "holds " + std::to_string(deviation) + "; deviations are above 0");
  return result;
}

DecoderConfig read_decoder(const Section& decoder) {
  constexpr int kLargestId = 10'000'000;
  decoder.allow_only({"kind", "feature_projection", "score", "heads", "selector", "window", "gate", "init", "lstm",
                      "output", "start_id", "end_id", "unknown_id", "never_emit"});
  if (decoder.text("kind") != kDecoderKind) {
    decoder.fail("kind", "is " + quote(decoder.text("kind")) + "; known is " + quote(kDecoderKind));
  }
  if (decoder.text("lstm") != kLstm)
    decoder.fail("lstm", "is " + quote(decoder.text("lstm")) + "; known is " + quote(kLstm));
  DecoderConfig result;
  result.feature_projection = decoder.choice<FeatureProjection>("feature_projection", kFeatureProjections);
  result.score = decoder.choice<Score>("score", kScores);
  if (decoder.has("selector")) result.selector = decoder.choice<Selector>("selector", kSelectors);
  if (decoder.has("window")) result.window = decoder.real("window", kLeastWindow, kLargestMap);
  if (decoder.has("heads")) result.heads = decoder.whole("heads", 1, kMostHeads);
  result.gate = decoder.choice<Gate>("gate", kGates);
  result.init = decoder.choice<Init>("init", kInits);
  result.output = decoder.choice<Output>("output", kOutputs);
  result.start_id = decoder.whole("start_id", 0, kLargestId);
  result.end_id = decoder.whole("end_id", 0, kLargestId);
  result.unknown_id = decoder.whole("unknown_id", 0, kLargestId);
  result.never_emit = decoder.whole_list("never_emit", 0, kLargestId);
  if (std::find(result.never_emit.begin(), result.never_emit.end(), result.end_id) != result.never_emit.end()) {
    decoder.fail("never_emit", "holds end_id " + std::to_string(result.end_id) + ": captions could not end");
  }
  return result;
}

Json parse(std::string_view text, const std::string& file) {
  constexpr int kDeepest = 16;
  const auto check = [&](int depth, Json::parse_event_t, Json&) {
    if (depth > kDeepest) throw Error(ErrorCode::kModel, quote(file) + " is nested too deeply");
    return true;
  };
  try {
    return Json::parse(text, check);
  } catch (const Json::parse_error& error) {
    throw Error(ErrorCode::kModel,
                quote(file) + " is not JSON: it breaks off being so at byte " + std::to_string(error.byte));
  } catch (const Json::exception&) {
    throw Error(ErrorCode::kModel, quote(file) + " is not JSON: a number in it is out of range");
  }
}

}  // namespace

ModelConfig config_from_json(std::string_view text, const std::string& file, std::string& graph_file) {
  const Json json = parse(text, file);
  const Section root(json, file, "");
  // The version is looked at first: a later version may well have keys that this one does not know.
  if (root.has("version") && root.at("version") != kVersion) {
    root.fail("version", "is " + root.at("version").dump().substr(0, 20) + "; this glimpse reads version " +
                             std::to_string(kVersion) + ", so a newer glimpse may be needed");
  }
  root.allow_only({"version", "name", "input", "encoder", "decoder", "provenance"});
  ModelConfig config;
  config.name = root.text("name");
  config.input = read_input(root.section("input"));
  const Section encoder = root.section("encoder");
  encoder.allow_only({"graph", "output", "rows", "cols"});
  graph_file = encoder.text("graph");
  if (graph_file.find('/') != std::string::npos)
    encoder.fail("graph", "is " + quote(graph_file) + ", not the name of a file beside it");
  config.output_node = encoder.text("output");
  config.rows = encoder.whole("rows", 1, kLargestMap);
  config.cols = encoder.whole("cols", 1, kLargestMap);
  config.decoder = read_decoder(root.section("decoder"));
  if (root.has("provenance")) {
    if (!root.at("provenance").is_object()) root.fail("provenance", "is not an object");
    config.provenance = root.at("provenance").dump();
  }
  return config;
}

std::vector<std::pair<std::string_view, std::string_view>> decoder_formulas(const DecoderConfig& config) {
  return {{"feature_projection", spell<FeatureProjection>(kFeatureProjections, config.feature_projection)},
          {"score", spell<Score>(kScores, config.score)},
          {"selector", spell<Selector>(kSelectors, config.selector)},
          {"gate", spell<Gate>(kGates, config.gate)},
          {"init", spell<Init>(kInits, config.init)},
          {"lstm", kLstm},
          {"output", spell<Output>(kOutputs, config.output)}};
}

std::string config_to_json(const ModelConfig& config) {
  Json json;
  json["version"] = kVersion;
  json["name"] = config.name;
  const Preprocess& input = config.input;
  json["input"] = {{"width", input.width},
                   {"height", input.height},
                   {"resize", spell<Resize>(kResizes, input.resize)},
                   {"colour", spell<bool>(kColours, input.rgb)},
                   {"mean", input.mean},
                   {"std", input.std}};
  json["encoder"] = {
      {"graph", "encoder.graph"}, {"output", config.output_node}, {"rows", config.rows}, {"cols", config.cols}};
  Json decoder = {{"kind", kDecoderKind}};
  for (const auto& [key, formula] : decoder_formulas(config.decoder)) decoder[std::string(key)] = formula;
  const bool windows = config.decoder.selector == Selector::kLocal || config.decoder.selector == Selector::kHardLocal;
  if (windows) decoder["window"] = config.decoder.window;
  if (config.decoder.heads != 1) decoder["heads"] = config.decoder.heads;
  decoder["start_id"] = config.decoder.start_id;
  decoder["end_id"] = config.decoder.end_id;
  decoder["unknown_id"] = config.decoder.unknown_id;
  decoder["never_emit"] = config.decoder.never_emit;
  json["decoder"] = decoder;
  if (!config.provenance.empty()) json["provenance"] = Json::parse(config.provenance);
  return json.dump(1);
}

}  // namespace glimpse
