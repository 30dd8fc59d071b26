#include "train/run/optimiser.h"

#include <algorithm>
#include <cmath>
#include <numbers>
#include <utility>

#include "core/error.h"
#include "dnn/math/lane_loops.h"
#include "dnn/runtime/threads.h"
#include "train/run/divergence.h"

namespace glimpse::train {
namespace {

constexpr std::int64_t kGrain = 16384;
constexpr float kEpsilon = 1e-8F;

Tensor zeros(const Shape& shape) {
  Tensor result(shape);
  std::ranges::fill(result.values(), 0.0F);
  return result;
}

void swap_values(Tensor& a, Tensor& b) { std::ranges::swap_ranges(a.values(), b.values()); }

double scale_of(const std::string& name, const std::map<std::string, double>& scale) {
  for (const auto& [prefix, factor] : scale) {
    if (name.starts_with(prefix)) return factor;
  }
  return 1;
}

void restore_one(const Weights& weights, const std::string& name, Tensor& tensor) {
  if (tensor.count() > 0) std::ranges::copy(weights.load(name, tensor.shape()).values(), tensor.values().begin());
}

}  // namespace

double learning_rate(const StageOptions& options, std::int64_t step, std::int64_t steps) {
  if (step < options.warm_up) {
    return options.learning_rate * static_cast<double>(step + 1) / static_cast<double>(options.warm_up);
  }
  if (options.schedule == StageOptions::Schedule::kConstant) return options.learning_rate;
  const double rest = std::max<double>(1, static_cast<double>(steps - options.warm_up));
  const double done = std::min(1.0, static_cast<double>(step - options.warm_up) / rest);
  return options.learning_rate * 0.5 * (1 + std::cos(std::numbers::pi * done));
}

Optimiser::Optimiser(const StageOptions& options, ParameterSet& parameters,
                     const std::function<bool(const std::string&)>& trained)
    : options_(options), parameters_(parameters) {
  for (Parameter& parameter : parameters.parameters()) {
    if (!trained(parameter.name)) continue;
    Slot slot;
    slot.parameter = &parameter;
    slot.first = zeros(parameter.value.shape());
    if (options.optimiser == StageOptions::Optimiser::kAdamW) slot.second = zeros(parameter.value.shape());
    if (options.average > 0) slot.average = parameter.value.clone();
    slots_.push_back(std::move(slot));
  }
  if (options.average > 0) {
    for (const auto& [name, tensor] : parameters.statistics()) statistic_averages_.emplace(name, tensor.clone());
  }
}

void Optimiser::check_finite() const {
  for (const Slot& slot : slots_) {
    for (const float g : slot.parameter->gradient.values()) {
      if (!std::isfinite(g)) {
        throw Error(ErrorCode::kDiverged, "step " + std::to_string(steps_done_ + 1) + ": the gradient of " +
                                              quote(slot.parameter->name) + " is not finite; " + kDivergenceRemedy);
      }
    }
  }
}

double Optimiser::gradient_norm() const {
  double sum = 0;
  for (const Slot& slot : slots_) {
    double squares = 0;
    for (const float g : slot.parameter->gradient.values()) squares += static_cast<double>(g) * g;
    sum += squares;
  }
  return std::sqrt(sum);
}

double Optimiser::step(double rate, const std::map<std::string, double>& scale) {
  const double norm = gradient_norm();
  if (!std::isfinite(norm)) check_finite();
  const auto clip = static_cast<float>(options_.clip > 0 && norm > options_.clip ? options_.clip / norm : 1.0);
  ++steps_done_;
  const auto t = static_cast<double>(steps_done_);
  // An average that starts from random numbers forgets them first.
  const double decay = std::min(options_.average, (1 + t) / (10 + t));
  for (Slot& slot : slots_) {
    const double own_rate = rate * scale_of(slot.parameter->name, scale);
    dnn::DescentStep step;
    step.clip = clip;
    step.keep = static_cast<float>(slot.parameter->decay ? 1 - own_rate * options_.weight_decay : 1);
    Tensor& value = slot.parameter->value;
    Tensor& gradient = slot.parameter->gradient;
    if (options_.optimiser == StageOptions::Optimiser::kAdamW) {
      step.beta1 = static_cast<float>(options_.beta1);
      step.beta2 = static_cast<float>(options_.beta2);
      step.epsilon = kEpsilon;
      step.rate = static_cast<float>(own_rate / (1 - std::pow(options_.beta1, t)));
      step.second_scale = static_cast<float>(1 / (1 - std::pow(options_.beta2, t)));
      dnn::parallel_for(value.count(), kGrain, [&](std::int64_t begin, std::int64_t end) {
        dnn::adam(step, gradient.data() + begin, slot.first.data() + begin, slot.second.data() + begin,
                  value.data() + begin, end - begin);
      });
    } else {
      step.beta1 = static_cast<float>(options_.momentum);
      step.rate = static_cast<float>(own_rate);
      dnn::parallel_for(value.count(), kGrain, [&](std::int64_t begin, std::int64_t end) {
        dnn::descend(step, gradient.data() + begin, slot.first.data() + begin, value.data() + begin, end - begin);
      });
    }
    if (slot.average.count() > 0) {
      dnn::parallel_for(value.count(), kGrain, [&](std::int64_t begin, std::int64_t end) {
        dnn::move_average(static_cast<float>(decay), value.data() + begin, slot.average.data() + begin, end - begin);
      });
    }
  }
  for (auto& [name, average] : statistic_averages_) {
    dnn::move_average(static_cast<float>(decay), parameters_.statistic(name).data(), average.data(), average.count());
  }
  parameters_.clear_gradients();
  return norm;
}

void Optimiser::swap_averages() {
  for (Slot& slot : slots_) {
    if (slot.average.count() > 0) swap_values(slot.average, slot.parameter->value);
  }
  for (auto& [name, average] : statistic_averages_) swap_values(average, parameters_.statistic(name));
}

std::map<std::string, TensorView, std::less<>> Optimiser::state() const {
  std::map<std::string, TensorView, std::less<>> result;
  const auto keep = [&](const std::string& name, const Tensor& tensor) {
    if (tensor.count() > 0) result.emplace(name, tensor.view());
  };
  for (const Slot& slot : slots_) {
    keep("first/" + slot.parameter->name, slot.first);
    keep("second/" + slot.parameter->name, slot.second);
    keep("average/" + slot.parameter->name, slot.average);
  }
  for (const auto& [name, tensor] : statistic_averages_) keep("average/" + name, tensor);
  return result;
}

void Optimiser::restore(const Weights& weights, std::int64_t steps_done) {
  for (Slot& slot : slots_) {
    restore_one(weights, "first/" + slot.parameter->name, slot.first);
    restore_one(weights, "second/" + slot.parameter->name, slot.second);
    restore_one(weights, "average/" + slot.parameter->name, slot.average);
  }
  for (auto& [name, tensor] : statistic_averages_) restore_one(weights, "average/" + name, tensor);
  steps_done_ = steps_done;
}

}  // namespace glimpse::train
