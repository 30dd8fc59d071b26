/// The tensors that a graph needs, what its nodes cost, and whether a weights file has what is needed.
///
/// The names are PyTorch's, each starting with the node's `weights=` or else its name, so that a state dict loads as it
/// is; each operation's file in src/ops lists its own. A file may have tensors with trailing dimensions of 1 more or
/// fewer: [out, in, 1, 1] for [out, in].
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "core/safetensors.h"
#include "net/graph.h"

namespace glimpse::net {

using ops::TensorSpec;

/// Every tensor once, in the order of the nodes; nodes whose weights= is the same share theirs. Throws Error(kModel)
/// where they would have to differ in shape, or where one would be absurdly large.
std::vector<TensorSpec> required_tensors(const GraphSpec& graph, const Shape& input);

/// The same for shapes that were inferred already.
std::vector<TensorSpec> collect_tensors(const GraphSpec& graph, const std::vector<Shape>& shapes, const Shape& input);

struct NodeCost {
  std::int64_t parameters = 0;     ///< of tensors that no earlier node has; running statistics are not counted
  std::int64_t multiply_adds = 0;  ///< of convolutions and linear maps, counted as the direct algorithm
};

/// In the order of graph.nodes. Throws Error(kModel) where the sums are beyond reason.
std::vector<NodeCost> node_costs(const GraphSpec& graph, const Shape& input);

/// Throws Error(kModel) naming graph file, line, node, weights file and tensor, unless `weights` has every tensor that
/// `graph` needs, in the right shape. Values are not looked at.
void check_weights(const GraphSpec& graph, const Shape& input, const Weights& weights);

/// A tensor that `check_weights` has found good, as floats and of exactly the spec's shape. Throws Error(kModel) for
/// values that are not finite or a variance that is negative.
Tensor load_tensor(const GraphSpec& graph, const TensorSpec& spec, const Weights& weights);

/// Weights for benchmarks and tests: convolutions and linear maps uniform with He's variance (2 / inputs), the rest
/// such that activations stay within a few orders of magnitude through any depth. The same seed gives the same weights.
Weights random_weights(const GraphSpec& graph, const Shape& input, std::uint64_t seed);

}  // namespace glimpse::net
