#include "net/lowering.h"

#include <utility>

#include "net/tensors.h"

namespace glimpse::net {

Lowering::Lowering(const GraphSpec& graph, const Shape& input, const Weights& weights, dnn::PlanBuilder& builder)
    : graph_(graph), builder_(builder), values_(graph.nodes.size()) {
  for (ops::TensorSpec& spec : required_tensors(graph, input)) {
    std::string name = spec.name;
    specs_.emplace(std::move(name), std::move(spec));
  }
  source_.load = [this, &weights](const std::string& name) { return load_tensor(graph_, specs_.at(name), weights); };
  source_.keep = [this](ops::Affine affine) -> const ops::Affine& { return kept_.emplace_back(std::move(affine)); };
  image_ = builder_.input(std::string(kImageName), input);
}

dnn::Value Lowering::value(int index) const {
  return index == kImage ? image_ : values_[static_cast<std::size_t>(index)];
}

void Lowering::lower(const FusedStep& step) {
  const Node& head = node(step.head);
  ops::PlanContext::Step described;
  described.node = &head;
  for (const int source : head.sources) described.srcs.push_back(value(source));
  described.activation = step.activation;
  if (step.residual) described.residual = value(*step.residual);
  if (step.folded) described.folded = &node(*step.folded);
  ops::PlanContext context(builder_, source_, std::move(described));
  values_[static_cast<std::size_t>(step.tail)] = head.op->plan(context);
}

}  // namespace glimpse::net
