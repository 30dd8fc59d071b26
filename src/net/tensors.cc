#include "net/tensors.h"

#include <algorithm>
#include <cmath>
#include <map>
#include <utility>

#include "core/error.h"
#include "core/random.h"
#include "core/text.h"
#include "net/shapes.h"

namespace glimpse::net {
namespace {

using Role = TensorSpec::Role;

constexpr std::int64_t kMaxTensorElements = std::int64_t{1} << 30;
constexpr std::int64_t kMaxMultiplyAdds = std::int64_t{1} << 50;  // ResNet-152 takes 2^33.4 an image

/// Collects the tensors of node after node.
class TensorLister {
 public:
  TensorLister(const GraphSpec& graph, const Shape& input)
      : graph_(graph), input_(input), shapes_(infer_shapes(graph, input)) {}

  std::vector<TensorSpec> list() {
    for (std::size_t i = 0; i < graph_.nodes.size(); ++i) {
      node_ = static_cast<int>(i);
      list_node(graph_.nodes[i]);
    }
    return std::move(specs_);
  }

 private:
  void list_node(const Node& node) {
    const Attributes& a = node.attributes;
    const Shape& src = source_shape(node.sources[0], shapes_, input_);
    const std::int64_t channels = src[1];
    switch (node.op) {
      case Op::kConv:
        add("", {a.out, channels / group_count(node, channels), a.kernel[0], a.kernel[1]}, a.bias);
        break;
      case Op::kLinear:
        add("", {a.out, channels * src[2] * src[3]}, a.bias);
        break;
      case Op::kBatchNorm:
        add_batch_norm("", channels);
        break;
      case Op::kSe:
        add_excitation(node, channels);
        break;
      case Op::kCbam:
        add_excitation(node, channels);
        add(".spatial.conv", {1, 2, a.kernel[0], a.kernel[1]}, false);
        add_batch_norm(".spatial.bn", 1);
        break;
      case Op::kSelfAttention:
        add(".in_proj", {3 * channels, channels}, true);
        add(".out_proj", {channels, channels}, true);
        add_tensor(".norm.weight", {channels}, Role::kScale);
        add_tensor(".norm.bias", {channels}, Role::kShift);
        break;
      case Op::kAct:
      case Op::kMaxPool:
      case Op::kAvgPool:
      case Op::kGlobalAvgPool:
      case Op::kAdaptiveAvgPool:
      case Op::kAdd:
      case Op::kMul:
      case Op::kConcat:
        break;
    }
  }

  void add_excitation(const Node& node, std::int64_t channels) {
    const std::int64_t hidden = squeeze_count(node, channels);
    add(".squeeze", {hidden, channels}, true);
    add(".excite", {channels, hidden}, true);
  }

  void add_batch_norm(const std::string& part, std::int64_t channels) {
    add_tensor(part + ".weight", {channels}, Role::kScale);
    add_tensor(part + ".bias", {channels}, Role::kShift);
    add_tensor(part + ".running_mean", {channels}, Role::kMean);
    add_tensor(part + ".running_var", {channels}, Role::kVariance);
  }

  void add(const std::string& part, const Shape& weight, bool bias) {
    add_tensor(part + ".weight", weight, Role::kWeight);
    if (bias) add_tensor(part + ".bias", {weight[0]}, Role::kBias);
  }

  void add_tensor(const std::string& suffix, const Shape& shape, Role role) {
    const Node& node = graph_.nodes[static_cast<std::size_t>(node_)];
    std::string name = node.attributes.weights + suffix;
    std::int64_t count = 1;
    for (const std::int64_t dim : shape) {
      if (dim > kMaxTensorElements / count) fail(graph_, node, "tensor " + quote(name) + " would be too large");
      count *= dim;
    }
    const auto [known, inserted] = indices_.emplace(name, specs_.size());
    if (inserted) {
      specs_.push_back({std::move(name), shape, role, node_});
      return;
    }
    const TensorSpec& shared = specs_[known->second];
    if (shared.shape == shape && shared.role == role) return;
    const Node& other = graph_.nodes[static_cast<std::size_t>(shared.node)];
    fail(graph_, node,
         "needs tensor " + quote(name) + " as " + to_string(shape) + ", but " + quote(other.name) + " in line " +
             std::to_string(other.line) + " needs it as " + to_string(shared.shape) +
             (shared.shape == shape ? " of another kind" : ""));
  }

