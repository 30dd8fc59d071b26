#include "ops/plan_context.h"

#include <cmath>

namespace glimpse::ops {

Affine PlanContext::affine(const std::string& part, bool bias) const {
  Affine affine{tensor(part + ".weight"), std::nullopt};
  if (bias) affine.bias = tensor(part + ".bias");
  return affine;
}

ScaleShift PlanContext::batch_norm(const std::string& part, float epsilon) const {
  return load_batch_norm(attributes().weights() + part, epsilon);
}

ScaleShift PlanContext::load_batch_norm(const std::string& prefix, float epsilon) const {
  ScaleShift norm{source_.load(prefix + ".weight"), source_.load(prefix + ".bias")};
  const Tensor mean = source_.load(prefix + ".running_mean");
  const Tensor variance = source_.load(prefix + ".running_var");
  for (std::size_t c = 0; c < norm.scale.values().size(); ++c) {
    const float scale = norm.scale.values()[c] / std::sqrt(variance.values()[c] + epsilon);
    norm.scale.values()[c] = scale;
    norm.shift.values()[c] -= mean.values()[c] * scale;
  }
  return norm;
}

void PlanContext::fold_norm(Affine& affine) const {
  if (step_.folded == nullptr) return;
  const Attributes& norm = step_.folded->attributes;
  fold(affine, load_batch_norm(norm.weights(), norm.number("eps")));
}

void fold(Affine& affine, const ScaleShift& norm) {
  const std::int64_t outputs = affine.weight.dim(0);
  const std::int64_t inputs = affine.weight.count() / outputs;
  if (!affine.bias) {
    affine.bias = norm.shift.clone();
  } else {
    for (std::int64_t o = 0; o < outputs; ++o) {
      float& bias = affine.bias->data()[o];
      bias = bias * norm.scale.data()[o] + norm.shift.data()[o];
    }
  }
  for (std::int64_t o = 0; o < outputs; ++o) {
    for (std::int64_t i = 0; i < inputs; ++i) affine.weight.data()[o * inputs + i] *= norm.scale.data()[o];
  }
}

}  // namespace glimpse::ops
