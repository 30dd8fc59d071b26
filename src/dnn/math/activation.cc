#include "dnn/math/activation.h"

#include <oneapi/dnnl/dnnl_types.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <cstddef>
#include <numbers>
#include <span>

#include "dnn/math/lane_loops.h"
#include "dnn/math/vector_math.h"

namespace glimpse::dnn {
namespace {

using Kind = Activation::Kind;
using Floats = const float*;

/// Copies where dst is not src, for functions that work in place.
std::span<float> in_place(Floats src, float* dst, std::int64_t count) {
  if (src != dst) std::copy_n(src, count, dst);
  return {dst, static_cast<std::size_t>(count)};
}

constexpr float kSqrt2 = std::numbers::sqrt2_v<float>;

/// Φ(x): the share of a normal distribution below x. GELU is x Φ(x) (Hendrycks and Gimpel 2016).
float normal_below(float x) { return 0.5F * (1 + std::erf(x / kSqrt2)); }

constexpr std::array<ActivationFunction, 7> kFunctions = {{
    {Kind::kNone, "none", dnnl_alg_kind_undef, false,
     [](const Activation&, Floats src, float* dst, std::int64_t n) { in_place(src, dst, n); },
     [](const Activation&, Floats, Floats, Floats d_dst, float* d_src, std::int64_t n) { in_place(d_dst, d_src, n); }},
    {Kind::kRelu, "relu", dnnl_eltwise_relu, true,
     [](const Activation&, Floats src, float* dst, std::int64_t n) { relu(src, dst, n); },
     [](const Activation&, Floats, Floats dst, Floats d_dst, float* d_src, std::int64_t n) {
       relu_d_src(dst, d_dst, d_src, n);
     }},
    {Kind::kClip, "clip", dnnl_eltwise_clip, false,
     [](const Activation& a, Floats src, float* dst, std::int64_t n) { clip(src, a.lo, a.hi, dst, n); },
     [](const Activation& a, Floats src, Floats, Floats d_dst, float* d_src, std::int64_t n) {
       clip_d_src(src, a.lo, a.hi, d_dst, d_src, n);
     }},
    {Kind::kSigmoid, "sigmoid", dnnl_eltwise_logistic, true,
     [](const Activation&, Floats src, float* dst, std::int64_t n) { sigmoid_in_place(in_place(src, dst, n)); },
     [](const Activation&, Floats, Floats dst, Floats d_dst, float* d_src, std::int64_t n) {
       sigmoid_d_src(dst, d_dst, d_src, n);
     }},
    {Kind::kTanh, "tanh", dnnl_eltwise_tanh, true,
     [](const Activation&, Floats src, float* dst, std::int64_t n) { tanh_in_place(in_place(src, dst, n)); },
     [](const Activation&, Floats, Floats dst, Floats d_dst, float* d_src, std::int64_t n) {
       tanh_d_src(dst, d_dst, d_src, n);
     }},
    {Kind::kHardSwish, "hardswish", dnnl_eltwise_hardswish, false,
     [](const Activation&, Floats src, float* dst, std::int64_t n) { hardswish(src, dst, n); },
     [](const Activation&, Floats src, Floats, Floats d_dst, float* d_src, std::int64_t n) {
       hardswish_d_src(src, d_dst, d_src, n);
     }},
    {Kind::kGelu, "gelu", dnnl_eltwise_gelu_erf, false,
     [](const Activation&, Floats src, float* dst, std::int64_t n) {
       for (std::int64_t i = 0; i < n; ++i) dst[i] = src[i] * normal_below(src[i]);
     },
     [](const Activation&, Floats src, Floats, Floats d_dst, float* d_src, std::int64_t n) {
       for (std::int64_t i = 0; i < n; ++i) {
         const float density = std::exp(-0.5F * src[i] * src[i]) * std::numbers::inv_sqrtpi_v<float> / kSqrt2;
         d_src[i] = d_dst[i] * (normal_below(src[i]) + src[i] * density);
       }
     }},
}};

}  // namespace

const ActivationFunction& function_of(Kind kind) {
  return *std::find_if(kFunctions.begin(), kFunctions.end(), [&](const auto& row) { return row.kind == kind; });
}

std::optional<Kind> activation_named(std::string_view name) {
  for (const ActivationFunction& row : kFunctions) {
    if (row.name == name) return row.kind;
  }
  return std::nullopt;
}

std::vector<std::string_view> activation_names() {
  std::vector<std::string_view> names;
  for (const ActivationFunction& row : kFunctions) names.push_back(row.name);
  return names;
}

}  // namespace glimpse::dnn
