// The operations between the products: pooling, reductions, element-wise, concatenation, attention among cells.

#include <algorithm>
#include <utility>

#include "dnn/plan/loops.h"
#include "dnn/plan/lowering.h"

namespace glimpse::dnn {
namespace {

using Tag = dnnl::memory::format_tag;
using dnnl::algorithm;

algorithm pooling_algorithm(PoolingOptions::Kind kind) {
  switch (kind) {
    case PoolingOptions::Kind::kMax:
      return algorithm::pooling_max;
    case PoolingOptions::Kind::kAverageExcludingPadding:
      return algorithm::pooling_avg_exclude_padding;
    case PoolingOptions::Kind::kAverageIncludingPadding:
      return algorithm::pooling_avg_include_padding;
  }
  return algorithm::pooling_max;
}

/// Padding after the input such that oneDNN, which rounds down, arrives at `out`.
std::int64_t padding_after(std::int64_t in, std::int64_t out, std::int64_t kernel, std::int64_t stride,
                           std::int64_t before, std::int64_t given) {
  return std::max(given, (out - 1) * stride + kernel - in - before);
}

dnnl::pooling_forward::primitive_desc describe_pooling(const PoolingOptions& o, const dnnl::memory::desc& src,
                                                       const Shape& in, const Shape& out) {
  const std::int64_t bottom = padding_after(in[2], out[2], o.kernel[0], o.stride[0], o.padding.top, o.padding.bottom);
  const std::int64_t right = padding_after(in[3], out[3], o.kernel[1], o.stride[1], o.padding.left, o.padding.right);
  return {{dnnl::prop_kind::forward_inference,
           pooling_algorithm(o.kind),
           src,
           f32_desc(out),
           {o.stride[0], o.stride[1]},
           {o.kernel[0], o.kernel[1]},
           {o.padding.top, o.padding.left},
           {bottom, right}},
          attributes(),
          cpu_engine()};
}

/// Whether `channels` fill their blocks, so that the blocked layout has no padding.
bool fill_blocks(std::int64_t channels) { return channels % (blocked_tag() == Tag::nChw16c ? 16 : 8) == 0; }

}  // namespace

void PlanLowering::lower(const Op& op, const PoolingOp& pooling) {
  const Held src = in_working_layout(op.srcs[0]);
  const auto description = describe_pooling(pooling.options, src.desc, shape(op.srcs[0]), shape(op.dst));
  const Held dst = new_tensor(description.dst_desc());
  Step step;
  step.primitive = dnnl::pooling_forward(description);
  step.arguments = {argument(DNNL_ARG_SRC, src), argument(DNNL_ARG_DST, dst)};
  add_scratchpad(step, description.scratchpad_desc());
  append(op, {"pooling", description.impl_info_str()}, std::move(step));
  define(op.dst, dst);
}

void PlanLowering::lower(const Op& op, const BinnedAverageOp& average) {
  const Held src = in_layout(op.srcs[0], Tag::nhwc);
  const Held dst = new_tensor(f32_desc(shape(op.dst), Tag::nhwc));
  Step step;
  step.arguments = {argument(DNNL_ARG_SRC, src), argument(DNNL_ARG_DST, dst)};
  step.loop = [average, in = shape(op.srcs[0])](const float* from, float* to, float* /*scratch*/) {
    binned_average(average, in, from, to);
  };
  append(op, {"pooling", "loop"}, std::move(step));
  define(op.dst, dst);
}

void PlanLowering::lower(const Op& op, const ChannelReductionOp& reduction) {
  const Shape& in = shape(op.srcs[0]);
  const Held src = in_layout(op.srcs[0], Tag::nhwc);
  const Held dst = new_tensor(f32_desc(shape(op.dst), Tag::nchw));
  Step step;
  step.arguments = {argument(DNNL_ARG_SRC, src), argument(DNNL_ARG_DST, dst)};
  step.loop = [reduction, cells = in[0] * in[2] * in[3], channels = in[1]](const float* from, float* to,
                                                                           float* /*scratch*/) {
    reduce_channels(reduction, cells, channels, from, to);
  };
  append(op, {"reduction", "loop"}, std::move(step));
  define(op.dst, dst);
}

void PlanLowering::lower(const Op& op, const ActivationOp& activation) {
  const Held src = in_working_layout(op.srcs[0]);
  const Eltwise eltwise = eltwise_of(activation.activation);
  const dnnl::eltwise_forward::primitive_desc description(
      {dnnl::prop_kind::forward_inference, eltwise.algorithm, src.desc, eltwise.alpha, eltwise.beta}, attributes(),
      cpu_engine());
  const Held dst = elementwise_dst(op.srcs[0], src);
  Step step;
  step.primitive = dnnl::eltwise_forward(description);
  step.arguments = {argument(DNNL_ARG_SRC, src), argument(DNNL_ARG_DST, dst)};
  add_scratchpad(step, description.scratchpad_desc());
  append(op, {"activation", description.impl_info_str()}, std::move(step));
  define(op.dst, dst);
}

void PlanLowering::lower(const Op& op, const BinaryOp& binary) {
  int left = op.srcs[0];
  int right = op.srcs[1];
  // Both operations commute: the one that dies is the one to overwrite.
  if (shape(left) == shape(right) && !dies_here(left) && dies_here(right)) std::swap(left, right);
  // Where blocks of channels are partly filled, oneDNN 2.6's binary kernels give wrong results (in place with an
  // activation, or broadcasting) and can write beyond the tensor: channels-last has no such blocks.
  const bool whole_blocks = fill_blocks(shape(left)[1]) && fill_blocks(shape(right)[1]);
  const Held a = whole_blocks ? in_working_layout(left) : in_layout(left, Tag::nhwc);
  // oneDNN's fast kernels want both in the same layout, also where the second broadcasts.
  Held b;
  if (shape(left) == shape(right)) {
    b = in_layout(right, a.desc);
  } else {
    b = in_layout(right, a.desc == f32_desc(shape(left), blocked_tag()) ? blocked_tag() : Tag::nhwc);
  }
  dnnl::post_ops post_ops;
  append_activation(post_ops, binary.activation);
  const dnnl::binary::primitive_desc description(
      {binary.multiply ? algorithm::binary_mul : algorithm::binary_add, a.desc, b.desc, a.desc}, attributes(post_ops),
      cpu_engine());
  const Held dst = left == right ? new_tensor(a.desc) : elementwise_dst(left, a);
  Step step;
  step.primitive = dnnl::binary(description);
  step.arguments = {argument(DNNL_ARG_SRC_0, a), argument(DNNL_ARG_SRC_1, b), argument(DNNL_ARG_DST, dst)};
  add_scratchpad(step, description.scratchpad_desc());
  append(op, {binary.multiply ? "multiply" : "add", description.impl_info_str()}, std::move(step));
  define(op.dst, dst);
}

void PlanLowering::lower(const Op& op, const ConcatOp& /*concat*/) {
  // Blocks of channels can be laid side by side only where none is partly filled.
  const bool whole_blocks =
      std::all_of(op.srcs.begin(), op.srcs.end() - 1, [&](int src) { return fill_blocks(shape(src)[1]); });
  const Tag tag = whole_blocks ? working_tag_ : Tag::nhwc;
  std::vector<Held> srcs;
  std::vector<dnnl::memory::desc> descs;
  for (const int src : op.srcs) {
    srcs.push_back(in_layout(src, tag));
    descs.push_back(srcs.back().desc);
  }
  const dnnl::concat::primitive_desc description(f32_desc(shape(op.dst), tag), 1, descs, cpu_engine(), attributes());
  const Held dst = new_tensor(description.dst_desc());
  Step step;
  step.primitive = dnnl::concat(description);
  for (std::size_t i = 0; i < srcs.size(); ++i) {
    step.arguments.push_back(argument(DNNL_ARG_MULTIPLE_SRC + static_cast<int>(i), srcs[i]));
  }
  step.arguments.push_back(argument(DNNL_ARG_DST, dst));
  add_scratchpad(step, description.scratchpad_desc());
  append(op, {"concat", description.impl_info_str()}, std::move(step));
  define(op.dst, dst);
}

void PlanLowering::lower(const Op& op, const SelfAttentionOp& attention) {
  const Shape& out = shape(op.dst);
  const SelfAttentionShape sizes = {out[0], out[2] * out[3], out[1], attention.heads};
  const std::int64_t scores = sizes.pictures * sizes.heads * sizes.cells * sizes.cells;
  const Held src = in_layout(op.srcs[0], Tag::nhwc);
  const Held dst = new_tensor(f32_desc(out, Tag::nhwc));
  Step step;
  step.arguments = {argument(DNNL_ARG_SRC, src), argument(DNNL_ARG_DST, dst),
                    argument(DNNL_ARG_SCRATCHPAD, new_tensor(f32_desc({scores}, Tag::x)))};
  step.loop = [sizes](const float* from, float* to, float* room) { self_attention(sizes, from, to, room); };
  append(op, {"attention", "loop", 4 * scores * sizes.channels / sizes.heads}, std::move(step));
  define(op.dst, dst);
}

void PlanLowering::lower(const Op& op, const LayerNormOp& norm) {
  const Shape& in = shape(op.srcs[0]);
  const Held src = in_layout(op.srcs[0], Tag::nhwc);
  const Held dst = new_tensor(f32_desc(in, Tag::nhwc));
  Step step;
  step.arguments = {argument(DNNL_ARG_SRC, src), argument(DNNL_ARG_DST, dst)};
  // The builder's tensors live only until the plan is built.
  step.loop = [scale = std::make_shared<const Tensor>(norm.scale->clone()),
               shift = std::make_shared<const Tensor>(norm.shift->clone()), epsilon = norm.epsilon,
               rows = in[0] * in[2] * in[3]](const float* from, float* to, float* /*scratch*/) {
    layer_norm(*scale, *shift, epsilon, rows, from, to);
  };
  append(op, {"normalisation", "loop"}, std::move(step));
  define(op.dst, dst);
}

}  // namespace glimpse::dnn