  const GraphSpec& graph_;
  const Shape& input_;
  const std::vector<Shape> shapes_;
  int node_ = 0;
  std::vector<TensorSpec> specs_;
  std::map<std::string, std::size_t> indices_;
};

std::int64_t multiply_adds(const Node& node, const Shape& src, const Shape& dst) {
  const std::int64_t channels = src[1];
  const Attributes& a = node.attributes;
  switch (node.op) {
    case Op::kConv:
      return element_count(dst) * (channels / group_count(node, channels) * a.kernel[0] * a.kernel[1]);
    case Op::kLinear:
      return element_count(src) * a.out;
    case Op::kSe:
      return src[0] * 2 * channels * squeeze_count(node, channels);
    case Op::kCbam:  // the hidden layer once for the mean and once for the maximum; both share the layer after it
      return src[0] * (3 * channels * squeeze_count(node, channels) + src[2] * src[3] * 2 * a.kernel[0] * a.kernel[1]);
    case Op::kSelfAttention:  // four maps of each cell; scores and sums of each pair
      return src[0] * src[2] * src[3] * channels * (4 * channels + 2 * src[2] * src[3]);
    default:
      return 0;
  }
}

/// `shape` without trailing dimensions of 1.
Shape trimmed(Shape shape) {
  while (!shape.empty() && shape.back() == 1) shape.pop_back();
  return shape;
}

const Node& node_of(const GraphSpec& graph, const TensorSpec& spec) {
  return graph.nodes[static_cast<std::size_t>(spec.node)];
}

float random_value(const TensorSpec& spec, Random& random) {
  const auto between = [&](double low, double high) {
    return static_cast<float>(low + (high - low) * random.uniform());
  };
  switch (spec.role) {
    case Role::kWeight: {
      const std::int64_t inputs = element_count(spec.shape) / spec.shape[0];
      const double bound =
          std::sqrt(6.0 / static_cast<double>(inputs));  // a uniform distribution's variance is bound² / 3
      return between(-bound, bound);
    }
    // A scale below 1 keeps sums over many residual blocks from growing without end; it is not constant, so that a
    // mistake in folding shows.
    case Role::kScale:
      return between(0.3, 0.9);
    case Role::kVariance:
      return between(0.5, 1.5);
    case Role::kBias:
    case Role::kShift:
    case Role::kMean:
      return between(-0.1, 0.1);
  }
  return 0;
}

}  // namespace

std::vector<TensorSpec> required_tensors(const GraphSpec& graph, const Shape& input) {
  return TensorLister(graph, input).list();
}

std::vector<NodeCost> node_costs(const GraphSpec& graph, const Shape& input) {
  std::vector<NodeCost> costs(graph.nodes.size());
  for (const TensorSpec& spec : required_tensors(graph, input)) {
    if (spec.is_parameter()) costs[static_cast<std::size_t>(spec.node)].parameters += element_count(spec.shape);
  }
  const std::vector<Shape> shapes = infer_shapes(graph, input);
  std::int64_t total = 0;
  for (std::size_t i = 0; i < graph.nodes.size(); ++i) {
    const Node& node = graph.nodes[i];
    costs[i].multiply_adds = multiply_adds(node, source_shape(node.sources[0], shapes, input), shapes[i]);
    if (costs[i].multiply_adds > kMaxMultiplyAdds - total) fail(graph, node, "the network takes too many operations");
    total += costs[i].multiply_adds;
  }
  return costs;
}

void check_weights(const GraphSpec& graph, const Shape& input, const Weights& weights) {
  for (const TensorSpec& spec : required_tensors(graph, input)) {
    const auto found = weights.tensors().find(spec.name);
    if (found == weights.tensors().end()) {
      std::vector<std::string_view> names;
      for (const auto& entry : weights.tensors()) names.push_back(entry.first);
      const std::string_view near = nearest(spec.name, names);
      fail(graph, node_of(graph, spec),
           quote(weights.path().native()) + " has no tensor " + quote(spec.name) + ", needed as " +
               to_string(spec.shape) + (near.empty() ? "" : " (there is " + quote(near) + ")"));
    }
    if (trimmed(found->second.shape) != trimmed(spec.shape)) {
      fail(graph, node_of(graph, spec),
           "tensor " + quote(spec.name) + " in " + quote(weights.path().native()) + " has shape " +
               to_string(found->second.shape) + ", needed is " + to_string(spec.shape));
    }
  }
}

Tensor load_tensor(const GraphSpec& graph, const TensorSpec& spec, const Weights& weights) {
  const Node& node = node_of(graph, spec);
  const Shape& stored = weights.at(spec.name).shape;
  Tensor tensor = [&] {
    try {
      return weights.load(spec.name, stored);
    } catch (const Error& error) {
      fail(graph, node, error.what());
    }
  }();
  const auto values = tensor.values();
  if (spec.role == Role::kVariance &&
      std::any_of(values.begin(), values.end(), [](float value) { return value < 0; })) {
    fail(graph, node,
         "tensor " + quote(spec.name) + " in " + quote(weights.path().native()) + " has a negative variance");
  }
  if (stored == spec.shape) return tensor;
  return Tensor(spec.shape, values);
}

Weights random_weights(const GraphSpec& graph, const Shape& input, std::uint64_t seed) {
  Random random(seed);
  std::map<std::string, Tensor, std::less<>> tensors;
  for (const TensorSpec& spec : required_tensors(graph, input)) {
    Tensor tensor(spec.shape);
    for (float& value : tensor.values()) value = random_value(spec, random);
    tensors.emplace(spec.name, std::move(tensor));
  }
  return Weights("random weights", std::move(tensors));
}

}  // namespace glimpse::net
