#include <string>
#include <utility>

#include "dnn/kernels_impl.h"

namespace glimpse::dnn {
namespace {

using Tag = dnnl::memory::format_tag;
using dnnl::algorithm;

/// One direction of a convolution, and the layout in which it takes or gives the weights.
struct Pass {
  Kernel kernel;
  dnnl::memory::desc weights;
};

ProblemKey key_of(const ConvolutionProblem& p) {
  ProblemKey key(p.src);
  key.insert(key.end(), p.weight.begin(), p.weight.end());
  const ConvolutionOptions& o = p.options;
  for (const std::int64_t value :
       {o.stride[0], o.stride[1], o.dilation[0], o.dilation[1], o.padding.top, o.padding.left, o.padding.bottom,
        o.padding.right, o.groups, static_cast<std::int64_t>(p.bias)}) {
    key.push_back(value);
  }
  return key;
}

std::string name_of(const ConvolutionProblem& p) {
  return "a convolution of " + to_string(p.src) + " by " + to_string(p.weight);
}

ConvolutionProblem problem_of(const Shape& src, const Shape& weight, bool bias, const ConvolutionOptions& options) {
  ConvolutionProblem problem{src, weight, options, bias, false};
  problem.options.activation = {};
  return problem;
}

}  // namespace

/// One problem's three passes; the backward ones are built when first asked for.
class ConvolutionKernels {
 public:
  ConvolutionKernels(ConvolutionProblem problem, const Kernels::Impl& impl)
      : src_block(impl.block_for(problem.src[1])),
        dst_block(impl.block_for(problem.weight[0])),
        problem_(std::move(problem)),
        description_(describe_pass<dnnl::convolution_forward::desc>(dnnl::prop_kind::forward_training,
                                                                    algorithm::convolution_direct),
                     attributes(), cpu_engine()),
        forward_{{dnnl::convolution_forward(description_), description_.scratchpad_desc()},
                 description_.weights_desc()} {}

  const std::int64_t src_block;
  const std::int64_t dst_block;

  const Pass& forward() const { return forward_; }

  const Pass& to_src() {
    if (!to_src_) {
      using Backward = dnnl::convolution_backward_data;
      const Backward::primitive_desc description(describe_pass<Backward::desc>(algorithm::convolution_direct),
                                                 attributes(), cpu_engine(), description_);
      to_src_ = {{Backward(description), description.scratchpad_desc()}, description.weights_desc()};
    }
    return *to_src_;
  }

  const Pass& to_weight() {
    if (!to_weight_) {
      using Backward = dnnl::convolution_backward_weights;
      const Backward::primitive_desc description(describe_pass<Backward::desc>(algorithm::convolution_direct),
                                                 attributes(), cpu_engine(), description_);
      to_weight_ = {{Backward(description), description.scratchpad_desc()}, description.diff_weights_desc()};
    }
    return *to_weight_;
  }

 private:
  /// `kind`: what distinguishes the passes' constructors, which otherwise take the same descriptors in the same order.
  template <typename Description, typename... Kind>
  Description describe_pass(Kind... kind) const {
    const ConvolutionOptions& o = problem_.options;
    const dnnl::memory::dims strides = {o.stride[0], o.stride[1]};
    const dnnl::memory::dims dilates = {o.dilation[0] - 1, o.dilation[1] - 1};  // oneDNN counts dilation from 0
    const dnnl::memory::dims low = {o.padding.top, o.padding.left};
    const dnnl::memory::dims high = {o.padding.bottom, o.padding.right};
    const dnnl::memory::desc src = describe(problem_.src, src_block);
    const dnnl::memory::desc weight = f32_desc(plain_weights(problem_).dims());
    const dnnl::memory::desc dst = describe(problem_.dst(), dst_block);
    if constexpr (std::is_same_v<Description, dnnl::convolution_backward_data::desc>) {
      return Description(kind..., src, weight, dst, strides, dilates, low, high);
    } else {
      const dnnl::memory::desc bias = problem_.bias ? f32_desc({problem_.weight[0]}, Tag::x) : dnnl::memory::desc();
      return Description(kind..., src, weight, bias, dst, strides, dilates, low, high);
    }
  }

