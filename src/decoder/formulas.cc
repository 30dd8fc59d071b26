#include "decoder/formulas.h"

#include <tuple>
#include <utility>

#include "core/error.h"

namespace glimpse {
namespace {

using Channels = DecoderConfig::Channels;
using FeatureProjection = DecoderConfig::FeatureProjection;
using Gate = DecoderConfig::Gate;
using History = DecoderConfig::History;
using Init = DecoderConfig::Init;
using Output = DecoderConfig::Output;
using Score = DecoderConfig::Score;
using Selector = DecoderConfig::Selector;

/// Tensors of which only the shapes are looked at.
struct Shapes {
  const std::string& label;
  const ShapeOf& shape_of;

  [[noreturn]] void fail(std::string_view name, const std::string& what) const {
    throw Error(ErrorCode::kModel, quote(label) + ": tensor " + quote(name) + ' ' + what);
  }
  /// A matrix, both sides at least 1.
  std::pair<std::int64_t, std::int64_t> matrix(std::string_view name) const {
    const Shape* shape = shape_of(name);
    if (shape == nullptr) fail(name, "is missing");
    if (shape->size() != 2 || (*shape)[0] < 1 || (*shape)[1] < 1) {
      fail(name, "has shape " + to_string(*shape) + ", the model needs a matrix");
    }
    return {(*shape)[0], (*shape)[1]};
  }
};

bool has_channel_query(const DecoderConfig& config) {
  return config.channels == Channels::kChannelSpatial || config.channels == Channels::kSpatialChannel;
}

/// Lines of text.
class Text {
 public:
  Text(const DecoderConfig& config, const DecoderSizes& sizes) : config_(config), sizes_(sizes) {
    if (config.feature_projection == FeatureProjection::kNone) sizes_.memory = sizes.features;
    for (std::int64_t* size : {&sizes_.place, &sizes_.channel, &sizes_.history}) {
      if (*size == 0) *size = sizes.attention;
    }
  }

  std::string write() {
    line("# Show, Attend and Tell (Xu et al. 2015): once a picture");
    write_memory();
    line("# each step");
    line("state h < h0");
    line("state c < c0");
    linear("query", "h", sizes_.attention, sizes_.query_bias ? "" : " bias=0");
    linear("gates_h", "h", 4 * sizes_.hidden, " weight=lstm.weight_hh bias=lstm.bias start=lstm");
    write_attention();
    write_gate();
    line("embed word < token out=" + number(sizes_.embedding) + " words=" + number(sizes_.vocabulary) +
         " weights=embedding");
    line("dropout e < word rate=embedding");
    linear("gates_x", "e " + z_, 4 * sizes_.hidden, " weight=lstm.weight_ih bias=0");
    line("lstm h1,c1 < gates_h gates_x c");
    line("next h < h1");
    line("next c < c1");
    write_output();
    return std::move(text_);
  }

 private:
  static std::string number(std::int64_t value) { return std::to_string(value); }
  void line(const std::string& text) { text_ += text + "\n"; }
  void linear(const std::string& name, const std::string& inputs, std::int64_t out, const std::string& more = "") {
    line("linear " + name + " < " + inputs + " out=" + number(out) + more);
  }
  std::string heads() const { return " heads=" + number(config_.heads); }

  void write_memory() {
    std::string seen = "features";
    if (config_.feature_projection == FeatureProjection::kRelu) {
      linear("feature", seen, sizes_.memory, " act=relu");
      seen = "feature";
    }
    line("dropout dropped < " + seen + " rate=features");
    line("memory v < dropped");
    line("mean m < v");
    std::string start = "m";
    if (config_.init == Init::kTwoLayer) {
      linear("init", "m", sizes_.init, " act=relu");
      start = "init";
    }
    const std::string act = config_.init == Init::kLinear ? "" : " act=tanh";
    linear("h0", start, sizes_.hidden, " weights=init_h" + act);
    linear("c0", start, sizes_.hidden, " weights=init_c" + act);
    if (config_.channels != Channels::kChannelSpatial) write_keys("v");
    if (config_.channels == Channels::kElement) linear("elements", "v", sizes_.memory, " weights=element.key");
  }

  void write_keys(const std::string& map) {
    linear("key", map, sizes_.attention);
    if (config_.score == Score::kCosine) line("unit unit_key < key" + heads());
  }

