#include "train/nets/network.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <utility>

#include "core/error.h"
#include "core/random.h"
#include "net/shapes.h"
#include "net/tensors.h"
#include "autograd/attention_ops.h"
#include "autograd/row_ops.h"

namespace glimpse::train {
namespace {

using net::Node;
using net::Op;

constexpr dnn::Activation kRelu = {dnn::Activation::Kind::kRelu};
constexpr dnn::Activation kSigmoid = {dnn::Activation::Kind::kSigmoid};

/// One forward pass.
class Pass {
 public:
  Pass(Tape& tape, ParameterSet& parameters, const Network::Mode& mode)
      : tape_(tape), parameters_(parameters), mode_(mode) {}

  Variable apply(const Node& node, const std::vector<Variable>& srcs) {
    const net::Attributes& a = node.attributes;
    const Variable& src = srcs[0];
    switch (node.op) {
      case Op::kConv:
        return activation_in_place(tape_, convolve(node, src), a.activation);
      case Op::kBatchNorm:
        return normalise(a.weights, src, a.epsilon, a.activation);
      case Op::kAct:
        return activation(tape_, src, a.activation);
      case Op::kMaxPool:
      case Op::kAvgPool:
        return pool(node, src);
      case Op::kGlobalAvgPool:
        return average(src);
      case Op::kAdaptiveAvgPool:
        return adaptive_average(tape_, src, a.size[0], a.size[1]);
      case Op::kAdd:
      case Op::kMul:
        return meet(node, src, srcs[1]);
      case Op::kConcat:
        return srcs.size() == 1 ? src : concat(tape_, srcs);
      case Op::kLinear:
        return activation_in_place(tape_, map(a.weights, a.bias, src), a.activation);
      case Op::kSe:
        return activation_in_place(tape_, multiply(tape_, src, gate(a.weights, average(src))), a.activation);
      case Op::kCbam:
        return attend(node, src);
      case Op::kSelfAttention:
        return attend_to_itself(node, src);
    }
    throw Error(ErrorCode::kInternal, "an op without a gradient");
  }

 private:
  Variable tensor(const std::string& name) {
    Parameter& parameter = parameters_.at(name);
    return mode_.frozen ? tape_.constant(dnn::Array::borrow(parameter.value)) : tape_.parameter(parameter);
  }

  Variable convolve(const Node& node, const Variable& src) {
    const net::Attributes& a = node.attributes;
    dnn::ConvolutionOptions options;
    options.stride = a.stride;
    options.dilation = a.dilation;
    options.padding = a.padding;
    options.groups = net::group_count(node, src.dim(1));
    return convolution(tape_, src, tensor(a.weights + ".weight"), a.bias ? tensor(a.weights + ".bias") : Variable(),
                       options);
  }

  Variable normalise(const std::string& prefix, const Variable& src, float epsilon, const dnn::Activation& act) {
    const bool relu = act.kind == dnn::Activation::Kind::kRelu;
    const RunningStatistics running{parameters_.statistic(prefix + ".running_mean"),
                                    parameters_.statistic(prefix + ".running_var")};
    const Variable result = batch_norm(tape_, src, tensor(prefix + ".weight"), tensor(prefix + ".bias"), running,
                                       {epsilon, relu, mode_.statistics});
    return relu ? result : activation_in_place(tape_, result, act);
  }

  Variable pool(const Node& node, const Variable& src) {
    using Kind = dnn::PoolingOptions::Kind;
    const net::Attributes& a = node.attributes;
    dnn::PoolingOptions options;
    options.kernel = a.kernel;
    options.stride = a.stride;
    options.padding = a.padding;
    options.ceil_mode = a.ceil_mode;
    if (node.op == Op::kMaxPool) return max_pooling(tape_, src, options);
    options.kind = a.count_padding ? Kind::kAverageIncludingPadding : Kind::kAverageExcludingPadding;
    return average_pooling(tape_, src, options);
  }

  Variable average(const Variable& src) { return plain(tape_, adaptive_average(tape_, src, 1, 1)); }

  Variable maximum(const Variable& src) {
    dnn::PoolingOptions whole;
    whole.kernel = {src.dim(2), src.dim(3)};
    return plain(tape_, max_pooling(tape_, src, whole));
  }

  /// The one that broadcasts is the smaller.
  Variable meet(const Node& node, Variable a, Variable b) {
    if (a.value().count() < b.value().count()) std::swap(a, b);
    const Variable result = node.op == Op::kAdd ? add(tape_, a, b) : multiply(tape_, a, b);
    return activation_in_place(tape_, result, node.attributes.activation);
  }

  Variable map(const std::string& prefix, bool bias, const Variable& src) {
    return dense(tape_, src, tensor(prefix + ".weight"), bias ? tensor(prefix + ".bias") : Variable());
  }

