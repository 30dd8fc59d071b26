/// Which nodes of a graph become one step of a plan. A step starts at its head and takes in the nodes after it for as
/// long as nothing else reads the value in between: batch norm (folded into the head's weights), a residual add, an
/// activation. Pure bookkeeping: no weights, no primitives. Internal to net.
#pragma once

#include <optional>
#include <vector>

#include "core/tensor.h"
#include "dnn/plan/plan.h"
#include "net/graph.h"

namespace glimpse::net {

struct FusedStep {
  int head = 0;                 ///< the node whose op the step runs
  int tail = 0;                 ///< the last node taken in: the step's result is its value
  std::optional<int> folded;    ///< a batchnorm folded into a conv's or linear's weights
  std::optional<int> residual;  ///< a node (or kImage) whose value is added before the activation
  dnn::Activation activation;   ///< applied last
};

/// The steps in an order in which every value stands before its use. Values of `kept` nodes stay observable: nothing is
/// fused past them. `graph` has no dead nodes; `shapes` are infer_shapes'.
std::vector<FusedStep> fuse(const GraphSpec& graph, const std::vector<Shape>& shapes, const Shape& input,
                            const std::vector<int>& kept);

}  // namespace glimpse::net
