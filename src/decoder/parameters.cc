#include "decoder/parameters.h"

#include <algorithm>
#include <cstring>
#include <string>
#include <utility>

#include "core/error.h"

namespace glimpse {
namespace {

using Channels = DecoderConfig::Channels;
using FeatureProjection = DecoderConfig::FeatureProjection;
using Gate = DecoderConfig::Gate;
using Init = DecoderConfig::Init;
using Output = DecoderConfig::Output;
using Score = DecoderConfig::Score;

[[noreturn]] void fail(const Weights& weights, std::string_view name, const std::string& what) {
  throw Error(ErrorCode::kModel, quote(weights.path().native()) + ": tensor " + quote(name) + ' ' + what);
}

/// The shape of a matrix, both sides at least 1.
std::pair<std::int64_t, std::int64_t> matrix_shape(const Weights& weights, std::string_view name) {
  const Shape& shape = weights.at(name).shape;
  if (shape.size() != 2 || shape[0] < 1 || shape[1] < 1) {
    fail(weights, name, "has shape " + to_string(shape) + ", the model needs a matrix");
  }
  return {shape[0], shape[1]};
}

DecoderSizes read_sizes(const DecoderConfig& config, const Weights& weights, int vocabulary_size) {
  DecoderSizes sizes;
  std::tie(sizes.attention, sizes.memory) = matrix_shape(weights, "key.weight");
  sizes.features = sizes.memory;
  if (config.feature_projection != FeatureProjection::kNone) {
    std::tie(sizes.memory, sizes.features) = matrix_shape(weights, "feature.weight");
  }
  const std::int64_t gates = matrix_shape(weights, "lstm.weight_hh").first;
  sizes.hidden = matrix_shape(weights, "lstm.weight_hh").second;
  if (gates != 4 * sizes.hidden) {
    fail(weights, "lstm.weight_hh",
         "has shape " + to_string(weights.at("lstm.weight_hh").shape) + ", the model needs 4n × n");
  }
  std::tie(sizes.vocabulary, sizes.embedding) = matrix_shape(weights, "embedding.weight");
  if (sizes.vocabulary != vocabulary_size) {
    fail(weights, "embedding.weight",
         "has " + std::to_string(sizes.vocabulary) + " words, the vocabulary " + std::to_string(vocabulary_size));
  }
  if (config.gate != Gate::kNone) sizes.gate = config.gate == Gate::kScalar ? 1 : sizes.memory;
  if (config.selector == DecoderConfig::Selector::kLocal)
    sizes.place = matrix_shape(weights, "place_hidden.weight").first;
  if (config.channels == Channels::kElement) sizes.element = sizes.memory;
  if (config.channels == Channels::kChannelSpatial || config.channels == Channels::kSpatialChannel) {
    sizes.channel = matrix_shape(weights, "channel.query.weight").first;
  }
  if (config.history != DecoderConfig::History::kNone) {
    sizes.history = matrix_shape(weights, "history.query.weight").first;
  }
  if (config.output != Output::kPlain) sizes.deep = matrix_shape(weights, "deep.h.weight").first;
  return sizes;
}

/// `name`, or zeros where the file has none.
Tensor load_optional(const Weights& weights, std::string_view name, std::int64_t size) {
  if (weights.contains(name)) return weights.load(name, {size});
  Tensor zeros(Shape{size});
  std::fill(zeros.values().begin(), zeros.values().end(), 0.0F);
  return zeros;
}

/// Several matrices and biases as one product: blocks of rows, of columns, or both; what is not set is zero.
class MergedLinear {
 public:
  MergedLinear(std::int64_t out, std::int64_t in) : weight_(Shape{out, in}), bias_(Shape{out}) {
    std::fill(weight_.values().begin(), weight_.values().end(), 0.0F);
    std::fill(bias_.values().begin(), bias_.values().end(), 0.0F);
  }

  /// `block` becomes rows `row`…, columns `col`…
  void set(std::int64_t row, std::int64_t col, const Tensor& block) {
    for (std::int64_t i = 0; i < block.dim(0); ++i) {
      std::copy_n(block.data() + i * block.dim(1), block.dim(1), weight_.data() + (row + i) * weight_.dim(1) + col);
    }
  }
  void set_bias(std::int64_t row, const Tensor& block) { std::copy_n(block.data(), block.count(), bias_.data() + row); }
  dnn::Linear pack(const std::string& name) const { return {name, weight_, std::as_const(bias_).values()}; }

