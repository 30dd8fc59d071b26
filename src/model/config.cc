#include <algorithm>
#include <span>

#include "core/error.h"
#include "core/json.h"
#include "model/json_section.h"
#include "model/model.h"

namespace glimpse {
namespace {

constexpr int kVersion = 1;
constexpr int kLargestSide = 4096;
constexpr int kLargestMap = 1024;
constexpr int kMostHeads = 1024;
constexpr double kLeastWindow = 0.5;  // of cells: the nearest cell then always lies within
constexpr std::string_view kDecoderKind = "show-attend-tell";

using FeatureProjection = DecoderConfig::FeatureProjection;
using Score = DecoderConfig::Score;
using Selector = DecoderConfig::Selector;
using Channels = DecoderConfig::Channels;
using History = DecoderConfig::History;
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
constexpr Spelling<Channels> kChannels[] = {
    {Channels::kNone, "none"},
    {Channels::kChannelSpatial,
     "channel, then spatial: v *= C softmax(channel.score . tanh(channel.key mean of v + channel.query(h)))"},
    {Channels::kSpatialChannel,
     "spatial, then channel: z *= C softmax(channel.score . tanh(channel.key z + channel.query(h)))"},
    {Channels::kElement, "element-wise: v *= sigmoid(element.key(v) + element.query h)"}};
constexpr Spelling<History> kHistories[] = {
    {History::kNone, "none"},
    {History::kAdditive,
     "deep += deep.r sum over past h of softmax(history.score . tanh(history.key(past h) + history.query h)) past h"}};
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

constexpr std::string_view kGraphKind = "graph";

/// Without its mark, where it is a comment.
std::string_view first_line(std::string_view text) {
  text = text.substr(0, text.find('\n'));
  const std::size_t begin = text.find_first_not_of("# ");
  return begin == std::string_view::npos ? std::string_view() : text.substr(begin);
}

Preprocess read_input(const JsonSection& input) {
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

void read_ids(const JsonSection& decoder, DecoderConfig& result) {
  constexpr int kLargestId = 10'000'000;
  result.start_id = decoder.whole("start_id", 0, kLargestId);
  result.end_id = decoder.whole("end_id", 0, kLargestId);
  result.unknown_id = decoder.whole("unknown_id", 0, kLargestId);
  result.never_emit = decoder.whole_list("never_emit", 0, kLargestId);
  if (std::find(result.never_emit.begin(), result.never_emit.end(), result.end_id) != result.never_emit.end()) {
    decoder.fail("never_emit", "holds end_id " + std::to_string(result.end_id) + ": captions could not end");
  }
}

/// A decoder whose step is text.
DecoderConfig read_graph_decoder(const JsonSection& decoder) {
  constexpr int kMostFeatures = 1 << 20;
  decoder.allow_only({"kind", "graph", "features", "start_id", "end_id", "unknown_id", "never_emit"});
  DecoderConfig result;
  result.graph = decoder.text("graph");
  result.features = decoder.whole("features", 1, kMostFeatures);
  read_ids(decoder, result);
  return result;
}

DecoderConfig read_decoder(const JsonSection& decoder) {
  if (decoder.text("kind") == kGraphKind) return read_graph_decoder(decoder);
  decoder.allow_only({"kind", "feature_projection", "score", "heads", "selector", "window", "channels", "history",
                      "gate", "init", "lstm", "output", "start_id", "end_id", "unknown_id", "never_emit"});
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
  if (decoder.has("channels")) result.channels = decoder.choice<Channels>("channels", kChannels);
  if (decoder.has("history")) result.history = decoder.choice<History>("history", kHistories);
  result.gate = decoder.choice<Gate>("gate", kGates);
  result.init = decoder.choice<Init>("init", kInits);
  result.output = decoder.choice<Output>("output", kOutputs);
  if (result.history != History::kNone && result.output == Output::kPlain) {
    decoder.fail("history", "needs a deep output, which reads it; output is " + quote(decoder.text("output")));
  }
  read_ids(decoder, result);
  return result;
}

}  // namespace

ModelConfig config_from_json(std::string_view text, const std::string& file, std::string& graph_file) {
  const JsonSection root = JsonSection::parse(text, file);
  // The version is looked at first: a later version may well have keys that this one does not know.
  root.check_version(kVersion);
  if (root.has("kind")) {
    root.fail("kind", "is " + quote(root.text("kind")) + ": no captioner; 'glimpse look' runs such a model");
  }
  root.allow_only({"version", "name", "input", "encoder", "decoder", "provenance"});
  ModelConfig config;
  config.name = root.text("name");
  config.input = read_input(root.section("input"));
  const JsonSection encoder = root.section("encoder");
  encoder.allow_only({"graph", "output", "rows", "cols"});
  graph_file = encoder.text("graph");
  if (graph_file.find('/') != std::string::npos)
    encoder.fail("graph", "is " + quote(graph_file) + ", not the name of a file beside it");
  config.output_node = encoder.text("output");
  config.rows = encoder.whole("rows", 1, kLargestMap);
  config.cols = encoder.whole("cols", 1, kLargestMap);
  config.decoder = read_decoder(root.section("decoder"));
  if (root.has("provenance")) config.provenance = root.object("provenance");
  return config;
}

std::vector<std::pair<std::string_view, std::string_view>> decoder_formulas(const DecoderConfig& config) {
  if (!config.graph.empty()) return {{"graph", first_line(config.graph)}};
  return {{"feature_projection", spell<FeatureProjection>(kFeatureProjections, config.feature_projection)},
          {"score", spell<Score>(kScores, config.score)},
          {"selector", spell<Selector>(kSelectors, config.selector)},
          {"channels", spell<Channels>(kChannels, config.channels)},
          {"history", spell<History>(kHistories, config.history)},
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
                   {"mean", Json::list(input.mean)},
                   {"std", Json::list(input.std)}};
  json["encoder"] = {
      {"graph", "encoder.graph"}, {"output", config.output_node}, {"rows", config.rows}, {"cols", config.cols}};
  Json decoder = {{"kind", config.decoder.graph.empty() ? kDecoderKind : kGraphKind}};
  if (config.decoder.graph.empty()) {
    for (const auto& [key, formula] : decoder_formulas(config.decoder)) decoder[key] = formula;
  } else {
    decoder["graph"] = config.decoder.graph;
    decoder["features"] = config.decoder.features;
  }
  if (config.decoder.has_window()) decoder["window"] = config.decoder.window;
  if (config.decoder.heads != 1) decoder["heads"] = config.decoder.heads;
  decoder["start_id"] = config.decoder.start_id;
  decoder["end_id"] = config.decoder.end_id;
  decoder["unknown_id"] = config.decoder.unknown_id;
  decoder["never_emit"] = Json::list(config.decoder.never_emit);
  json["decoder"] = std::move(decoder);
  if (!config.provenance.empty()) json["provenance"] = parse_json(config.provenance, "provenance");
  return json.dump({.indent = 1});
}

}  // namespace glimpse
