#include "autograd/parameters.h"

#include <algorithm>
#include <utility>

#include "core/error.h"

namespace glimpse::train {
namespace {

[[noreturn]] void throw_defect(const char* what, std::string_view name) {
  throw Error(ErrorCode::kInternal, "the tensor " + quote(name) + " " + what);
}

}  // namespace

Parameter& ParameterSet::add(std::string name, Tensor value, bool decay) {
  if (by_name_.contains(name) || statistics_.contains(name)) throw_defect("is added twice", name);
  Parameter parameter;
  parameter.name = std::move(name);
  parameter.gradient = Tensor(value.shape());
  std::ranges::fill(parameter.gradient.values(), 0.0F);
  parameter.value = std::move(value);
  parameter.decay = decay;
  Parameter& added = parameters_.emplace_back(std::move(parameter));
  by_name_[added.name] = &added;
  return added;
}

Tensor& ParameterSet::add_statistic(std::string name, Tensor value) {
  if (by_name_.contains(name)) throw_defect("is added twice", name);
  const auto [place, added] = statistics_.emplace(std::move(name), std::move(value));
  if (!added) throw_defect("is added twice", place->first);
  return place->second;
}

Parameter& ParameterSet::at(std::string_view name) {
  const auto found = by_name_.find(name);
  if (found == by_name_.end()) throw_defect("is not a parameter", name);
  return *found->second;
}

Tensor& ParameterSet::statistic(std::string_view name) {
  const auto found = statistics_.find(name);
  if (found == statistics_.end()) throw_defect("is not a statistic", name);
  return found->second;
}

void ParameterSet::remove(std::string_view prefix) {
  std::erase_if(by_name_, [&](const auto& entry) { return entry.first.starts_with(prefix); });
  std::erase_if(parameters_, [&](const Parameter& parameter) { return parameter.name.starts_with(prefix); });
}

std::int64_t ParameterSet::count() const {
  std::int64_t sum = 0;
  for (const Parameter& parameter : parameters_) sum += parameter.value.count();
  return sum;
}

void ParameterSet::clear_gradients() {
  for (Parameter& parameter : parameters_) std::ranges::fill(parameter.gradient.values(), 0.0F);
}

std::map<std::string, TensorView, std::less<>> ParameterSet::views() const {
  std::map<std::string, TensorView, std::less<>> result;
  for (const Parameter& parameter : parameters_) result.emplace(parameter.name, parameter.value.view());
  for (const auto& [name, tensor] : statistics_) result.emplace(name, tensor.view());
  return result;
}

std::vector<std::string> ParameterSet::load(const Weights& weights) {
  std::vector<std::string> missing;
  const auto take = [&](const std::string& name, Tensor& tensor) {
    if (weights.contains(name)) {
      std::ranges::copy(weights.load(name, tensor.shape()).values(), tensor.values().begin());
    } else {
      missing.push_back(name);
    }
  };
  for (Parameter& parameter : parameters_) take(parameter.name, parameter.value);
  for (auto& [name, tensor] : statistics_) take(name, tensor);
  return missing;
}

Weights snapshot(const ParameterSet& parameters, const std::function<bool(const std::string&)>& taken) {
  std::map<std::string, Tensor, std::less<>> tensors;
  for (const auto& [name, view] : parameters.views()) {
    if (taken(name)) tensors.emplace(name, to_float(view));
  }
  return {"the model under training", std::move(tensors)};
}

}  // namespace glimpse::train
