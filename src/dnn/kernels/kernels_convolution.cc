#include <string>
#include <utility>

#include "dnn/kernels/kernels_impl.h"

namespace glimpse::dnn {
namespace {

using Tag = dnnl::memory::format_tag;
using dnnl::algorithm;

/// Blocks of channels that a pass's maps stand in.
struct Blocks {
  std::int64_t src;
  std::int64_t dst;
};

/// One direction of a convolution, and the layouts in which it takes or gives maps and weights.
struct Pass {
  Kernel kernel;
  dnnl::memory::desc weights;
  Blocks blocks;
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
      : problem_(std::move(problem)), preferred_{impl.block_for(problem_.src[1]), impl.block_for(problem_.weight[0])} {
    using Forward = dnnl::convolution_forward;
    forward_ = make<Forward>(
        [&](Blocks blocks) {
          return Forward::primitive_desc(
              describe<Forward::desc>(blocks, dnnl::prop_kind::forward_training, algorithm::convolution_direct),
              attributes(), cpu_engine());
        },
        [](const Forward::primitive_desc& d) { return d.weights_desc(); });
  }

  const Pass& forward() const { return forward_; }

  const Pass& to_src() {
    using Backward = dnnl::convolution_backward_data;
    if (!to_src_) {
      to_src_ = make<Backward>([&](Blocks blocks) { return backward<Backward>(blocks); },
                               [](const Backward::primitive_desc& d) { return d.weights_desc(); });
    }
    return *to_src_;
  }

  const Pass& to_weight() {
    using Backward = dnnl::convolution_backward_weights;
    if (!to_weight_) {
      to_weight_ = make<Backward>([&](Blocks blocks) { return backward<Backward>(blocks); },
                                  [](const Backward::primitive_desc& d) { return d.diff_weights_desc(); });
    }
    return *to_weight_;
  }

 private:
  /// In blocks, but plain where only oneDNN's slow reference knows blocks (dilated gradients of weights on AVX2).
  template <typename Primitive, typename MakeDescription, typename Weights>
  Pass make(MakeDescription make_description, Weights weights) {
    Blocks blocks = preferred_;
    auto description = make_description(blocks);
    if (is_reference(description.impl_info_str())) {
      blocks = {1, 1};
      description = make_description(blocks);
    }
    return {{Primitive(description), description.scratchpad_desc()}, weights(description), blocks};
  }

  template <typename Backward>
  typename Backward::primitive_desc backward(Blocks blocks) const {
    // The hint's layouts must be the pass's own.
    const dnnl::convolution_forward::primitive_desc hint(
        describe<dnnl::convolution_forward::desc>(blocks, dnnl::prop_kind::forward_training,
                                                  algorithm::convolution_direct),
        attributes(), cpu_engine());
    return {describe<typename Backward::desc>(blocks, algorithm::convolution_direct), attributes(), cpu_engine(), hint};
  }

  /// `kind`: what distinguishes the passes' constructors, which otherwise take the same descriptors in the same order.
  template <typename Description, typename... Kind>
  Description describe(Blocks blocks, Kind... kind) const {
    const ConvolutionOptions& o = problem_.options;
    const dnnl::memory::dims strides = {o.stride[0], o.stride[1]};
    const dnnl::memory::dims dilates = {o.dilation[0] - 1, o.dilation[1] - 1};  // oneDNN counts dilation from 0
    const dnnl::memory::dims low = {o.padding.top, o.padding.left};
    const dnnl::memory::dims high = {o.padding.bottom, o.padding.right};
    const dnnl::memory::desc src = dnn::describe(problem_.src, blocks.src);
    const dnnl::memory::desc weight = f32_desc(plain_weights(problem_).dims());
    const dnnl::memory::desc dst = dnn::describe(problem_.dst(), blocks.dst);
    if constexpr (std::is_same_v<Description, dnnl::convolution_backward_data::desc>) {
      return Description(kind..., src, weight, dst, strides, dilates, low, high);
    } else {
      const dnnl::memory::desc bias = problem_.bias ? f32_desc({problem_.weight[0]}, Tag::x) : dnnl::memory::desc();
      return Description(kind..., src, weight, bias, dst, strides, dilates, low, high);
    }
  }

  ConvolutionProblem problem_;
  Blocks preferred_;
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
  if (impl_->by_winograd(p)) return winograd(*this, p, src, weight);
  return impl_->guarded(name_of(p), [&] {
    const Pass& pass = impl_->convolution(p).forward();
    const Array input = reordered(src, pass.blocks.src);
    const Array packed = impl_->packed(weight, plain_weights(p), pass.weights);
    Array dst = take(p.dst(), pass.blocks.dst);
    Impl::Arguments arguments = {{DNNL_ARG_SRC, Impl::memory(input)},
                                 {DNNL_ARG_WEIGHTS, Impl::memory(pass.weights, packed)},
                                 {DNNL_ARG_DST, Impl::memory(dst)}};
    if (bias) arguments[DNNL_ARG_BIAS] = Impl::memory(bias);
    impl_->run(pass.kernel, arguments);
    return dst;
  });
}

Array Kernels::convolution_d_src(const Array& d_dst, const Array& weight, const Shape& src,
                                 const ConvolutionOptions& options) {
  const ConvolutionProblem p = problem_of(src, weight.shape(), false, options);
  if (impl_->by_winograd(p)) return winograd_d_src(*this, p, d_dst, weight);
  return impl_->guarded(name_of(p), [&] {
    const Pass& pass = impl_->convolution(p).to_src();
    const Array gradient = reordered(d_dst, pass.blocks.dst);
    const Array packed = impl_->packed(weight, plain_weights(p), pass.weights);
    Array d_src = take(src, pass.blocks.src);
    impl_->run(pass.kernel, {{DNNL_ARG_DIFF_DST, Impl::memory(gradient)},
                             {DNNL_ARG_WEIGHTS, Impl::memory(pass.weights, packed)},
                             {DNNL_ARG_DIFF_SRC, Impl::memory(d_src)}});
    return d_src;
  });
}

Kernels::WeightGradients Kernels::convolution_d_weight(const Array& src, const Array& d_dst, const Shape& weight,
                                                       bool bias, const ConvolutionOptions& options) {
  const ConvolutionProblem p = problem_of(src.shape(), weight, bias, options);
  if (impl_->by_winograd(p)) return {winograd_d_weight(*this, p, src, d_dst), {}};
  return impl_->guarded(name_of(p), [&] {
    const Pass& pass = impl_->convolution(p).to_weight();
    const Array input = reordered(src, pass.blocks.src);
    const Array gradient = reordered(d_dst, pass.blocks.dst);
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
