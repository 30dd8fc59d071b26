#include "train/nets/network.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <utility>

#include "core/error.h"
#include "core/random.h"
#include "net/shapes.h"
#include "net/tensors.h"

namespace glimpse::train {
namespace {

using net::Node;

}  // namespace

void add_parameters(const net::GraphSpec& graph, const Shape& input, std::uint64_t seed, ParameterSet& parameters) {
  using Role = net::TensorSpec::Role;
  Random random(seed);
  for (const net::TensorSpec& spec : net::required_tensors(graph, input)) {
    Tensor tensor(spec.shape);
    const auto fill = [&](float value) { std::ranges::fill(tensor.values(), value); };
    if (spec.role == Role::kWeight) {
      const auto inputs = static_cast<double>(element_count(spec.shape) / spec.shape[0]);
      for (float& value : tensor.values()) value = static_cast<float>(random.normal() * std::sqrt(2.0 / inputs));
    } else {
      fill(spec.role == Role::kScale || spec.role == Role::kVariance ? 1.0F : 0.0F);
    }
    if (spec.is_parameter()) {
      parameters.add(spec.name, std::move(tensor), spec.role == Role::kWeight);
    } else {
      parameters.add_statistic(spec.name, std::move(tensor));
    }
  }
}

Network::Network(net::GraphSpec graph, ParameterSet& parameters) : graph_(std::move(graph)), parameters_(parameters) {}

Variable Network::forward(Tape& tape, const Variable& image, const Mode& mode) const {
  return forward(tape, image, mode, {graph_.nodes[static_cast<std::size_t>(graph_.output)].name})[0];
}

std::vector<Variable> Network::forward(Tape& tape, const Variable& image, const Mode& mode,
                                       const std::vector<std::string>& outputs) const {
  // A node's value is released after its last use; only values that gradients need stay alive.
  std::vector<int> last_use(graph_.nodes.size(), -1);
  for (std::size_t i = 0; i < graph_.nodes.size(); ++i) {
    for (const int source : graph_.nodes[i].sources) {
      if (source != net::kImage) last_use[static_cast<std::size_t>(source)] = static_cast<int>(i);
    }
  }
  std::vector<int> wanted;
  for (const std::string& name : outputs) wanted.push_back(graph_.find(name));
  std::vector<Variable> values(graph_.nodes.size());
  for (int i = 0; i <= *std::ranges::max_element(wanted); ++i) {
    const Node& node = graph_.nodes[static_cast<std::size_t>(i)];
    std::vector<Variable> srcs;
    for (const int source : node.sources) {
      srcs.push_back(source == net::kImage ? image : values[static_cast<std::size_t>(source)]);
    }
    ops::TapeContext context(tape, parameters_, mode, node, std::move(srcs));
    values[static_cast<std::size_t>(i)] = node.op->tape(context);
    for (const int source : node.sources) {
      if (source == net::kImage || last_use[static_cast<std::size_t>(source)] != i) continue;
      if (std::ranges::find(wanted, source) == wanted.end()) values[static_cast<std::size_t>(source)] = {};
    }
  }
  std::vector<Variable> results;
  for (const int index : wanted) results.push_back(values[static_cast<std::size_t>(index)]);
  return results;
}

net::GraphSpec tail_of(const net::GraphSpec& graph, const std::string& from) {
  const int start = graph.find(from);
  net::GraphSpec tail;
  tail.file = graph.file;
  for (std::size_t i = static_cast<std::size_t>(start) + 1; i < graph.nodes.size(); ++i) {
    Node node = graph.nodes[i];
    for (int& source : node.sources) {
      if (source < start) net::fail(graph, node, "reads something in front of " + quote(from));
      source = source == start ? net::kImage : source - start - 1;
    }
    tail.nodes.push_back(std::move(node));
  }
  if (tail.nodes.empty()) throw Error(ErrorCode::kModel, quote(graph.file) + ": nothing stands behind " + quote(from));
  tail.output = static_cast<int>(tail.nodes.size()) - 1;
  return tail;
}

net::GraphSpec dilate_last_stride(const net::GraphSpec& graph) {
  net::GraphSpec result = graph;
  const auto last = std::find_if(result.nodes.rbegin(), result.nodes.rend(), [](const Node& node) {
    return node.is("conv") && node.attributes.pair("s") == std::array<std::int64_t, 2>{2, 2};
  });
  if (last == result.nodes.rend()) {
    throw Error(ErrorCode::kModel, quote(graph.file) + ": no convolution has a stride of 2 that could become 1");
  }
  ops::Attributes& strided = last->attributes;
  // The window stays where it was for every second cell; the one more row and column are padded behind.
  strided.set_pair("s", {1, 1});
  const auto kernel = strided.pair("k");
  dnn::Padding padding = strided.padding();
  padding.bottom = kernel[0] - 1 - padding.top;
  padding.right = kernel[1] - 1 - padding.left;
  strided.set_padding(padding);
  for (auto node = last.base(); node != result.nodes.end(); ++node) {
    if (!node->is("conv") || node->attributes.pair("k") == std::array<std::int64_t, 2>{1, 1}) continue;
    ops::Attributes& a = node->attributes;
    const auto dilation = a.pair("dilation");
    a.set_pair("dilation", {2 * dilation[0], 2 * dilation[1]});
    const dnn::Padding pad = a.padding();
    a.set_padding({2 * pad.top, 2 * pad.left, 2 * pad.bottom, 2 * pad.right});
  }
  return result;
}

}  // namespace glimpse::train
