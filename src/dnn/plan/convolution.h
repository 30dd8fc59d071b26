/// Convolutions as oneDNN primitives: one problem, the few ways to compute it. Internal to src/dnn.
#pragma once

#include <optional>

#include "dnn/runtime/engine.h"
#include "dnn/plan/plan.h"

namespace glimpse::dnn {

enum class ConvolutionVariant {
  kPreferred,  ///< direct, in the layout that oneDNN prefers for it alone
  kBlocked,    ///< direct, channels in blocks of a vector's width on both sides
  kWinograd    ///< Winograd, which works on that layout only: oneDNN's where it has one, else ours (winograd.h)
};

/// nChw16c with AVX-512, nChw8c below.
dnnl::memory::format_tag blocked_tag();
std::int64_t channel_block();  ///< channels of its blocks

/// Appends `activation`, if any, to a primitive's post-ops.
void append_activation(dnnl::post_ops& post_ops, const Activation& activation);
/// oneDNN's names and parameters for an activation other than kNone.
struct Eltwise {
  dnnl::algorithm algorithm;
  float alpha;
  float beta;
};
Eltwise eltwise_of(const Activation& activation);

/// Attributes that every primitive here has (scratchpad given by the caller), with `post_ops`.
dnnl::primitive_attr attributes(const dnnl::post_ops& post_ops = {});

/// Whether oneDNN fell back on its slow, unoptimised code.
bool is_reference(const char* implementation);

/// Whether `variant` is our own Winograd, and no primitive.
bool is_own_winograd(const ConvolutionProblem& problem, ConvolutionVariant variant);

/// Nothing where oneDNN has no fast kernel for that variant. kPreferred always gives one, or throws dnnl::error where
/// oneDNN refuses the convolution altogether. A residual is a sum post-op: it stands in dst before execution.
std::optional<dnnl::convolution_forward::primitive_desc> make_convolution(const ConvolutionProblem& problem,
                                                                          ConvolutionVariant variant);

/// `variant`, or the nearest that there is.
dnnl::convolution_forward::primitive_desc make_nearest_convolution(const ConvolutionProblem& problem,
                                                                   ConvolutionVariant variant);

/// The dense layout of the weights as they come: [out, in/groups, kh, kw], or the same with the groups split off.
dnnl::memory::desc plain_weights(const ConvolutionProblem& problem);

}  // namespace glimpse::dnn
