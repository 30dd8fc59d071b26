#include <algorithm>
#include <cstring>
#include <string>

#include "dnn/kernels/kernels_impl.h"

namespace glimpse::dnn {
namespace {

using Flags = dnnl::normalization_flags;

std::string name_of(const Array& src) { return "a batch norm of " + to_string(src.shape()); }

/// [2, C], as the one argument that every kernel takes: oneDNN 2.6's for plain maps fails on two of [C].
Array together(ArrayPool& pool, const Array& scale, const Array& shift) {
  Array both = pool.take({2, scale.count()});
  std::ranges::copy(scale.values(), both.data());
  std::ranges::copy(shift.values(), both.data() + scale.count());
  return both;
}

}  // namespace

/// Both passes over one shape.
struct NormKernels {
  NormKernels(const dnnl::memory::desc& map, const Kernels::NormOptions& options, bool given) {
    Flags flags = Flags::use_scale_shift;
    if (options.relu) flags = flags | Flags::fuse_norm_relu;
    if (given) flags = flags | Flags::use_global_stats;
    description = dnnl::batch_normalization_forward::primitive_desc(
        {dnnl::prop_kind::forward_training, map, options.epsilon, flags}, attributes(), cpu_engine());
    const dnnl::batch_normalization_backward::primitive_desc back(
        {dnnl::prop_kind::backward, map, map, options.epsilon, flags}, attributes(), cpu_engine(), description);
    forward = {dnnl::batch_normalization_forward(description), description.scratchpad_desc()};
    backward = {dnnl::batch_normalization_backward(back), back.scratchpad_desc()};
  }

  dnnl::batch_normalization_forward::primitive_desc description;
  Kernel forward;
  Kernel backward;
};

NormKernels& Kernels::Impl::norm(const Array& src, const NormOptions& options, bool given) {
  ProblemKey key(src.shape());
  std::uint32_t epsilon_bits = 0;
  std::memcpy(&epsilon_bits, &options.epsilon, sizeof epsilon_bits);
  key.insert(key.end(), {src.block(), epsilon_bits, options.relu, given});
  auto& slot = norms[key];
  if (!slot) slot = std::make_shared<NormKernels>(describe(src), options, given);
  return *slot;
}

Kernels::Normalised Kernels::Impl::normalise(const Array& src, const Array& scale, const Array& shift,
                                             Normalised statistics, const NormOptions& options, bool given) {
  return guarded(name_of(src), [&] {
    const NormKernels& kernels = norm(src, options, given);
    Normalised result = statistics;
    result.dst = pool.take(src.shape(), src.block());
    const Array scale_shift = together(pool, scale, shift);
    Arguments arguments = {{DNNL_ARG_SRC, memory(src)},
                           {DNNL_ARG_DST, memory(result.dst)},
                           {DNNL_ARG_MEAN, memory(result.mean)},
                           {DNNL_ARG_VARIANCE, memory(result.variance)},
                           {DNNL_ARG_SCALE_SHIFT, memory(scale_shift)}};
    if (options.relu) {
      const dnnl::memory::desc mask = kernels.description.workspace_desc();
      result.positive = opaque(mask);
      arguments[DNNL_ARG_WORKSPACE] = memory(mask, result.positive);
    }
    run(kernels.forward, arguments);
    return result;
  });
}

Kernels::Normalised Kernels::batch_norm(const Array& src, const Array& scale, const Array& shift,
                                        const NormOptions& options) {
  Normalised statistics;
  statistics.mean = take({src.dim(1)});
  statistics.variance = take({src.dim(1)});
  return impl_->normalise(src, scale, shift, statistics, options, false);
}

Kernels::Normalised Kernels::batch_norm_by(const Array& src, const Array& scale, const Array& shift, const Array& mean,
                                           const Array& variance, const NormOptions& options) {
  Normalised statistics;
  statistics.mean = mean;
  statistics.variance = variance;
  return impl_->normalise(src, scale, shift, statistics, options, true);
}

Kernels::NormGradients Kernels::batch_norm_gradients(const Array& src, const Normalised& forward, const Array& scale,
                                                     const Array& d_dst, const NormOptions& options, bool given) {
  return impl_->guarded(name_of(src), [&] {
    const NormKernels& kernels = impl_->norm(src, options, given);
    const Array gradient = reordered(d_dst, src.block());
    NormGradients result{take_like(src), take(scale.shape()), take(scale.shape())};
    // The shift does not enter the gradients.
    const Array scale_shift = together(impl_->pool, scale, scale);
    const Array d_scale_shift = take(scale_shift.shape());
    Impl::Arguments arguments = {{DNNL_ARG_SRC, Impl::memory(src)},
                                 {DNNL_ARG_MEAN, Impl::memory(forward.mean)},
                                 {DNNL_ARG_VARIANCE, Impl::memory(forward.variance)},
                                 {DNNL_ARG_SCALE_SHIFT, Impl::memory(scale_shift)},
                                 {DNNL_ARG_DIFF_DST, Impl::memory(gradient)},
                                 {DNNL_ARG_DIFF_SRC, Impl::memory(result.src)},
                                 {DNNL_ARG_DIFF_SCALE_SHIFT, Impl::memory(d_scale_shift)}};
    if (options.relu) {
      arguments[DNNL_ARG_WORKSPACE] = Impl::memory(kernels.description.workspace_desc(), forward.positive);
    }
    impl_->run(kernels.backward, arguments);
    std::copy_n(d_scale_shift.data(), scale.count(), result.scale.data());
    std::copy_n(d_scale_shift.data() + scale.count(), scale.count(), result.shift.data());
    return result;
  });
}

}  // namespace glimpse::dnn
