#include "dnn/plan/lowering.h"

#include <algorithm>
#include <utility>

#include "dnn/plan/winograd.h"

namespace glimpse::dnn {

using Tag = dnnl::memory::format_tag;

namespace {

/// Whether two layouts give the same bytes: with a single cell every layout is the row of channels, unless a block is
/// partly filled.
bool same_bytes(const Shape& shape, const dnnl::memory::desc& a, const dnnl::memory::desc& b) {
  if (shape[2] * shape[3] != 1) return false;
  const auto dense = [&](const dnnl::memory::desc& desc) {
    return desc.get_size() == static_cast<std::size_t>(element_count(shape)) * sizeof(float) &&
           (desc == f32_desc(shape, Tag::nchw) || desc == f32_desc(shape, Tag::nhwc) ||
            desc == f32_desc(shape, blocked_tag()));
  };
  return dense(a) && dense(b);
}

}  // namespace

PlanLowering::PlanLowering(const Network& network, std::vector<ConvolutionVariant> variants, int threads)
    : network_(network),
      variants_(std::move(variants)),
      last_uses_(network.last_uses()),
      held_(network.shapes.size()),
      plan_(std::make_shared<Plan::Impl>()) {
  const bool blocked = std::any_of(variants_.begin(), variants_.end(),
                                   [](ConvolutionVariant v) { return v != ConvolutionVariant::kPreferred; });
  working_tag_ = blocked ? blocked_tag() : Tag::nhwc;
  plan_->threads = threads;
}

std::shared_ptr<const Plan::Impl> PlanLowering::run() {
  for (const int input : network_.inputs) {
    const Held tensor = new_tensor(f32_desc(shape(input), Tag::nchw));
    // The caller may write before any run and run again without writing: nothing else ever lies there.
    buffers_[static_cast<std::size_t>(tensor.buffer)] = {tensor.desc.get_size(), 0, Network::kForever};
    define(input, tensor);
    plan_->inputs.push_back({tensor.buffer, shape(input)});
  }
  for (const Op& op : network_.ops) {
    translate_errors(op.name, [&] { lower(op); });
    ++op_index_;
  }
  translate_errors("output", [&] { deliver_outputs(); });
  plan_->arena = lay_out_arena(buffers_);
  return plan_;
}

void PlanLowering::lower(const Op& op) {
  op_name_ = op.name;
  std::visit([&](const auto& what) { lower(op, what); }, op.what);
}

void PlanLowering::deliver_outputs() {
  for (const Network::Output& output : network_.outputs) {
    op_name_ = "output";
    const Held tensor = in_layout(output.value, output.channels_last ? Tag::nhwc : Tag::nchw);
    buffers_[static_cast<std::size_t>(tensor.buffer)].last = Network::kForever;
    Shape seen = shape(output.value);
    if (output.channels_last) seen = {seen[0], seen[2], seen[3], seen[1]};
    plan_->outputs.push_back({tensor.buffer, std::move(seen)});
  }
}

int PlanLowering::new_buffer(std::size_t bytes) {
  const auto step = static_cast<int>(plan_->steps.size());
  buffers_.push_back({bytes, step, step});
  return static_cast<int>(buffers_.size()) - 1;
}

PlanLowering::Held PlanLowering::new_tensor(const dnnl::memory::desc& desc) {
  return {new_buffer(desc.get_size()), desc};
}

void PlanLowering::touch(int buffer) {
  Lifetime& lifetime = buffers_[static_cast<std::size_t>(buffer)];
  lifetime.last = std::max(lifetime.last, static_cast<int>(plan_->steps.size()));
}

PlanLowering::Held PlanLowering::in_layout(int value, const dnnl::memory::desc& desc) {
  for (const Held& tensor : held(value)) {
    if (tensor.desc == desc) return tensor;
  }
  const Held& first = held(value).front();
  const Held tensor = same_bytes(shape(value), first.desc, desc) ? Held{first.buffer, desc}
                                                                 : append_reorder(std::string(op_name_), first, desc);
  define(value, tensor);
  return tensor;
}

PlanLowering::Held PlanLowering::overwritable(int value, const dnnl::memory::desc& desc) {
  if (dies_here(value)) return in_layout(value, desc);
  return append_reorder(std::string(op_name_), held(value).front(), desc);
}

PlanLowering::Held PlanLowering::in_working_layout(int value) {
  const Held& tensor = held(value).front();
  if (tensor.desc != f32_desc(shape(value), Tag::nchw)) return tensor;
  return in_layout(value, working_tag_);
}

PlanLowering::Held PlanLowering::elementwise_dst(int value, const Held& src) {
  return dies_here(value) ? src : new_tensor(src.desc);
}

Argument PlanLowering::argument(int role, const Held& tensor) {
  touch(tensor.buffer);
  return {role, tensor.buffer, -1, tensor.desc};
}

Argument PlanLowering::constant(int role, const dnnl::memory& memory) {
  plan_->constants.push_back(memory);
  plan_->weight_bytes += memory.get_desc().get_size();
  return {role, -1, static_cast<int>(plan_->constants.size()) - 1, memory.get_desc()};
}

void PlanLowering::append(const Op& op, const StepText& text, Step step) {
  StepInfo info = {op.name, std::string(text.kind), text.implementation, text.flops, std::nullopt};
  if (const auto* convolution = std::get_if<ConvolutionOp>(&op.what)) info.convolution = convolution->problem;
  plan_->infos.push_back(std::move(info));
  plan_->steps.push_back(std::move(step));
}

void PlanLowering::add_scratchpad(Step& step, const dnnl::memory::desc& desc) {
  if (desc.get_size() == 0) return;
  // A scratchpad lives for one step, so the arena lends it whatever is free then.
  step.arguments.push_back(argument(DNNL_ARG_SCRATCHPAD, new_tensor(desc)));
}

PlanLowering::Held PlanLowering::append_reorder(const std::string& name, const Held& src,
                                                const dnnl::memory::desc& desc) {
  const dnnl::reorder::primitive_desc description(cpu_engine(), src.desc, cpu_engine(), desc, attributes());
  const Held dst = new_tensor(desc);
  Step step;
  step.primitive = dnnl::reorder(description);
  step.arguments = {argument(DNNL_ARG_FROM, src), argument(DNNL_ARG_TO, dst)};
  add_scratchpad(step, description.scratchpad_desc());
  plan_->infos.push_back({name, "reorder", description.impl_info_str(), 0, std::nullopt});
  plan_->steps.push_back(std::move(step));
  return dst;
}

PlanLowering::Held PlanLowering::convolution_dst(const Op& op, const ConvolutionProblem& problem,
                                                 const dnnl::memory::desc& desc) {
  if (!problem.residual) return new_tensor(desc);
  if (op.srcs[1] == op.srcs[0]) return append_reorder(op.name, held(op.srcs[1]).front(), desc);
  return overwritable(op.srcs[1], desc);
}

void PlanLowering::lower_winograd(const Op& op, const ConvolutionOp& convolution) {
  const ConvolutionProblem& problem = convolution.problem;
  const auto winograd = std::make_shared<const WinogradConvolution>(
      problem, convolution.weight->data(), convolution.bias == nullptr ? nullptr : convolution.bias->data(),
      channel_block());
  const Held src = in_layout(op.srcs[0], blocked_tag());
  const Held dst = convolution_dst(op, problem, f32_desc(problem.dst(), blocked_tag()));
  const auto scratch = static_cast<std::int64_t>(winograd->scratch_bytes() / sizeof(float));
  Step step;
  step.arguments = {argument(DNNL_ARG_SRC, src), argument(DNNL_ARG_DST, dst),
                    argument(DNNL_ARG_SCRATCHPAD, new_tensor(f32_desc({scratch}, Tag::x)))};
  step.loop = [winograd](const float* from, float* to, float* room) { winograd->run(from, to, room); };
  plan_->weight_bytes += winograd->weight_bytes();
  append(op, {"convolution", WinogradConvolution::kName, problem.flops()}, std::move(step));
  define(op.dst, dst);
}

void PlanLowering::lower(const Op& op, const ConvolutionOp& convolution) {
  const ConvolutionProblem& problem = convolution.problem;
  const ConvolutionVariant variant = variants_[convolution_index_++];
  if (is_own_winograd(problem, variant)) return lower_winograd(op, convolution);
  const auto description = make_nearest_convolution(problem, variant);
  const Held src = in_layout(op.srcs[0], description.src_desc());
  // The sum post-op adds to what stands in dst.
  const Held dst = convolution_dst(op, problem, description.dst_desc());
  Step step;
  step.primitive = dnnl::convolution_forward(description);
  step.arguments = {
      argument(DNNL_ARG_SRC, src), argument(DNNL_ARG_DST, dst),
      constant(DNNL_ARG_WEIGHTS, pack(convolution.weight->data(), plain_weights(problem), description.weights_desc()))};
  if (convolution.bias != nullptr) {
    step.arguments.push_back(constant(
        DNNL_ARG_BIAS, pack(convolution.bias->data(), f32_desc({problem.weight[0]}, Tag::x), description.bias_desc())));
  }
  add_scratchpad(step, description.scratchpad_desc());
  append(op, {"convolution", description.impl_info_str(), problem.flops()}, std::move(step));
  define(op.dst, dst);
}

void PlanLowering::lower(const Op& op, const LinearOp& linear) {
  const Shape& in = shape(op.srcs[0]);
  const std::int64_t out = linear.weight->dim(0);
  // Over one cell every plain layout is [N,C]; over several the primitive picks one, the weights follow in NCHW order.
  const bool one_cell = in[2] == 1 && in[3] == 1;
  const dnnl::memory::dims src_dims = one_cell ? dnnl::memory::dims{in[0], in[1]} : in;
  dnnl::memory::dims weight_dims = src_dims;
  weight_dims[0] = out;
  dnnl::post_ops post_ops;
  append_activation(post_ops, linear.activation);
  const dnnl::memory::desc bias = linear.bias != nullptr ? f32_desc({out}, Tag::x) : dnnl::memory::desc();
  const dnnl::inner_product_forward::primitive_desc description(
      {dnnl::prop_kind::forward_inference, f32_desc(src_dims, one_cell ? Tag::nc : Tag::any), f32_desc(weight_dims),
       bias, f32_desc({in[0], out}, Tag::nc)},
      attributes(post_ops), cpu_engine());
  Held src = in_layout(op.srcs[0], one_cell ? f32_desc(in, Tag::nhwc) : description.src_desc());
  if (one_cell) src.desc = description.src_desc();
  Held dst = new_tensor(description.dst_desc());
  Step step;
  step.primitive = dnnl::inner_product_forward(description);
  const dnnl::memory::desc plain = f32_desc(weight_dims, one_cell ? Tag::oi : Tag::oihw);
  step.arguments = {argument(DNNL_ARG_SRC, src), argument(DNNL_ARG_DST, dst),
                    constant(DNNL_ARG_WEIGHTS, pack(linear.weight->data(), plain, description.weights_desc()))};
  if (linear.bias != nullptr) {
    step.arguments.push_back(constant(DNNL_ARG_BIAS, pack(linear.bias->data(), bias, description.bias_desc())));
  }
  add_scratchpad(step, description.scratchpad_desc());
  append(op, {"linear", description.impl_info_str(), 2 * linear.weight->count() * in[0]}, std::move(step));
  dst.desc = f32_desc({in[0], out, 1, 1}, Tag::nhwc);  // the same bytes
  define(op.dst, dst);
}

}  // namespace glimpse::dnn