  void write_attention() {
    std::string map = "v";
    if (has_channel_query(config_)) linear("channel_query", "h", sizes_.channel, " weights=channel.query");
    if (config_.channels == Channels::kElement) {
      linear("opener", "h", sizes_.memory, " weights=element.query bias=0");
    }
    if (config_.channels == Channels::kChannelSpatial) {
      line("channelweights weights < m channel_query weights=channel");
      line("mul weighed < v weights");
      map = "weighed";
      write_keys(map);
    }
    std::string keys = "key";
    std::string query = "query";
    if (config_.score == Score::kCosine) {
      line("unit unit_query < query" + heads());
      line("scale sharp < unit_query weights=score");
      keys = "unit_key";
      query = "sharp";
    }
    std::string place;
    if (config_.selector == Selector::kLocal) {
      linear("place_hidden", "h", sizes_.place, " act=tanh");
      linear("place", "place_hidden", 2, " act=sigmoid");
      place = " place";
    }
    line("attend alpha < " + keys + " " + query + place + " score=" + score() + " select=" + selector() + heads() +
         (config_.has_window() ? " window=" + shortest(config_.window) : "") + " weights=score");
    const std::string opened = config_.channels == Channels::kElement ? " elements opener" : "";
    line("read context < alpha " + map + opened + heads());
    line("output glimpse < alpha");
    if (config_.channels == Channels::kSpatialChannel) {
      line("channelweights weights < context channel_query weights=channel");
      line("mul seen < context weights");
    }
    if (has_channel_query(config_)) line("output channels < weights");
  }

  static std::string shortest(double value) {
    std::string text = std::to_string(value);
    text.erase(text.find_last_not_of('0') + 1);
    if (text.back() == '.') text.pop_back();
    return text;
  }

  std::string score() const {
    switch (config_.score) {
      case Score::kAdditiveTanh:
        return "additive-tanh";
      case Score::kAdditiveRelu:
        return "additive-relu";
      case Score::kScaledDot:
        return "scaled-dot";
      case Score::kDot:
      case Score::kCosine:
        break;
    }
    return "dot";
  }

  std::string selector() const {
    switch (config_.selector) {
      case Selector::kSoft:
        break;
      case Selector::kHard:
        return "hard";
      case Selector::kLocal:
        return "local";
      case Selector::kHardLocal:
        return "hard-local";
    }
    return "soft";
  }

  void write_gate() {
    const std::string seen = config_.channels == Channels::kSpatialChannel ? "seen" : "context";
    if (config_.gate == Gate::kNone) {
      z_ = seen;
      return;
    }
    linear("gate", "h", config_.gate == Gate::kScalar ? 1 : sizes_.memory, " act=sigmoid");
    line("mul z < " + seen + " gate");
    line("output gate < gate");
  }

  void write_output() {
    std::string last = "h1";
    if (config_.output != Output::kPlain) {
      const bool recalls = config_.history != History::kNone;
      if (recalls) line("recall past < h1 size=" + number(sizes_.history) + " weights=history");
      linear("deep_h", recalls ? "h1 past" : "h1", sizes_.deep,
             std::string(" weight=deep.h.weight") + (recalls ? ",deep.r.weight" : "") + " bias=0");
      linear("deep_x", "e " + z_, sizes_.deep, " weight=deep.e.weight,deep.z.weight bias=deep.bias");
      line(std::string("add deep < deep_h deep_x") + (config_.output == Output::kDeepTanh ? " act=tanh" : ""));
      last = "deep";
    }
    line("dropout last < " + last + " rate=output");
    linear("output", "last", sizes_.vocabulary);
    line("output words < output");
  }

