#include <algorithm>
#include <string>
#include <utility>

#include "core/error.h"
#include "dnn/plan/network.h"
#include "dnn/plan/plan.h"
#include "dnn/plan/plan_compiler.h"
#include "dnn/plan/windows.h"

namespace glimpse::dnn {
namespace {

void require(bool fits, const std::string& name, const std::string& what) {
  if (!fits) throw Error(ErrorCode::kUsage, name + ": " + what);
}

/// That the step `name` takes what it is given: `given` and `wanted` as messages say them.
void require_shape(bool fits, const std::string& name, const std::string& what, const Shape& given,
                   const std::string& wanted) {
  if (!fits) require(false, name, what + " of shape " + to_string(given) + " where " + wanted + " is needed");
}

void check_bias(const std::string& name, const Tensor& weight, const std::optional<Tensor>& bias) {
  if (bias)
    require_shape(bias->count() == weight.dim(0), name, "a bias", bias->shape(), to_string(Shape{weight.dim(0)}));
}

}  // namespace

struct PlanBuilder::Impl {
  explicit Impl(PlanOptions plan_options) : options(std::move(plan_options)) {}

  const Shape& shape(Value value) const {
    if (value.id < 0 || value.id >= std::ssize(network.shapes)) {
      throw Error(ErrorCode::kUsage, "value " + std::to_string(value.id) + " is none of this builder, which has " +
                                         std::to_string(network.shapes.size()));
    }
    return network.shapes[static_cast<std::size_t>(value.id)];
  }

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
    const Shape& right = shape(b);
    const bool fits =
        right == left || right == Shape{left[0], left[1], 1, 1} || right == Shape{left[0], 1, left[2], left[3]};
    require_shape(fits, name, "a second operand", right, to_string(left) + " or what broadcasts to it");
    return append(name, {a.id, b.id}, left, op);
  }

  PlanOptions options;
  Network network;
  bool built = false;
};

PlanBuilder::PlanBuilder(PlanOptions options) : impl_(std::make_unique<Impl>(std::move(options))) {}
PlanBuilder::~PlanBuilder() = default;

Value PlanBuilder::input(const std::string& name, const Shape& nchw) {
  const bool fits = nchw.size() == 4 && std::ranges::all_of(nchw, [](std::int64_t side) { return side > 0; });
  require_shape(fits, name, "an input", nchw, "[images,channels,height,width]");
  const Value result = impl_->value(nchw);
  impl_->network.inputs.push_back(result.id);
  return result;
}

Value PlanBuilder::convolution(const std::string& name, Value src, const Tensor& weight,
                               const std::optional<Tensor>& bias, const ConvolutionOptions& options,
                               std::optional<Value> residual) {
  const Shape& in = impl_->shape(src);
  const bool fits = weight.shape().size() == 4 && options.groups > 0 && weight.dim(1) * options.groups == in[1] &&
                    weight.dim(0) % options.groups == 0;
  require_shape(fits, name, "weights", weight.shape(),
                "[out," + std::to_string(in[1]) + "/" + std::to_string(options.groups) + ",rows,cols]");
  check_bias(name, weight, bias);
  ConvolutionOp op;
  op.problem = {in, weight.shape(), options, bias.has_value(), residual.has_value()};
  op.weight = &weight;
  op.bias = bias ? &*bias : nullptr;
  std::vector<int> srcs = {src.id};
  if (residual) {
    const Shape& added = impl_->shape(*residual);
    require_shape(added == op.problem.dst(), name, "a residual", added, to_string(op.problem.dst()));
    srcs.push_back(residual->id);
  }
  Shape dst = op.problem.dst();
  return impl_->append(name, std::move(srcs), std::move(dst), std::move(op));
}

Value PlanBuilder::linear(const std::string& name, Value src, const Tensor& weight, const std::optional<Tensor>& bias,
                          Activation activation) {
  const Shape& in = impl_->shape(src);
  const std::int64_t inner = in[1] * in[2] * in[3];
  const bool fits = weight.shape().size() == 2 && weight.dim(1) == inner;
  require_shape(fits, name, "weights", weight.shape(), "[out," + std::to_string(inner) + "]");
  check_bias(name, weight, bias);
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
  require(!srcs.empty(), name, "nothing to concatenate");
  Shape out = impl_->shape(srcs.front());
  out[1] = 0;
  std::vector<int> ids;
  for (const Value src : srcs) {
    const Shape& in = impl_->shape(src);
    const bool fits = in[0] == out[0] && in[2] == out[2] && in[3] == out[3];
    require_shape(fits, name, "a part", in, "the others' images, rows and columns");
    out[1] += in[1];
    ids.push_back(src.id);
  }
  return impl_->append(name, std::move(ids), std::move(out), ConcatOp{});
}

Value PlanBuilder::self_attention(const std::string& name, Value src, std::int64_t heads) {
  Shape out = impl_->shape(src);
  require(heads > 0 && out[1] % (3 * heads) == 0, name,
          std::to_string(out[1]) + " channels of queries, keys and values for " + std::to_string(heads) +
              " heads; they must be a multiple of three times the heads");
  out[1] /= 3;
  return impl_->append(name, {src.id}, std::move(out), SelfAttentionOp{heads});
}

Value PlanBuilder::layer_norm(const std::string& name, Value src, const Tensor& scale, const Tensor& shift,
                              float epsilon) {
  const Shape out = impl_->shape(src);
  require_shape(scale.count() == out[1], name, "a scale", scale.shape(), to_string(Shape{out[1]}));
  require_shape(shift.count() == out[1], name, "a shift", shift.shape(), to_string(Shape{out[1]}));
  return impl_->append(name, {src.id}, out, LayerNormOp{&scale, &shift, epsilon});
}

void PlanBuilder::output(Value value, bool channels_last) {
  impl_->shape(value);  // throws where there is none
  impl_->network.outputs.push_back({value.id, channels_last});
}

const Shape& PlanBuilder::shape(Value value) const { return impl_->shape(value); }

Plan PlanBuilder::build() {
  require(!std::exchange(impl_->built, true), "build", "a builder builds one plan");
  return Plan(compile_plan(impl_->network, impl_->options));
}

}  // namespace glimpse::dnn
