#include "ops/operation.h"

#include "core/error.h"
#include "ops/plan_context.h"
#include "ops/step_context.h"
#include "ops/tape_context.h"
#include "ops/tape_step.h"

namespace glimpse::ops {

bool Node::is(std::string_view op_name) const { return op->name() == op_name; }

void NodeView::fail(const std::string& what) const {
  throw Error(ErrorCode::kModel, quote(file) + " line " + std::to_string(node.line) + ", " +
                                     std::string(node.op->name()) + " " + quote(node.name) + ": " + what);
}

namespace {

[[noreturn]] void refuse(const Operation& operation, const char* where) {
  throw Error(ErrorCode::kInternal, "operation " + std::string(operation.name()) + " has no rule for " + where);
}

}  // namespace

dnn::Value Operation::plan(PlanContext&) const { refuse(*this, "a network's plan"); }
train::Variable Operation::tape(TapeContext&) const { refuse(*this, "a network's training"); }
std::unique_ptr<PackedStep> Operation::pack(std::span<const PackContext>) const { refuse(*this, "a decoder's step"); }
std::optional<StepProductSpec> Operation::product(const NodeView&, std::int64_t, std::int64_t) const {
  return std::nullopt;
}
void Operation::teach(std::span<TapeStep* const>) const { refuse(*this, "a decoder's training"); }

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