  const DecoderConfig& config_;
  DecoderSizes sizes_;
  std::string z_ = "z";  // the gated context
  std::string text_;
};

}  // namespace

DecoderSizes read_sizes(const DecoderConfig& config, const std::string& label, const ShapeOf& shape_of) {
  const Shapes shapes{label, shape_of};
  DecoderSizes sizes;
  if (!config.graph.empty()) {
    sizes.features = config.features;
    std::tie(sizes.vocabulary, sizes.embedding) = shapes.matrix("embedding.weight");
    return sizes;
  }
  std::tie(sizes.attention, sizes.memory) = shapes.matrix("key.weight");
  sizes.features = sizes.memory;
  if (config.feature_projection != FeatureProjection::kNone) {
    std::tie(sizes.memory, sizes.features) = shapes.matrix("feature.weight");
  }
  const auto [gates, hidden] = shapes.matrix("lstm.weight_hh");
  sizes.hidden = hidden;
  if (gates != 4 * hidden) {
    shapes.fail("lstm.weight_hh", "has shape " + to_string(Shape{gates, hidden}) + ", the model needs 4n × n");
  }
  std::tie(sizes.vocabulary, sizes.embedding) = shapes.matrix("embedding.weight");
  if (config.init == Init::kTwoLayer) sizes.init = shapes.matrix("init.weight").first;
  if (config.selector == Selector::kLocal) sizes.place = shapes.matrix("place_hidden.weight").first;
  if (has_channel_query(config)) sizes.channel = shapes.matrix("channel.query.weight").first;
  if (config.history != History::kNone) sizes.history = shapes.matrix("history.query.weight").first;
  if (config.output != Output::kPlain) sizes.deep = shapes.matrix("deep.h.weight").first;
  sizes.query_bias = shape_of("query.bias") != nullptr;
  for (const std::int64_t size : {sizes.attention, sizes.memory}) {
    if (size % config.heads == 0) continue;
    shapes.fail("key.weight", "has shape " + to_string(Shape{sizes.attention, sizes.memory}) + ", which " +
                                  std::to_string(config.heads) + " heads cannot share evenly");
  }
  return sizes;
}

DecoderSizes read_sizes(const DecoderConfig& config, const Weights& weights) {
  const std::string label = weights.path().native();
  return read_sizes(config, label, [&](std::string_view name) -> const Shape* {
    const auto found = weights.tensors().find(name);
    if (found == weights.tensors().end() && name != "query.bias") weights.at(name);  // throws, with the nearest name
    return found == weights.tensors().end() ? nullptr : &found->second.shape;
  });
}

std::string with_sizes(std::string text, const std::vector<std::pair<std::string, std::int64_t>>& sizes) {
  const auto is_letter = [](char c) { return (c >= 'a' && c <= 'z') || c == '_'; };
  for (std::size_t at = text.find('$'); at != std::string::npos; at = text.find('$', at + 1)) {
    std::size_t end = at + 1;
    while (end < text.size() && is_letter(text[end])) ++end;
    const std::string name = text.substr(at + 1, end - at - 1);
    for (const auto& [known, value] : sizes) {
      if (known == name) text.replace(at, end - at, std::to_string(value));
    }
  }
  return text;
}

std::string decoder_text(const DecoderConfig& config, const DecoderSizes& sizes) { return Text(config, sizes).write(); }

net::StepGraph decoder_graph(const DecoderConfig& config, const DecoderSizes& sizes) {
  if (config.graph.empty()) return net::parse_step(decoder_text(config, sizes), "decoder");
  return net::parse_step(with_sizes(config.graph, {{"vocabulary", sizes.vocabulary}}), "decoder's graph");
}

const std::vector<std::string_view>& tensor_order() {
  static const std::vector<std::string_view> kOrder = {"feature.weight",
                                                       "feature.bias",
                                                       "key.weight",
                                                       "key.bias",
                                                       "query.weight",
                                                       "query.bias",
                                                       "score.weight",
                                                       "place_hidden.weight",
                                                       "place_hidden.bias",
                                                       "place.weight",
                                                       "place.bias",
                                                       "element.key.weight",
                                                       "element.key.bias",
                                                       "element.query.weight",
                                                       "channel.key.weight",
                                                       "channel.query.weight",
                                                       "channel.query.bias",
                                                       "channel.score.weight",
                                                       "history.key.weight",
                                                       "history.key.bias",
                                                       "history.query.weight",
                                                       "history.score.weight",
                                                       "deep.r.weight",
                                                       "gate.weight",
                                                       "gate.bias",
                                                       "embedding.weight",
                                                       "lstm.weight_ih",
                                                       "lstm.weight_hh",
                                                       "lstm.bias",
                                                       "init.weight",
                                                       "init.bias",
                                                       "init_h.weight",
                                                       "init_h.bias",
                                                       "init_c.weight",
                                                       "init_c.bias",
                                                       "deep.h.weight",
                                                       "deep.z.weight",
                                                       "deep.e.weight",
                                                       "deep.bias",
                                                       "output.weight",
                                                       "output.bias"};
  return kOrder;
}

}  // namespace glimpse
