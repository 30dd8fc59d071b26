/// From a validated graph and weights to a Plan: shapes inferred, batch norm folded into the convolution before it,
/// activations and residual adds fused into their producers where nothing else reads the value in between.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "core/safetensors.h"
#include "dnn/plan/plan.h"
#include "net/graph.h"

namespace glimpse::net {

struct CompileOptions {
  std::int64_t batch = 1;
  std::int64_t channels = 3;
  std::int64_t height = 224;
  std::int64_t width = 224;
  std::vector<std::string>
      outputs;                 ///< node names; empty: the graph's own output. Nodes that no output needs are left out.
  bool channels_last = false;  ///< outputs as [N,H,W,C] instead of [N,C,H,W]
  dnn::PlanOptions plan;

  Shape input_shape() const { return {batch, channels, height, width}; }
};

/// Throws Error(kModel) naming graph file, line and node, and the tensor and weights file where a tensor is missing, of
/// the wrong shape or not finite.
dnn::Plan compile(const GraphSpec& graph, const Weights& weights, const CompileOptions& options);

}  // namespace glimpse::net
