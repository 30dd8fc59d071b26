#include "dnn/plan/convolution.h"

#include <string_view>

#include "dnn/math/activation.h"
#include "dnn/plan/winograd.h"

namespace glimpse::dnn {
namespace {

using Tag = dnnl::memory::format_tag;
using dnnl::algorithm;

dnnl::memory::dims weight_dims(const ConvolutionProblem& problem) {
  const Shape& w = problem.weight;
  const std::int64_t groups = problem.options.groups;
  if (groups == 1) return w;
  return {groups, w[0] / groups, w[1], w[2], w[3]};
}

/// Blocked kernels take a picture's few channels as they come: padding 3 to 16 would waste most of the work.
Tag blocked_src(const ConvolutionProblem& problem) {
  return problem.options.groups == 1 && problem.src[1] < channel_block() ? Tag::any : blocked_tag();
}

bool fits_winograd(const ConvolutionProblem& problem) {
  const ConvolutionOptions& o = problem.options;
  return problem.weight[2] == 3 && problem.weight[3] == 3 && o.groups == 1 && o.stride[0] == 1 && o.stride[1] == 1 &&
         o.dilation[0] == 1 && o.dilation[1] == 1;
}

dnnl::convolution_forward::primitive_desc create(const ConvolutionProblem& problem, algorithm kind, Tag src, Tag dst) {
  const ConvolutionOptions& o = problem.options;
  const dnnl::memory::desc bias = problem.bias ? f32_desc({problem.weight[0]}, Tag::x) : dnnl::memory::desc();
  // oneDNN counts dilation from 0.
  const dnnl::convolution_forward::desc description(
      dnnl::prop_kind::forward_inference, kind, f32_desc(problem.src, src), f32_desc(weight_dims(problem)), bias,
      f32_desc(problem.dst(), dst), {o.stride[0], o.stride[1]}, {o.dilation[0] - 1, o.dilation[1] - 1},
      {o.padding.top, o.padding.left}, {o.padding.bottom, o.padding.right});
  dnnl::post_ops post_ops;
  if (problem.residual) post_ops.append_sum();
  append_activation(post_ops, o.activation);
  return {description, attributes(post_ops), cpu_engine()};
}

}  // namespace

dnnl::memory::format_tag blocked_tag() {
  static const Tag kTag = instruction_set().starts_with("avx512") ? Tag::nChw16c : Tag::nChw8c;
  return kTag;
}

std::int64_t channel_block() { return blocked_tag() == Tag::nChw16c ? 16 : 8; }

Eltwise eltwise_of(const Activation& activation) {
  return {static_cast<algorithm>(function_of(activation.kind).algorithm), activation.lo, activation.hi};
}

void append_activation(dnnl::post_ops& post_ops, const Activation& activation) {
  if (activation.kind == Activation::Kind::kNone) return;
  const Eltwise eltwise = eltwise_of(activation);
  post_ops.append_eltwise(1.0F, eltwise.algorithm, eltwise.alpha, eltwise.beta);
}

dnnl::primitive_attr attributes(const dnnl::post_ops& post_ops) {
  dnnl::primitive_attr result;
  result.set_scratchpad_mode(dnnl::scratchpad_mode::user);
  result.set_post_ops(post_ops);
  return result;
}

bool is_reference(const char* implementation) { return std::string_view(implementation).starts_with("ref"); }

std::optional<dnnl::convolution_forward::primitive_desc> make_convolution(const ConvolutionProblem& problem,
                                                                          ConvolutionVariant variant) {
  if (variant == ConvolutionVariant::kPreferred) {
    return create(problem, algorithm::convolution_direct, Tag::any, Tag::any);
  }
  const bool winograd = variant == ConvolutionVariant::kWinograd;
  if (winograd && !fits_winograd(problem)) return std::nullopt;
  try {
    auto result = create(problem, winograd ? algorithm::convolution_winograd : algorithm::convolution_direct,
                         winograd ? blocked_tag() : blocked_src(problem), blocked_tag());
    if (is_reference(result.impl_info_str())) return std::nullopt;
    return result;
  } catch (const dnnl::error&) {
    return std::nullopt;  // no kernel for these tags; not an error
  }
}

bool is_own_winograd(const ConvolutionProblem& problem, ConvolutionVariant variant) {
  return variant == ConvolutionVariant::kWinograd && winograd_fits(problem, channel_block()) &&
         !make_convolution(problem, variant);
}

dnnl::convolution_forward::primitive_desc make_nearest_convolution(const ConvolutionProblem& problem,
                                                                   ConvolutionVariant variant) {
  if (variant == ConvolutionVariant::kWinograd) {
    if (auto winograd = make_convolution(problem, variant)) return *winograd;
    variant = ConvolutionVariant::kBlocked;
  }
  if (auto result = make_convolution(problem, variant)) return *result;
  return *make_convolution(problem, ConvolutionVariant::kPreferred);
}

dnnl::memory::desc plain_weights(const ConvolutionProblem& problem) {
  return f32_desc(weight_dims(problem), problem.options.groups == 1 ? Tag::oihw : Tag::goihw);
}

}  // namespace glimpse::dnn
