#include "random_decoder.h"

#include <cmath>

namespace glimpse::testing {

using Channels = DecoderConfig::Channels;
using FeatureProjection = DecoderConfig::FeatureProjection;
using Score = DecoderConfig::Score;
using Selector = DecoderConfig::Selector;
using Gate = DecoderConfig::Gate;
using Init = DecoderConfig::Init;
using Output = DecoderConfig::Output;

std::vector<DecoderConfig> all_variants() {
  std::vector<DecoderConfig> variants;
  for (const auto projection : {FeatureProjection::kNone, FeatureProjection::kRelu}) {
    for (const auto score : {Score::kAdditiveTanh, Score::kAdditiveRelu}) {
      for (const auto gate : {Gate::kNone, Gate::kScalar, Gate::kVector}) {
        for (const auto init : {Init::kLinear, Init::kTanh, Init::kTwoLayer}) {
          for (const auto output : {Output::kPlain, Output::kDeep, Output::kDeepTanh}) {
            DecoderConfig config;
            config.feature_projection = projection;
            config.score = score;
            config.gate = gate;
            config.init = init;
            config.output = output;
            config.never_emit = {0, 1, 3};
            variants.push_back(config);
          }
        }
      }
    }
  }
  for (const auto projection : {FeatureProjection::kNone, FeatureProjection::kRelu}) {
    for (const auto score :
         {Score::kAdditiveTanh, Score::kAdditiveRelu, Score::kDot, Score::kScaledDot, Score::kCosine}) {
      for (const int heads : {1, kHeads}) {
        if (heads == 1 && (score == Score::kAdditiveTanh || score == Score::kAdditiveRelu)) continue;  // stands above
        DecoderConfig config;
        config.feature_projection = projection;
        config.score = score;
        config.heads = heads;
        config.never_emit = {0, 1, 3};
        variants.push_back(config);
      }
    }
  }
  for (const auto selector : {Selector::kHard, Selector::kLocal, Selector::kHardLocal}) {
    for (const int heads : {1, kHeads}) {
      DecoderConfig config;
      config.selector = selector;
      config.window = 1.2;
      config.heads = heads;
      config.never_emit = {0, 1, 3};
      variants.push_back(config);
    }
  }
  for (const auto channels : {Channels::kChannelSpatial, Channels::kSpatialChannel, Channels::kElement}) {
    for (const auto selector : {Selector::kSoft, Selector::kHard, Selector::kLocal, Selector::kHardLocal}) {
      for (const int heads : {1, kHeads}) {
        DecoderConfig config;
        config.channels = channels;
        config.selector = selector;
        config.window = 1.2;
        config.heads = heads;
        if (heads > 1) config.score = selector == Selector::kSoft ? Score::kCosine : Score::kScaledDot;
        config.never_emit = {0, 1, 3};
        variants.push_back(config);
      }
    }
  }
  for (const auto output : {Output::kDeep, Output::kDeepTanh}) {
    DecoderConfig config;
    config.history = DecoderConfig::History::kAdditive;
    config.output = output;
    if (output == Output::kDeep) config.channels = Channels::kSpatialChannel;
    config.never_emit = {0, 1, 3};
    variants.push_back(config);
  }
  return variants;
}

std::string describe(const DecoderConfig& config) {
  return "projection " + std::to_string(static_cast<int>(config.feature_projection)) + ", score " +
         std::to_string(static_cast<int>(config.score)) + ", " + std::to_string(config.heads) + " heads, selector " +
         std::to_string(static_cast<int>(config.selector)) + ", channels " +
         std::to_string(static_cast<int>(config.channels)) + ", history " +
         std::to_string(static_cast<int>(config.history)) + ", gate " + std::to_string(static_cast<int>(config.gate)) +
         ", init " + std::to_string(static_cast<int>(config.init)) + ", output " +
         std::to_string(static_cast<int>(config.output));
}

TensorMap random_tensors(const DecoderConfig& config, const RandomDecoderShape& shape, std::uint64_t seed) {
  Random random(seed);
  TensorMap tensors;
  const auto add = [&](const std::string& name, const Shape& dims) {
    Tensor tensor(dims);
    const double fan_in = dims.size() > 1 ? static_cast<double>(dims[1]) : 4;
    for (float& value : tensor.values()) value = static_cast<float>(random.normal() * 1.5 / std::sqrt(fan_in));
    tensors.emplace(name, std::move(tensor));
  };
  const auto add_linear = [&](const std::string& name, std::int64_t out, std::int64_t in) {
    add(name + ".weight", {out, in});
    add(name + ".bias", {out});
  };
  const bool projects = config.feature_projection != FeatureProjection::kNone;
  const std::int64_t memory = projects ? shape.projected : shape.features;
  const std::int64_t n = shape.hidden;
  if (projects) add_linear("feature", memory, shape.features);
  add_linear("key", shape.attention, memory);
  add("query.weight", {shape.attention, n});
  const bool additive = config.score == Score::kAdditiveTanh || config.score == Score::kAdditiveRelu;
  if (additive) add("score.weight", {1, shape.attention});
  if (config.score == Score::kCosine) add("score.weight", {1, 1});
  if (shape.optional_biases) {
    add("query.bias", {shape.attention});
    if (additive) add("score.bias", {1});
  }
  if (config.selector == Selector::kLocal) {
    add_linear("place_hidden", shape.attention, n);
    add_linear("place", 2, shape.attention);
  }
  if (config.channels == Channels::kElement) {
    add_linear("element.key", memory, memory);
    add("element.query.weight", {memory, n});
  } else if (config.channels != Channels::kNone) {
    add("channel.key.weight", {shape.attention, 1});
    add_linear("channel.query", shape.attention, n);
    add("channel.score.weight", {1, shape.attention});
  }
  if (config.history != DecoderConfig::History::kNone) {
    add_linear("history.key", shape.attention, n);
    add("history.query.weight", {shape.attention, n});
    add("history.score.weight", {1, shape.attention});
    add("deep.r.weight", {shape.deep, n});
  }
  if (config.gate != Gate::kNone) add_linear("gate", config.gate == Gate::kScalar ? 1 : memory, n);
  add("embedding.weight", {shape.words, shape.embedding});
  add("lstm.weight_ih", {4 * n, shape.embedding + memory});
  add("lstm.weight_hh", {4 * n, n});
  add("lstm.bias", {4 * n});
  const bool two_layers = config.init == Init::kTwoLayer;
  if (two_layers) add_linear("init", shape.init, memory);
  add_linear("init_h", n, two_layers ? shape.init : memory);
  add_linear("init_c", n, two_layers ? shape.init : memory);
  const bool deep = config.output != Output::kPlain;
  if (deep) {
    add("deep.h.weight", {shape.deep, n});
    add("deep.z.weight", {shape.deep, memory});
    add("deep.e.weight", {shape.deep, shape.embedding});
    add("deep.bias", {shape.deep});
  }
  add_linear("output", shape.words, deep ? shape.deep : n);
  return tensors;
}

Tensor random_features(const RandomDecoderShape& shape, int images, std::uint64_t seed) {
  Tensor features(Shape{images, shape.cells, shape.features});
  Random random(seed);
  for (float& value : features.values()) value = static_cast<float>(random.normal());
  return features;
}

}  // namespace glimpse::testing
