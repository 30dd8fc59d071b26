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
  TensorLister(const GraphSpec& graph, const std::vector<Shape>& shapes, const Shape& input)
      : graph_(graph), input_(input), shapes_(shapes) {}

  std::vector<TensorSpec> list() {
    for (std::size_t i = 0; i < graph_.nodes.size(); ++i) {
      const ops::NodeView view = view_of(graph_, i, shapes_, input_);
      ops::TensorList tensors(view.attributes().weights());
      view.node.op->tensors(view, tensors);
      for (TensorSpec tensor : tensors.tensors()) {
        tensor.node = static_cast<int>(i);
        add(view, std::move(tensor));
      }
    }
    return std::move(specs_);
  }

 private:
  void add(const ops::NodeView& view, TensorSpec tensor) {
    std::int64_t count = 1;
    for (const std::int64_t dim : tensor.shape) {
      if (dim > kMaxTensorElements / count) view.fail("tensor " + quote(tensor.name) + " would be too large");
      count *= dim;
    }
    const auto [known, inserted] = indices_.emplace(tensor.name, specs_.size());
    if (inserted) {
      specs_.push_back(std::move(tensor));
      return;
    }
    const TensorSpec& shared = specs_[known->second];
    if (shared.shape == tensor.shape && shared.role == tensor.role) return;
    const Node& other = graph_.nodes[static_cast<std::size_t>(shared.node)];
    view.fail("needs tensor " + quote(tensor.name) + " as " + to_string(tensor.shape) + ", but " + quote(other.name) +
              " in line " + std::to_string(other.line) + " needs it as " + to_string(shared.shape) +
              (shared.shape == tensor.shape ? " of another kind" : ""));
  }

  const GraphSpec& graph_;
  const Shape& input_;
  const std::vector<Shape>& shapes_;
  std::vector<TensorSpec> specs_;
  std::map<std::string, std::size_t> indices_;
};

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
    case Role::kGateBias:
    case Role::kEmbedding:
    case Role::kSharpness:
    case Role::kShift:
    case Role::kMean:
      return between(-0.1, 0.1);
  }
  return 0;
}

}  // namespace

std::vector<TensorSpec> required_tensors(const GraphSpec& graph, const Shape& input) {
  return collect_tensors(graph, infer_shapes(graph, input), input);
}

std::vector<TensorSpec> collect_tensors(const GraphSpec& graph, const std::vector<Shape>& shapes, const Shape& input) {
  return TensorLister(graph, shapes, input).list();
}

std::vector<NodeCost> node_costs(const GraphSpec& graph, const Shape& input) {
  std::vector<NodeCost> costs(graph.nodes.size());
  for (const TensorSpec& spec : required_tensors(graph, input)) {
    if (spec.is_parameter()) costs[static_cast<std::size_t>(spec.node)].parameters += element_count(spec.shape);
  }
  const std::vector<Shape> shapes = infer_shapes(graph, input);
  std::int64_t total = 0;
  for (std::size_t i = 0; i < graph.nodes.size(); ++i) {
    const ops::NodeView view = view_of(graph, i, shapes, input);
    costs[i].multiply_adds = view.node.op->multiply_adds(view);
    if (costs[i].multiply_adds > kMaxMultiplyAdds - total) view.fail("the network takes too many operations");
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
