#include "train/nets/decoder_parameters.h"

#include <algorithm>
#include <cmath>
#include <string>
#include <utility>

#include "core/error.h"
#include "core/random.h"
#include "train/nets/decoder_attention.h"

namespace glimpse::train {
namespace {

using Config = DecoderConfig;

/// Of cosines at first: between −1 and 1 alone a softmax can hardly choose (Liu et al. 2022 begin with 10, too).
constexpr float kSharpness = 10;

/// Adds tensors with random or constant numbers.
class Maker {
 public:
  Maker(std::uint64_t seed, ParameterSet& parameters) : random_(seed), parameters_(parameters) {}

  void matrix(const std::string& name, std::int64_t out, std::int64_t in) {
    uniform(name, out, in, std::sqrt(6.0 / static_cast<double>(in + out)));
  }
  void uniform(const std::string& name, std::int64_t rows, std::int64_t cols, double bound) {
    Tensor tensor(Shape{rows, cols});
    for (float& value : tensor.values()) value = static_cast<float>(bound * (2 * random_.uniform() - 1));
    parameters_.add(name, std::move(tensor), true);
  }
  Parameter& constant(const std::string& name, const Shape& shape, float value) {
    Tensor tensor(shape);
    std::ranges::fill(tensor.values(), value);
    return parameters_.add(name, std::move(tensor), false);
  }
  Parameter& bias(const std::string& name, std::int64_t size) { return constant(name, {size}, 0); }
  void statistic(const std::string& name) {
    Tensor tensor(Shape{1});
    tensor.values()[0] = 0;
    parameters_.add_statistic(name, std::move(tensor));
  }
  void linear(const std::string& name, std::int64_t out, std::int64_t in) {
    matrix(name + ".weight", out, in);
    bias(name + ".bias", out);
  }

 private:
  Random random_;
  ParameterSet& parameters_;
};

}  // namespace

DecoderShape decoder_shape(const DecoderConfig& config, const Weights& weights) {
  const auto dim = [&](const char* name, std::size_t i) {
    const Shape& shape = weights.at(name).shape;
    if (shape.size() != 2) {
      throw Error(ErrorCode::kModel, quote(weights.path().native()) + ": tensor " + quote(name) + " has shape " +
                                         to_string(shape) + ", the decoder needs a matrix");
    }
    return shape[i];
  };
  DecoderShape shape;
  shape.attention = dim("key.weight", 0);
  shape.projected = dim("key.weight", 1);
  shape.features = shape.projected;
  if (config.feature_projection != Config::FeatureProjection::kNone) shape.features = dim("feature.weight", 1);
  shape.hidden = dim("lstm.weight_hh", 1);
  shape.vocabulary = dim("embedding.weight", 0);
  shape.embedding = dim("embedding.weight", 1);
  if (config.init == Config::Init::kTwoLayer) shape.init = dim("init.weight", 0);
  if (config.output != Config::Output::kPlain) shape.deep = dim("deep.h.weight", 0);
  shape.query_bias = weights.contains("query.bias");
  return shape;
}

void add_decoder_parameters(const DecoderConfig& config, const DecoderShape& shape, std::uint64_t seed,
                            ParameterSet& parameters) {
  Maker make(seed, parameters);
  const bool projects = config.feature_projection != Config::FeatureProjection::kNone;
  const std::int64_t memory = projects ? shape.projected : shape.features;
  const std::int64_t n = shape.hidden;
  if (memory % config.heads != 0 || shape.attention % config.heads != 0) {
    throw Error(ErrorCode::kUsage, std::to_string(config.heads) + " heads cannot share maps of " +
                                       std::to_string(memory) + " channels and keys of " +
                                       std::to_string(shape.attention) + " evenly");
  }
  if (config.history != Config::History::kNone && config.output == Config::Output::kPlain) {
    throw Error(ErrorCode::kUsage, "a decoder that looks at its past (decoder.history) needs a deep output to read it");
  }
  if (projects) make.linear("feature", memory, shape.features);
  make.linear("key", shape.attention, memory);
  make.matrix("query.weight", shape.attention, n);
  if (shape.query_bias) make.bias("query.bias", shape.attention);
  if (is_additive(config.score)) make.matrix("score.weight", 1, shape.attention);
  if (config.score == Config::Score::kCosine) make.constant("score.weight", {1, 1}, kSharpness);
  if (config.selector == Config::Selector::kLocal) {
    make.linear("place_hidden", shape.attention, n);
    make.linear("place", 2, shape.attention);
  }
  if (config.is_hard()) make.statistic(kHardBaseline);
  if (config.channels == Config::Channels::kElement) {
    make.linear("element.key", memory, memory);
    make.matrix("element.query.weight", memory, n);
  } else if (config.channels != Config::Channels::kNone) {
    make.matrix("channel.key.weight", shape.attention, 1);
    make.linear("channel.query", shape.attention, n);
    make.matrix("channel.score.weight", 1, shape.attention);
  }
  if (config.history != Config::History::kNone) {
    make.linear("history.key", shape.attention, n);
    make.matrix("history.query.weight", shape.attention, n);
    make.matrix("history.score.weight", 1, shape.attention);
    make.matrix("deep.r.weight", shape.deep, n);
  }
  if (config.gate != Config::Gate::kNone) make.linear("gate", config.gate == Config::Gate::kScalar ? 1 : memory, n);
  make.uniform("embedding.weight", shape.vocabulary, shape.embedding, 0.1);
  make.matrix("lstm.weight_ih", 4 * n, shape.embedding + memory);
  make.matrix("lstm.weight_hh", 4 * n, n);
  const std::span<float> gates = make.bias("lstm.bias", 4 * n).value.values();
  std::ranges::fill(gates.subspan(static_cast<std::size_t>(n), static_cast<std::size_t>(n)), 1.0F);
  const bool two_layers = config.init == Config::Init::kTwoLayer;
  if (two_layers) make.linear("init", shape.init, memory);
  make.linear("init_h", n, two_layers ? shape.init : memory);
  make.linear("init_c", n, two_layers ? shape.init : memory);
  const bool deep = config.output != Config::Output::kPlain;
  if (deep) {
    make.matrix("deep.h.weight", shape.deep, n);
    make.matrix("deep.z.weight", shape.deep, memory);
    make.matrix("deep.e.weight", shape.deep, shape.embedding);
    make.bias("deep.bias", shape.deep);
  }
  make.linear("output", shape.vocabulary, deep ? shape.deep : n);
}

}  // namespace glimpse::train
