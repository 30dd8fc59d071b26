/// The activations that there are: one table, read by the graph language (names), by plans (oneDNN's algorithm, fused
/// into the primitive before it) and by the tape (loops forward and backward).
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>
#include <vector>

#include "dnn/plan/plan.h"

namespace glimpse::dnn {

struct ActivationFunction {
  Activation::Kind kind;
  std::string_view name;  ///< as graphs spell it
  int algorithm;          ///< dnnl_alg_kind_t; lo and hi are its parameters
  /// Whether the derivative can be told from the result alone, so that training may overwrite the source.
  bool reversible;
  /// dst = f(src), which may be the same numbers; lo and hi belong to kClip.
  void (*forward)(const Activation& activation, const float* src, float* dst, std::int64_t count);
  /// d_src = d_dst · f'(src), where dst = f(src); src is not read where the function is reversible.
  void (*backward)(const Activation& activation, const float* src, const float* dst, const float* d_dst, float* d_src,
                   std::int64_t count);
};

/// Throws nothing; every Kind stands in the table.
const ActivationFunction& function_of(Activation::Kind kind);
std::optional<Activation::Kind> activation_named(std::string_view name);
std::vector<std::string_view> activation_names();

}  // namespace glimpse::dnn
