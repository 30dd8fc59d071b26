/// The tensors of a network under training, by the names that they have in a weights file.
#pragma once

#include <cstdint>
#include <functional>
#include <list>
#include <map>
#include <string>
#include <string_view>

#include "autograd/tape.h"
#include "core/safetensors.h"

namespace glimpse::train {

/// Parameters and, beside them, tensors that training updates without a gradient (batch norm's running statistics).
/// References stay valid while the set lives.
class ParameterSet {
 public:
  /// Throws Error(kInternal) for a name that is there already.
  Parameter& add(std::string name, Tensor value, bool decay);
  Tensor& add_statistic(std::string name, Tensor value);

  /// Throws Error(kInternal) for a name that is not there.
  Parameter& at(std::string_view name);
  Tensor& statistic(std::string_view name);
  /// Whether there is a parameter of that name.
  bool contains(std::string_view name) const { return by_name_.find(name) != by_name_.end(); }

  std::list<Parameter>& parameters() { return parameters_; }
  const std::list<Parameter>& parameters() const { return parameters_; }
  const std::map<std::string, Tensor, std::less<>>& statistics() const { return statistics_; }

  /// Forgets the parameters whose names begin so.
  void remove(std::string_view prefix);

  std::int64_t count() const;  ///< numbers in all parameters
  void clear_gradients();

  /// All tensors, parameters and statistics alike, by name. Views live as long as the set.
  std::map<std::string, TensorView, std::less<>> views() const;
  /// Takes the values of all tensors that `weights` has under the same name. Throws Error(kModel) for another shape or
  /// values that are not finite. Gives the names that were not there.
  std::vector<std::string> load(const Weights& weights);

 private:
  std::list<Parameter> parameters_;
  std::map<std::string, Parameter*, std::less<>> by_name_;
  std::map<std::string, Tensor, std::less<>> statistics_;
};

/// Copies of all tensors whose names `taken` says yes to, as a model's weights.
Weights snapshot(
    const ParameterSet& parameters,
    const std::function<bool(const std::string&)>& taken = [](const std::string&) { return true; });

}  // namespace glimpse::train
