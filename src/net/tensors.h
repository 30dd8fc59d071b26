/// The tensors that a graph needs, what its nodes cost, and whether a weights file has what is needed.
///
/// With P the node's `weights=` or else its name, the names are PyTorch's, so that a state dict loads as it is:
///   conv       P.weight [out, in/groups, k, k], P.bias [out] unless bias=0
///   linear     P.weight [out, in], P.bias [out] unless bias=0
///   batchnorm  P.weight, P.bias, P.running_mean, P.running_var [in]
///   se         P.squeeze.weight [hidden, in], P.squeeze.bias, P.excite.weight [in, hidden], P.excite.bias
///   cbam       se's, P.spatial.conv.weight [1, 2, k, k] (planes: maximum, mean), batchnorm's as P.spatial.bn.…
///   selfattention  P.in_proj.weight [3·C, C] (queries, keys, values), P.out_proj.weight [C, C], P.norm.weight [C];
///   biases
/// A file may have them with trailing dimensions of 1 more or fewer: [out, in, 1, 1] for [out, in].
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "core/safetensors.h"
#include "net/graph.h"

namespace glimpse::net {

struct TensorSpec {
  enum class Role { kWeight, kBias, kScale, kShift, kMean, kVariance };
  std::string name;
  Shape shape;
  Role role = Role::kWeight;
  int node = 0;  ///< index of the (first) node that reads it

  /// Counted as a parameter; running statistics are not.
  bool is_parameter() const { return role != Role::kMean && role != Role::kVariance; }
};

/// Every tensor once, in the order of the nodes; nodes whose weights= is the same share theirs. Throws Error(kModel)
/// where they would have to differ in shape, or where one would be absurdly large.
std::vector<TensorSpec> required_tensors(const GraphSpec& graph, const Shape& input);

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
