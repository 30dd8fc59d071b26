/// Turns fused steps into calls of their operations' rules for the plan, which load and fold weights. Internal to net.
#pragma once

#include <deque>
#include <string>
#include <unordered_map>
#include <vector>

#include "core/safetensors.h"
#include "dnn/plan/plan.h"
#include "net/fusion.h"
#include "net/graph.h"
#include "ops/plan_context.h"

namespace glimpse::net {

class Lowering {
 public:
  /// All are borrowed and must outlive it; `weights` has passed check_weights.
  Lowering(const GraphSpec& graph, const Shape& input, const Weights& weights, dnn::PlanBuilder& builder);
  Lowering(const Lowering&) = delete;
  Lowering& operator=(const Lowering&) = delete;

  void lower(const FusedStep& step);
  /// The value of the node (or kImage) `index`, the tail of a step lowered before.
  dnn::Value value(int index) const;

 private:
  const Node& node(int index) const { return graph_.nodes[static_cast<std::size_t>(index)]; }

  const GraphSpec& graph_;
  dnn::PlanBuilder& builder_;
  std::unordered_map<std::string, ops::TensorSpec> specs_;
  ops::PlanContext::Source source_;
  dnn::Value image_;
  std::vector<dnn::Value> values_;  // by node; set for tails of steps only
  std::deque<ops::Affine> kept_;
};

}  // namespace glimpse::net
