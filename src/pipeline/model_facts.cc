#include "pipeline/model_facts.h"

#include <array>
#include <filesystem>
#include <set>

#include "net/graph.h"
#include "pipeline/captioner.h"

namespace glimpse {
namespace {

/// Encoder tensors carry the prefix of a graph node; all others are the decoder's.
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

}  // namespace

ModelFacts model_facts(const Model& model) {
  CaptionerOptions options;
  options.tuning = dnn::Tuning::kDirect;
  const Captioner captioner(model, options);  // a model that cannot caption is not described but refused
  const net::GraphSpec graph = net::parse_graph(model.config().graph, model.config().graph_name);
  ModelFacts facts;
  facts.nodes = graph.nodes.size();
  facts.channels = captioner.encoder().output_shape(0)[3];
  for (const dnn::StepInfo& step : captioner.encoder().steps()) facts.multiply_adds += step.flops / 2;
  std::set<std::string> prefixes;
  for (const net::Node& node : graph.nodes) prefixes.insert(node.attributes.weights());
  for (const auto& [name, tensor] : model.weights().tensors()) {
    TensorTotals& totals = facts.tensors[to_string(tensor.dtype)];
    ++totals.count;
    totals.parameters += tensor.count();
    totals.bytes += static_cast<std::int64_t>(tensor.bytes());
    (belongs_to_encoder(name, prefixes) ? facts.encoder_parameters : facts.decoder_parameters) += tensor.count();
  }
  facts.sizes = decoder_sizes(model.weights());
  facts.sizes.emplace_back("heads", model.config().decoder.heads);
  std::error_code ignored;
  facts.file_bytes = static_cast<std::int64_t>(std::filesystem::file_size(model.weights().path(), ignored));
  return facts;
}

}  // namespace glimpse
