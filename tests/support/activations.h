/// Reference activations, one row each.
#pragma once

#include <algorithm>
#include <array>
#include <cmath>
#include <string_view>

#include "dnn/plan/plan.h"

namespace glimpse::testing {

struct ReferenceActivation {
  std::string_view name;
  dnn::Activation activation;  ///< as tests use it
  float reach = 1;             ///< numbers of this size show all of its shape
  double (*value)(double x, const dnn::Activation& activation);
};

using ActivationKind = dnn::Activation::Kind;

inline constexpr std::array kReferenceActivations = {
    ReferenceActivation{"none", {}, 1, [](double x, const dnn::Activation&) { return x; }},
    ReferenceActivation{
        "relu", {ActivationKind::kRelu, 0, 0}, 1, [](double x, const dnn::Activation&) { return std::max(x, 0.0); }},
    ReferenceActivation{"clip",
                        {ActivationKind::kClip, -0.353F, 0.6137F},
                        1,
                        [](double x, const dnn::Activation& a) { return std::clamp<double>(x, a.lo, a.hi); }},
    ReferenceActivation{"sigmoid",
                        {ActivationKind::kSigmoid, 0, 0},
                        4,
                        [](double x, const dnn::Activation&) { return 1 / (1 + std::exp(-x)); }},
    ReferenceActivation{
        "tanh", {ActivationKind::kTanh, 0, 0}, 3, [](double x, const dnn::Activation&) { return std::tanh(x); }},
    ReferenceActivation{"hardswish",
                        {ActivationKind::kHardSwish, 0, 0},
                        4.7F,
                        [](double x, const dnn::Activation&) { return x * std::clamp(x + 3, 0.0, 6.0) / 6; }},
    ReferenceActivation{"gelu",
                        {ActivationKind::kGelu, 0, 0},
                        3,
                        [](double x, const dnn::Activation&) { return x * 0.5 * (1 + std::erf(x / std::sqrt(2.0))); }},
};

inline double reference_activation(double x, const dnn::Activation& activation) {
  for (const ReferenceActivation& row : kReferenceActivations) {
    if (row.activation.kind == activation.kind) return row.value(x, activation);
  }
  return std::nan("");  // no row: no test can pass
}

}  // namespace glimpse::testing
