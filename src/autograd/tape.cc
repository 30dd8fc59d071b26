#include "autograd/tape.h"

#include <cassert>
#include <cstring>
#include <utility>

#include "dnn/kernels/array_math.h"

namespace glimpse::train {

using dnn::Array;

Variable Tape::make(Array value, bool needs_gradient) {
  Variable result;
  result.state_ = std::make_shared<Variable::State>();
  result.state_->value = std::move(value);
  result.state_->needs_gradient = needs_gradient;
  return result;
}

Variable Tape::constant(Array value) { return make(std::move(value), false); }

Variable Tape::constant(const Tensor& value) {
  Array array = kernels_.take(value.shape());
  std::memcpy(array.data(), value.data(), array.values().size_bytes());
  return make(std::move(array), false);
}

Variable Tape::watched(Array value) { return make(std::move(value), true); }

Variable Tape::parameter(Parameter& parameter) {
  Variable result = make(Array::borrow(parameter.value), true);
  result.state_->gradient = Array::borrow(parameter.gradient);
  return result;
}

Variable Tape::record(Array value, const std::vector<Variable>& inputs, Backward backward) {
  bool needed = false;
  for (const Variable& input : inputs) needed = needed || (input && input.needs_gradient());
  Variable result = make(std::move(value), needed);
  if (needed) steps_.push_back({result.state_, std::move(backward)});
  return result;
}

void Tape::add_gradient(const Variable& variable, const Array& gradient) {
  if (!variable || !variable.needs_gradient()) return;
  assert(gradient.shape() == variable.shape());
  Array& sum = variable.state_->gradient;
  if (!sum) {
    sum = gradient;
    return;
  }
  const Array more = kernels_.reordered(gradient, sum.block());
  // A gradient that another variable shares, as an addition's inputs do, is not this one's to change; a parameter's is.
  if (!sum.owned()) sum = kernels_.copy(sum);
  dnn::add_to(sum, more, kernels_.threads());
}

const Array& Tape::gradient_to_add_to(const Variable& variable) {
  Array& sum = variable.state_->gradient;
  if (!sum) sum = kernels_.zeros(variable.shape());
  if (!sum.owned()) sum = kernels_.copy(sum);
  return sum;
}

void Tape::backward(const Variable& loss) {
  assert(loss.value().count() == 1);
  if (!loss.needs_gradient()) {
    steps_.clear();
    return;
  }
  Array one = kernels_.take(loss.shape());
  one.data()[0] = 1;
  loss.state_->gradient = one;
  while (!steps_.empty()) {
    Step step = std::move(steps_.back());
    steps_.pop_back();
    // What nothing flows back to stays without a gradient, and so does all that it was made of.
    if (Array gradient = std::exchange(step.result->gradient, {})) step.backward(gradient);
  }
}

Array Tape::gradient(const Variable& variable) {
  return variable.state_->gradient ? variable.state_->gradient : kernels_.zeros(variable.shape());
}

}  // namespace glimpse::train
