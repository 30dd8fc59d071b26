#include <algorithm>
#include <cassert>
#include <utility>

#include "dnn/plan/network.h"
#include "dnn/plan/plan.h"
#include "dnn/plan/plan_compiler.h"
#include "dnn/plan/windows.h"

namespace glimpse::dnn {

struct PlanBuilder::Impl {
  explicit Impl(PlanOptions plan_options) : options(std::move(plan_options)) {}

  const Shape& shape(Value value) const { return network.shapes[static_cast<std::size_t>(value.id)]; }

  Value value(Shape shape) {
    network.shapes.push_back(std::move(shape));
    return {static_cast<int>(network.shapes.size()) - 1};
  }

  template <typename What>
  Value append(const std::string& name, std::vector<int> srcs, Shape dst, What what) {
    const Value result = value(std::move(dst));
    network.ops.push_back({name, std::move(srcs), result.id, std::move(what)});
    return result;
  }

  Value binary(const std::string& name, Value a, Value b, BinaryOp op) {
    const Shape& left = shape(a);
    [[maybe_unused]] const Shape& right = shape(b);
    assert(right == left || (right[0] == left[0] && right[1] == left[1] && right[2] == 1 && right[3] == 1) ||
           (right[0] == left[0] && right[1] == 1 && right[2] == left[2] && right[3] == left[3]));
    return append(name, {a.id, b.id}, left, op);
  }

  PlanOptions options;
  Network network;
};

PlanBuilder::PlanBuilder(PlanOptions options) : impl_(std::make_unique<Impl>(std::move(options))) {}
PlanBuilder::~PlanBuilder() = default;

Value PlanBuilder::input(const std::string& /*name*/, const Shape& nchw) {
  assert(nchw.size() == 4);
  const Value result = impl_->value(nchw);
  impl_->network.inputs.push_back(result.id);
  return result;
}

Value PlanBuilder::convolution(const std::string& name, Value src, const Tensor& weight,
                               const std::optional<Tensor>& bias, const ConvolutionOptions& options,
                               std::optional<Value> residual) {
  ConvolutionOp op;
  op.problem = {impl_->shape(src), weight.shape(), options, bias.has_value(), residual.has_value()};
  op.weight = &weight;
  op.bias = bias ? &*bias : nullptr;
  assert(weight.dim(1) * options.groups == impl_->shape(src)[1]);
  std::vector<int> srcs = {src.id};
  if (residual) {
    assert(impl_->shape(*residual) == op.problem.dst());
    srcs.push_back(residual->id);
  }
  Shape dst = op.problem.dst();
  return impl_->append(name, std::move(srcs), std::move(dst), std::move(op));
}

Value PlanBuilder::linear(const std::string& name, Value src, const Tensor& weight, const std::optional<Tensor>& bias,
                          Activation activation) {
  const Shape& in = impl_->shape(src);
  assert(weight.dim(1) == in[1] * in[2] * in[3]);
  return impl_->append(name, {src.id}, {in[0], weight.dim(0), 1, 1},
                       LinearOp{&weight, bias ? &*bias : nullptr, activation});
}

Value PlanBuilder::pooling(const std::string& name, Value src, const PoolingOptions& options) {
  const Shape& in = impl_->shape(src);
  const Side rows = {in[2], options.kernel[0], options.stride[0], options.padding.top, options.padding.bottom};
  const Side cols = {in[3], options.kernel[1], options.stride[1], options.padding.left, options.padding.right};
  const Shape out = {in[0], in[1], pooled_size(rows, options.ceil_mode), pooled_size(cols, options.ceil_mode)};
  // oneDNN divides by the whole window, also where ceil mode lets it reach beyond the padding.
  if (options.kind == PoolingOptions::Kind::kAverageIncludingPadding && options.ceil_mode) {
    return impl_->append(name, {src.id}, out,
                         BinnedAverageOp{window_bins(rows, out[2], true), window_bins(cols, out[3], true)});
  }
  return impl_->append(name, {src.id}, out, PoolingOp{options});
}

Value PlanBuilder::global_average(const std::string& name, Value src) {
  const Shape& in = impl_->shape(src);
  return pooling(name, src, {PoolingOptions::Kind::kAverageExcludingPadding, {in[2], in[3]}, {1, 1}, {}, false});
}

Value PlanBuilder::global_max(const std::string& name, Value src) {
  const Shape& in = impl_->shape(src);
  return pooling(name, src, {PoolingOptions::Kind::kMax, {in[2], in[3]}, {1, 1}, {}, false});
}

Value PlanBuilder::adaptive_average(const std::string& name, Value src, std::int64_t rows, std::int64_t cols) {
  const Shape& in = impl_->shape(src);
  if (in[2] == rows && in[3] == cols) return src;
  if (in[2] % rows == 0 && in[3] % cols == 0) {
    const std::array<std::int64_t, 2> window = {in[2] / rows, in[3] / cols};
    return pooling(name, src, {PoolingOptions::Kind::kAverageExcludingPadding, window, window, {}, false});
  }
  return impl_->append(name, {src.id}, {in[0], in[1], rows, cols},
                       BinnedAverageOp{adaptive_bins(in[2], rows), adaptive_bins(in[3], cols)});
}

Value PlanBuilder::channel_mean(const std::string& name, Value src) {
  const Shape& in = impl_->shape(src);
  return impl_->append(name, {src.id}, {in[0], 1, in[2], in[3]}, ChannelReductionOp{false});
}

Value PlanBuilder::channel_max(const std::string& name, Value src) {
  const Shape& in = impl_->shape(src);
  return impl_->append(name, {src.id}, {in[0], 1, in[2], in[3]}, ChannelReductionOp{true});
}

Value PlanBuilder::activation(const std::string& name, Value src, Activation activation) {
  if (activation.kind == Activation::Kind::kNone) return src;
  const Shape out = impl_->shape(src);
  return impl_->append(name, {src.id}, out, ActivationOp{activation});
}

Value PlanBuilder::add(const std::string& name, Value a, Value b, Activation activation) {
  return impl_->binary(name, a, b, {false, activation});
}

Value PlanBuilder::multiply(const std::string& name, Value a, Value b, Activation activation) {
  return impl_->binary(name, a, b, {true, activation});
}

Value PlanBuilder::concat(const std::string& name, std::span<const Value> srcs) {
  Shape out = impl_->shape(srcs.front());
  out[1] = 0;
  std::vector<int> ids;
  for (const Value src : srcs) {
    out[1] += impl_->shape(src)[1];
    ids.push_back(src.id);
  }
  return impl_->append(name, std::move(ids), std::move(out), ConcatOp{});
}

Value PlanBuilder::self_attention(const std::string& name, Value src, std::int64_t heads) {
  Shape out = impl_->shape(src);
  assert(out[1] % (3 * heads) == 0);
  out[1] /= 3;
  return impl_->append(name, {src.id}, std::move(out), SelfAttentionOp{heads});
}

Value PlanBuilder::layer_norm(const std::string& name, Value src, const Tensor& scale, const Tensor& shift,
                              float epsilon) {
  const Shape out = impl_->shape(src);
  assert(scale.count() == out[1] && shift.count() == out[1]);
  return impl_->append(name, {src.id}, out, LayerNormOp{&scale, &shift, epsilon});
}

void PlanBuilder::output(Value value, bool channels_last) {
  impl_->network.outputs.push_back({value.id, channels_last});
}

const Shape& PlanBuilder::shape(Value value) const { return impl_->shape(value); }

Plan PlanBuilder::build() { return Plan(compile_plan(impl_->network, impl_->options)); }

}  // namespace glimpse::dnn