 private:
  Tensor weight_;
  Tensor bias_;
};

dnn::Linear load_linear(const Weights& weights, const std::string& name, std::int64_t out, std::int64_t in) {
  const Tensor weight = weights.load(name + ".weight", {out, in});
  const Tensor bias = weights.load(name + ".bias", {out});
  return {name, weight, bias.values()};
}

dnn::Linear load_feature(const DecoderConfig& config, const DecoderSizes& sizes, const Weights& weights) {
  if (config.feature_projection == FeatureProjection::kNone) return {};
  return load_linear(weights, "feature", sizes.memory, sizes.features);
}

dnn::Linear load_init(const DecoderConfig& config, const DecoderSizes& sizes, const Weights& weights) {
  if (config.init != Init::kTwoLayer) return {};
  return load_linear(weights, "init", matrix_shape(weights, "init.weight").first, sizes.memory);
}

dnn::Linear load_init_state(const DecoderConfig& config, const DecoderSizes& sizes, const Weights& weights) {
  const std::int64_t n = sizes.hidden;
  const std::int64_t in = config.init == Init::kTwoLayer ? matrix_shape(weights, "init.weight").first : sizes.memory;
  MergedLinear merged(2 * n, in);
  merged.set(0, 0, weights.load("init_h.weight", {n, in}));
  merged.set_bias(0, weights.load("init_h.bias", {n}));
  merged.set(n, 0, weights.load("init_c.weight", {n, in}));
  merged.set_bias(n, weights.load("init_c.bias", {n}));
  return merged.pack("init_h and init_c");
}

dnn::Linear load_from_hidden(const DecoderSizes& sizes, const Weights& weights) {
  const std::int64_t n = sizes.hidden;
  MergedLinear merged(sizes.from_hidden(), n);
  const auto set = [&](std::int64_t row, const std::string& name, std::int64_t size) {
    if (size == 0) return;
    merged.set(row, 0, weights.load(name + ".weight", {size, n}));
    merged.set_bias(row, weights.load(name + ".bias", {size}));
  };
  merged.set(0, 0, weights.load("query.weight", {sizes.attention, n}));
  merged.set_bias(0, load_optional(weights, "query.bias", sizes.attention));
  merged.set(sizes.lstm_at(), 0, weights.load("lstm.weight_hh", {4 * n, n}));
  merged.set_bias(sizes.lstm_at(), weights.load("lstm.bias", {4 * n}));
  set(sizes.gate_at(), "gate", sizes.gate);
  set(sizes.place_at(), "place_hidden", sizes.place);
  set(sizes.channel_at(), "channel.query", sizes.channel);
  if (sizes.element > 0) merged.set(sizes.element_at(), 0, weights.load("element.query.weight", {sizes.element, n}));
  return merged.pack("query, lstm.weight_hh, gate and what else reads h[t-1]");
}

dnn::Linear load_from_input(const DecoderSizes& sizes, const Weights& weights) {
  const std::int64_t gates = 4 * sizes.hidden;
  const std::int64_t in = sizes.embedding + sizes.memory;
  MergedLinear merged(gates + sizes.deep, in);
  merged.set(0, 0, weights.load("lstm.weight_ih", {gates, in}));
  if (sizes.deep > 0) {
    merged.set(gates, 0, weights.load("deep.e.weight", {sizes.deep, sizes.embedding}));
    merged.set(gates, sizes.embedding, weights.load("deep.z.weight", {sizes.deep, sizes.memory}));
    merged.set_bias(gates, weights.load("deep.bias", {sizes.deep}));
  }
  return merged.pack("lstm.weight_ih and deep");
}

dnn::Linear load_deep_hidden(const DecoderSizes& sizes, const Weights& weights) {
  if (sizes.deep == 0) return {};
  const Tensor of_state = weights.load("deep.h.weight", {sizes.deep, sizes.hidden});
  if (sizes.history == 0) return {"deep.h", of_state, {}};
  MergedLinear merged(sizes.deep, 2 * sizes.hidden);
  merged.set(0, 0, of_state);
  merged.set(0, sizes.hidden, weights.load("deep.r.weight", {sizes.deep, sizes.hidden}));
  return merged.pack("deep.h and deep.r");
}

HistoryWeights load_history(const DecoderSizes& sizes, const Weights& weights) {
  if (sizes.history == 0) return {};
  if (sizes.deep == 0) {
    throw Error(ErrorCode::kModel, quote(weights.path().native()) +
                                       ": the decoder looks at its past, but its output is plain: the deep output "
                                       "would read what it sees");
  }
  const std::int64_t size = sizes.history;
  MergedLinear merged(2 * size, sizes.hidden);
  merged.set(0, 0, weights.load("history.key.weight", {size, sizes.hidden}));
  merged.set_bias(0, weights.load("history.key.bias", {size}));
  merged.set(size, 0, weights.load("history.query.weight", {size, sizes.hidden}));
  return {merged.pack("history.key and history.query"), weights.load("history.score.weight", {1, size})};
}

attention::ChannelAttention load_channels(const DecoderSizes& sizes, const Weights& weights) {
  if (sizes.channel == 0) return {};
  return {weights.load("channel.key.weight", {sizes.channel, 1}),
          weights.load("channel.score.weight", {1, sizes.channel})};
}

attention::Attention load_attention(const DecoderConfig& config, const DecoderSizes& sizes, Grid grid,
                                    const Weights& weights) {
  for (const std::int64_t size : {sizes.attention, sizes.memory}) {
    if (size % config.heads == 0) continue;
    fail(weights, "key.weight",
         "has shape " + to_string(weights.at("key.weight").shape) + ", which " + std::to_string(config.heads) +
             " heads cannot share evenly");
  }
  attention::AttentionWeights result;
  result.key = weights.load("key.weight", {sizes.attention, sizes.memory});
  result.key_bias = weights.load("key.bias", {sizes.attention});
  result.function = config.score;
  result.heads = config.heads;
  result.selector = config.selector;
  result.window = static_cast<float>(config.window);
  result.grid = grid;
  if (sizes.element > 0) {
    result.element = weights.load("element.key.weight", {sizes.memory, sizes.memory});
    result.element_bias = weights.load("element.key.bias", {sizes.memory});
  }
  if (config.score == Score::kAdditiveTanh || config.score == Score::kAdditiveRelu) {
    result.score = weights.load("score.weight", {1, sizes.attention});
    // Checked like the others, see AttentionWeights.
    if (weights.contains("score.bias")) weights.load("score.bias", {1});
  } else if (config.score == Score::kCosine) {
    result.score = weights.load("score.weight", {1, 1});
  }
  return attention::Attention(result);
}

void check_ids(const DecoderConfig& config, const Weights& weights, int vocabulary_size) {
  std::vector<int> ids = config.never_emit;
  ids.insert(ids.end(), {config.start_id, config.end_id, config.unknown_id});
  for (const int id : ids) {
    if (id >= 0 && id < vocabulary_size) continue;
    throw Error(ErrorCode::kModel, quote(weights.path().native()) + ": the decoder's special word id " +
                                       std::to_string(id) + " lies outside the vocabulary of " +
                                       std::to_string(vocabulary_size) + " words");
  }
}

}  // namespace

Decoder::Impl::Impl(const DecoderConfig& decoder_config, const Weights& weights, Grid map, int vocabulary_size)
    : config(decoder_config),
      grid(map),
      sizes(read_sizes(config, weights, vocabulary_size)),
      embedding(weights.load("embedding.weight", {sizes.vocabulary, sizes.embedding})),
      feature(load_feature(config, sizes, weights)),
      init(load_init(config, sizes, weights)),
      init_state(load_init_state(config, sizes, weights)),
      from_hidden(load_from_hidden(sizes, weights)),
      from_input(load_from_input(sizes, weights)),
      deep_hidden(load_deep_hidden(sizes, weights)),
      output(load_linear(weights, "output", sizes.vocabulary, sizes.deep > 0 ? sizes.deep : sizes.hidden)),
      place(sizes.place > 0 ? load_linear(weights, "place", 2, sizes.place) : dnn::Linear()),
      attention(load_attention(config, sizes, grid, weights)),
      channels(load_channels(sizes, weights)),
      history(load_history(sizes, weights)) {
  check_ids(config, weights, vocabulary_size);
}

}  // namespace glimpse
