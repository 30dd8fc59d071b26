/// Show, Attend and Tell (Xu et al. 2015) and its variants as text: how a DecoderConfig's formulas become a graph
/// (net/step_graph.h). Models keep their formulas; what runs and learns is this text.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "core/safetensors.h"
#include "model/model.h"
#include "net/step_graph.h"

namespace glimpse {

struct DecoderSizes {
  std::int64_t features = 0;     ///< D, channels of the encoder's map
  std::int64_t memory = 512;     ///< D', of what attention reads: the projection's, else D
  std::int64_t attention = 256;  ///< A, keys and queries
  std::int64_t hidden = 512;     ///< n, the LSTM's state
  std::int64_t embedding = 256;  ///< m, of a word
  std::int64_t init = 512;       ///< hidden layer of a two-layer start
  std::int64_t place = 0;        ///< hidden layer of what predicts a window's place; 0: A, as the next two
  std::int64_t channel = 0;      ///< k, keys and queries of the channels' weights
  std::int64_t history = 0;      ///< keys and queries of the past's weights
  std::int64_t deep = 512;       ///< E, of the deep output
  std::int64_t vocabulary = 0;   ///< V
  bool query_bias = false;       ///< beside the key's bias, which makes it superfluous: for sets that come with one
};

/// Those of a weights file, read from the tensors' shapes. Throws Error(kModel) naming file and tensor for one that is
/// missing or no matrix, and for sizes that `config.heads` cannot share.
DecoderSizes read_sizes(const DecoderConfig& config, const Weights& weights);
/// The same of any set of tensors: by name to its shape, none where there is no such tensor. `label` is what messages
/// call the set.
using ShapeOf = std::function<const Shape*(std::string_view name)>;
DecoderSizes read_sizes(const DecoderConfig& config, const std::string& label, const ShapeOf& shape_of);

/// `text` with numbers in place of names: each `$name` of `sizes`; others are left for whoever reads the text to
/// refuse.
std::string with_sizes(std::string text, const std::vector<std::pair<std::string, std::int64_t>>& sizes);

/// The step as text.
std::string decoder_text(const DecoderConfig& config, const DecoderSizes& sizes);

/// The step as a graph: the config's own text where it has one, else that of its formulas. `file` is what messages call
/// it. Throws Error(kModel) for a text that does not fit.
net::StepGraph decoder_graph(const DecoderConfig& config, const DecoderSizes& sizes);

/// The order in which tensors of these names get their random numbers, so that a seed gives the same ones whatever the
/// order of the text; others come after.
const std::vector<std::string_view>& tensor_order();

}  // namespace glimpse