  Variable hidden(const std::string& prefix, const Variable& pooled) {
    return activation_in_place(tape_, map(prefix + ".squeeze", true, pooled), kRelu);
  }

  /// Squeeze and excitation (Hu et al. 2018).
  Variable gate(const std::string& prefix, const Variable& pooled) {
    return activation_in_place(tape_, map(prefix + ".excite", true, hidden(prefix, pooled)), kSigmoid);
  }

  /// CBAM (Woo et al. 2018): channels, then cells.
  Variable attend(const Node& node, const Variable& src) {
    const net::Attributes& a = node.attributes;
    const std::string& prefix = a.weights;
    const Variable of_mean = map(prefix + ".excite", true, hidden(prefix, average(src)));
    const Variable of_max = map(prefix + ".excite", true, hidden(prefix, maximum(src)));
    const Variable channels = activation_in_place(tape_, add(tape_, of_mean, of_max), kSigmoid);
    const Variable attended = multiply(tape_, src, channels);

    const std::array<Variable, 2> planes = {channel_max(tape_, attended), channel_mean(tape_, attended)};
    const std::int64_t rows = a.kernel[0] / 2;
    const std::int64_t cols = a.kernel[1] / 2;
    dnn::ConvolutionOptions options;
    options.padding = {rows, cols, rows, cols};
    const Variable mixed =
        convolution(tape_, concat(tape_, planes), tensor(prefix + ".spatial.conv.weight"), {}, options);
    const Variable places = normalise(prefix + ".spatial.bn", mixed, a.epsilon, kSigmoid);
    return activation_in_place(tape_, multiply(tape_, attended, places), a.activation);
  }

  /// An encoder layer's attention (Vaswani et al. 2017): norm(x + out(attention(in(x)))).
  Variable attend_to_itself(const Node& node, const Variable& src) {
    const net::Attributes& a = node.attributes;
    const Shape shape = src.shape();
    const std::int64_t cell_count = shape[2] * shape[3];
    const auto layer = [&](const Variable& rows, const char* name) {
      return linear(tape_, rows, tensor(a.weights + name + ".weight"), tensor(a.weights + name + ".bias"));
    };
    const Variable rows = reshape(tape_, cells(tape_, src), {shape[0] * cell_count, shape[1]});
    const Variable read = self_attention(tape_, layer(rows, ".in_proj"), cell_count, a.heads);
    const Variable sum = add(tape_, layer(read, ".out_proj"), rows);
    const Variable normalised =
        layer_norm(tape_, sum, tensor(a.weights + ".norm.weight"), tensor(a.weights + ".norm.bias"), a.epsilon);
    return map_of_cells(tape_, normalised, shape);
  }

  Tape& tape_;
  ParameterSet& parameters_;
  const Network::Mode& mode_;
};

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
  // A node's value is let go with its last use, so that only what gradients need stays.
  std::vector<int> last_use(graph_.nodes.size(), -1);
  for (std::size_t i = 0; i < graph_.nodes.size(); ++i) {
    for (const int source : graph_.nodes[i].sources) {
      if (source != net::kImage) last_use[static_cast<std::size_t>(source)] = static_cast<int>(i);
    }
  }
  std::vector<int> wanted;
  for (const std::string& name : outputs) wanted.push_back(graph_.find(name));
  Pass pass(tape, parameters_, mode);
  std::vector<Variable> values(graph_.nodes.size());
  for (int i = 0; i <= *std::ranges::max_element(wanted); ++i) {
    const Node& node = graph_.nodes[static_cast<std::size_t>(i)];
    std::vector<Variable> srcs;
    for (const int source : node.sources) {
      srcs.push_back(source == net::kImage ? image : values[static_cast<std::size_t>(source)]);
    }
    values[static_cast<std::size_t>(i)] = pass.apply(node, srcs);
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
    return node.op == Op::kConv && node.attributes.stride == std::array<std::int64_t, 2>{2, 2};
  });
  if (last == result.nodes.rend()) {
    throw Error(ErrorCode::kModel, quote(graph.file) + ": no convolution has a stride of 2 that could become 1");
  }
  net::Attributes& strided = last->attributes;
  // The window stays where it was for every second cell; the one more row and column are padded behind.
  strided.stride = {1, 1};
  strided.padding.bottom = strided.kernel[0] - 1 - strided.padding.top;
  strided.padding.right = strided.kernel[1] - 1 - strided.padding.left;
  for (auto node = last.base(); node != result.nodes.end(); ++node) {
    net::Attributes& a = node->attributes;
    if (node->op != Op::kConv || (a.kernel[0] == 1 && a.kernel[1] == 1)) continue;
    for (std::int64_t& dilation : a.dilation) dilation *= 2;
    for (std::int64_t* side : {&a.padding.top, &a.padding.left, &a.padding.bottom, &a.padding.right}) *side *= 2;
  }
  return result;
}

}  // namespace glimpse::train