  ConvolutionProblem problem_;
  dnnl::convolution_forward::primitive_desc description_;  ///< the backward passes' hint
  Pass forward_;
  std::optional<Pass> to_src_;
  std::optional<Pass> to_weight_;
};

ConvolutionKernels& Kernels::Impl::convolution(const ConvolutionProblem& problem) {
  auto& slot = convolutions[key_of(problem)];
  if (!slot) slot = std::make_shared<ConvolutionKernels>(problem, *this);
  return *slot;
}

Array Kernels::convolution(const Array& src, const Array& weight, const Array& bias,
                           const ConvolutionOptions& options) {
  const ConvolutionProblem p = problem_of(src.shape(), weight.shape(), static_cast<bool>(bias), options);
  return impl_->guarded(name_of(p), [&] {
    const ConvolutionKernels& kernels = impl_->convolution(p);
    const Array input = reordered(src, kernels.src_block);
    const Array packed = impl_->packed(weight, plain_weights(p), kernels.forward().weights);
    Array dst = take(p.dst(), kernels.dst_block);
    Impl::Arguments arguments = {{DNNL_ARG_SRC, Impl::memory(input)},
                                 {DNNL_ARG_WEIGHTS, Impl::memory(kernels.forward().weights, packed)},
                                 {DNNL_ARG_DST, Impl::memory(dst)}};
    if (bias) arguments[DNNL_ARG_BIAS] = Impl::memory(bias);
    impl_->run(kernels.forward().kernel, arguments);
    return dst;
  });
}

Array Kernels::convolution_d_src(const Array& d_dst, const Array& weight, const Shape& src,
                                 const ConvolutionOptions& options) {
  const ConvolutionProblem p = problem_of(src, weight.shape(), false, options);
  return impl_->guarded(name_of(p), [&] {
    ConvolutionKernels& kernels = impl_->convolution(p);
    const Array gradient = reordered(d_dst, kernels.dst_block);
    const Pass& pass = kernels.to_src();
    const Array packed = impl_->packed(weight, plain_weights(p), pass.weights);
    Array d_src = take(src, kernels.src_block);
    impl_->run(pass.kernel, {{DNNL_ARG_DIFF_DST, Impl::memory(gradient)},
                             {DNNL_ARG_WEIGHTS, Impl::memory(pass.weights, packed)},
                             {DNNL_ARG_DIFF_SRC, Impl::memory(d_src)}});
    return d_src;
  });
}

Kernels::WeightGradients Kernels::convolution_d_weight(const Array& src, const Array& d_dst, const Shape& weight,
                                                       bool bias, const ConvolutionOptions& options) {
  const ConvolutionProblem p = problem_of(src.shape(), weight, bias, options);
  return impl_->guarded(name_of(p), [&] {
    ConvolutionKernels& kernels = impl_->convolution(p);
    const Array input = reordered(src, kernels.src_block);
    const Array gradient = reordered(d_dst, kernels.dst_block);
    const Pass& pass = kernels.to_weight();
    const Array packed = impl_->opaque(pass.weights);
    WeightGradients result{take(weight), bias ? take({weight[0]}) : Array()};
    Impl::Arguments arguments = {{DNNL_ARG_SRC, Impl::memory(input)},
                                 {DNNL_ARG_DIFF_DST, Impl::memory(gradient)},
                                 {DNNL_ARG_DIFF_WEIGHTS, Impl::memory(pass.weights, packed)}};
    if (bias) arguments[DNNL_ARG_DIFF_BIAS] = Impl::memory(result.bias);
    impl_->run(pass.kernel, arguments);
    impl_->reorder(pass.weights, packed, plain_weights(p), result.weight);
    return result;
  });
}

}  // namespace glimpse::dnn
