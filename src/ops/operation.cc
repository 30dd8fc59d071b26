#include "ops/operation.h"

#include "core/error.h"

namespace glimpse::ops {

bool Node::is(std::string_view op_name) const { return op->name() == op_name; }

void NodeView::fail(const std::string& what) const {
  throw Error(ErrorCode::kModel, quote(file) + " line " + std::to_string(node.line) + ", " +
                                     std::string(node.op->name()) + " " + quote(node.name) + ": " + what);
}

void TensorList::add_affine(const std::string& part, const Shape& weight, bool bias) {
  add(part + ".weight", weight, TensorSpec::Role::kWeight);
  if (bias) add(part + ".bias", {weight[0]}, TensorSpec::Role::kBias);
}

void TensorList::add_batch_norm(const std::string& part, std::int64_t channels) {
  add(part + ".weight", {channels}, TensorSpec::Role::kScale);
  add(part + ".bias", {channels}, TensorSpec::Role::kShift);
  add(part + ".running_mean", {channels}, TensorSpec::Role::kMean);
  add(part + ".running_var", {channels}, TensorSpec::Role::kVariance);
}

}  // namespace glimpse::ops
