#include "net/lowering.h"

#include <cmath>
#include <utility>

#include "net/shapes.h"

namespace glimpse::net {
namespace {

using Kind = dnn::Activation::Kind;

constexpr dnn::Activation kRelu = {Kind::kRelu, 0, 0};
constexpr dnn::Activation kSigmoid = {Kind::kSigmoid, 0, 0};

}  // namespace

Lowering::Lowering(const GraphSpec& graph, const Shape& input, const Weights& weights, dnn::PlanBuilder& builder)
    : graph_(graph), input_(input), weights_(weights), builder_(builder), values_(graph.nodes.size()) {
  for (TensorSpec& spec : required_tensors(graph, input)) {
    std::string name = spec.name;
    specs_.emplace(std::move(name), std::move(spec));
  }
  image_ = builder_.input(std::string(kImageName), input);
}

dnn::Value Lowering::value(int index) const {
  return index == kImage ? image_ : values_[static_cast<std::size_t>(index)];
}

void Lowering::lower(const FusedStep& step) { values_[static_cast<std::size_t>(step.tail)] = lower_head(step); }

dnn::Value Lowering::lower_head(const FusedStep& step) {
  const Node& head = node(step.head);
  switch (head.op) {
    case Op::kConv:
      return convolution(step);
    case Op::kBatchNorm:
      return batch_norm(step);
    case Op::kLinear:
      return linear(step);
    case Op::kAct:
      // The identity needs no step of its own.
      if (step.activation.kind == Kind::kNone) return value(head.sources[0]);
      return builder_.activation(head.name, value(head.sources[0]), step.activation);
    case Op::kMaxPool:
    case Op::kAvgPool:
    case Op::kGlobalAvgPool:
    case Op::kAdaptiveAvgPool:
      return pooling(head);
    case Op::kAdd:
    case Op::kMul:
      return elementwise(step);
    case Op::kConcat:
      return concat(head);
    case Op::kSe:
      return squeeze_excite(step);
    case Op::kCbam:
      return attention_module(step);
    case Op::kSelfAttention:
      return self_attention(head);
  }
  fail(graph_, head, "cannot be lowered");
}

dnn::Value Lowering::convolution(const FusedStep& step) {
  const Node& head = node(step.head);
  const Attributes& a = head.attributes;
  Affine affine = load_affine(a.weights, a.bias);
  if (step.folded) {
    const Attributes& norm = node(*step.folded).attributes;
    fold(affine, load_batch_norm(norm.weights, norm.epsilon));
  }
  const Affine& kept = keep(std::move(affine));
  const dnn::Value src = value(head.sources[0]);
  dnn::ConvolutionOptions options;
  options.stride = a.stride;
  options.dilation = a.dilation;
  options.padding = a.padding;
  options.groups = group_count(head, builder_.shape(src)[1]);
  options.activation = step.activation;
  std::optional<dnn::Value> residual;
  if (step.residual) residual = value(*step.residual);
  return builder_.convolution(head.name, src, kept.weight, kept.bias, options, residual);
}

/// Where no convolution stands before it: a depthwise 1×1 convolution, which scales and shifts each channel.
dnn::Value Lowering::batch_norm(const FusedStep& step) {
  const Node& head = node(step.head);
  ScaleShift norm = load_batch_norm(head.attributes.weights, head.attributes.epsilon);
  const std::int64_t channels = norm.scale.dim(0);
  const Affine& kept = keep({Tensor({channels, 1, 1, 1}, norm.scale.values()), std::move(norm.shift)});
  dnn::ConvolutionOptions options;
  options.groups = channels;
  options.activation = step.activation;
  std::optional<dnn::Value> residual;
  if (step.residual) residual = value(*step.residual);
  return builder_.convolution(head.name, value(head.sources[0]), kept.weight, kept.bias, options, residual);
}

dnn::Value Lowering::linear(const FusedStep& step) {
  const Node& head = node(step.head);
  Affine affine = load_affine(head.attributes.weights, head.attributes.bias);
  if (step.folded) {
    const Attributes& norm = node(*step.folded).attributes;
    fold(affine, load_batch_norm(norm.weights, norm.epsilon));
  }
  const Affine& kept = keep(std::move(affine));
  return builder_.linear(head.name, value(head.sources[0]), kept.weight, kept.bias, step.activation);
}

dnn::Value Lowering::pooling(const Node& node) {
  const dnn::Value src = value(node.sources[0]);
  const Attributes& a = node.attributes;
  if (node.op == Op::kGlobalAvgPool) return builder_.global_average(node.name, src);
  if (node.op == Op::kAdaptiveAvgPool) {
    if (a.size[0] == 1 && a.size[1] == 1) return builder_.global_average(node.name, src);
    return builder_.adaptive_average(node.name, src, a.size[0], a.size[1]);
  }
  using PoolKind = dnn::PoolingOptions::Kind;
  dnn::PoolingOptions options;
  options.kind = PoolKind::kMax;
  if (node.op == Op::kAvgPool) {
    options.kind = a.count_padding ? PoolKind::kAverageIncludingPadding : PoolKind::kAverageExcludingPadding;
  }
  options.kernel = a.kernel;
  options.stride = a.stride;
  options.padding = a.padding;
  options.ceil_mode = a.ceil_mode;
  return builder_.pooling(node.name, src, options);
}

dnn::Value Lowering::elementwise(const FusedStep& step) {
  const Node& head = node(step.head);
  dnn::Value a = value(head.sources[0]);
  dnn::Value b = value(head.sources[1]);
  // The builder broadcasts its second operand. The one that broadcasts is the smaller.
  if (element_count(builder_.shape(a)) < element_count(builder_.shape(b))) std::swap(a, b);
  if (head.op == Op::kAdd) return builder_.add(head.name, a, b, step.activation);
  return builder_.multiply(head.name, a, b, step.activation);
}

dnn::Value Lowering::concat(const Node& node) {
  if (node.sources.size() == 1) return value(node.sources[0]);
  std::vector<dnn::Value> srcs;
  for (const int source : node.sources) srcs.push_back(value(source));
  return builder_.concat(node.name, srcs);
}

/// x · sigmoid(excite(relu(squeeze(mean(x)))))
dnn::Value Lowering::squeeze_excite(const FusedStep& step) {
  const Node& head = node(step.head);
  const std::string& prefix = head.attributes.weights;
  const Affine& squeeze = keep(load_affine(prefix + ".squeeze", true));
  const Affine& excite = keep(load_affine(prefix + ".excite", true));
  const dnn::Value src = value(head.sources[0]);
  const dnn::Value mean = builder_.global_average(head.name + ".mean", src);  // [N,C,1,1]
  const dnn::Value hidden =
      builder_.linear(head.name + ".squeeze", mean, squeeze.weight, squeeze.bias, kRelu);  // [N,hidden,1,1]
  const dnn::Value gate =
      builder_.linear(head.name + ".excite", hidden, excite.weight, excite.bias, kSigmoid);  // [N,C,1,1]
  return builder_.multiply(head.name, src, gate, step.activation);
}

/// CBAM. Channels: y = x · sigmoid(mlp(mean(x)) + mlp(max(x))). Cells: y · sigmoid(bn(conv([max_c(y); mean_c(y)]))).
dnn::Value Lowering::attention_module(const FusedStep& step) {
  const Node& head = node(step.head);
  const std::string& prefix = head.attributes.weights;
  const Affine& squeeze = keep(load_affine(prefix + ".squeeze", true));
  Affine excite_twice = load_affine(prefix + ".excite", true);
  // The two branches share the layer, which is linear: excite(a) + excite(b) = W(a + b) + 2·bias, one product for two.
  for (float& value : excite_twice.bias->values()) value *= 2;
  const Affine& excite = keep(std::move(excite_twice));
  const dnn::Value src = value(head.sources[0]);
  const auto hidden = [&](const std::string& name, dnn::Value pooled) {
    return builder_.linear(head.name + name, pooled, squeeze.weight, squeeze.bias, kRelu);
  };
  const dnn::Value mean = hidden(".mean_squeeze", builder_.global_average(head.name + ".mean", src));
  const dnn::Value max = hidden(".max_squeeze", builder_.global_max(head.name + ".max", src));
  const dnn::Value sum = builder_.add(head.name + ".hidden", mean, max);  // [N,hidden,1,1]
  const dnn::Value channel_gate =
      builder_.linear(head.name + ".excite", sum, excite.weight, excite.bias, kSigmoid);  // [N,C,1,1]
  const dnn::Value attended = builder_.multiply(head.name + ".channel", src, channel_gate);

  Affine spatial = load_affine(prefix + ".spatial.conv", false);
  fold(spatial, load_batch_norm(prefix + ".spatial.bn", head.attributes.epsilon));
  const Affine& kept = keep(std::move(spatial));
  const std::array<dnn::Value, 2> planes = {builder_.channel_max(head.name + ".spatial_max", attended),
                                            builder_.channel_mean(head.name + ".spatial_mean", attended)};
  const dnn::Value stacked = builder_.concat(head.name + ".planes", planes);  // [N,2,H,W]
  const std::int64_t rows = head.attributes.kernel[0] / 2;
  const std::int64_t cols = head.attributes.kernel[1] / 2;
  dnn::ConvolutionOptions options;
  options.padding = {rows, cols, rows, cols};
  options.activation = kSigmoid;
  const dnn::Value cell_gate =
      builder_.convolution(head.name + ".spatial", stacked, kept.weight, kept.bias, options);  // [N,1,H,W]
  return builder_.multiply(head.name, attended, cell_gate, step.activation);
}

/// An encoder layer's attention (Vaswani et al. 2017): norm(x + out(attention(in(x)))).
dnn::Value Lowering::self_attention(const Node& node) {
  const Attributes& a = node.attributes;
  const dnn::Value src = value(node.sources[0]);
  const dnn::Value in = cellwise(node.name + ".in", src, a.weights + ".in_proj", std::nullopt);
  const dnn::Value read = builder_.self_attention(node.name + ".read", in, a.heads);
  const dnn::Value sum = cellwise(node.name + ".out", read, a.weights + ".out_proj", src);
  const Affine& norm = keep(load_affine(a.weights + ".norm", true));
  return builder_.layer_norm(node.name, sum, norm.weight, *norm.bias, a.epsilon);
}

dnn::Value Lowering::cellwise(const std::string& name, dnn::Value src, const std::string& prefix,
                              std::optional<dnn::Value> residual) {
  Affine affine = load_affine(prefix, true);
  const std::int64_t out = affine.weight.dim(0);
  affine.weight = Tensor({out, affine.weight.dim(1), 1, 1}, affine.weight.values());
  const Affine& kept = keep(std::move(affine));
  return builder_.convolution(name, src, kept.weight, kept.bias, {}, residual);
}

Lowering::Affine Lowering::load_affine(const std::string& prefix, bool bias) const {
  Affine affine{load_tensor(graph_, specs_.at(prefix + ".weight"), weights_), std::nullopt};
  if (bias) affine.bias = load_tensor(graph_, specs_.at(prefix + ".bias"), weights_);
  return affine;
}

Lowering::ScaleShift Lowering::load_batch_norm(const std::string& prefix, float epsilon) const {
  const auto load = [&](const char* part) { return load_tensor(graph_, specs_.at(prefix + part), weights_); };
  ScaleShift norm{load(".weight"), load(".bias")};
  const Tensor mean = load(".running_mean");
  const Tensor variance = load(".running_var");
  for (std::size_t c = 0; c < norm.scale.values().size(); ++c) {
    const float scale = norm.scale.values()[c] / std::sqrt(variance.values()[c] + epsilon);
    norm.scale.values()[c] = scale;
    norm.shift.values()[c] -= mean.values()[c] * scale;
  }
  return norm;
}

void Lowering::fold(Affine& affine, const ScaleShift& norm) {
  const std::int64_t outputs = affine.weight.dim(0);
  const std::int64_t inputs = affine.weight.count() / outputs;
  if (!affine.bias) {
    affine.bias = norm.shift.clone();
  } else {
    for (std::int64_t o = 0; o < outputs; ++o) {
      float& bias = affine.bias->data()[o];
      bias = bias * norm.scale.data()[o] + norm.shift.data()[o];
    }
  }
  for (std::int64_t o = 0; o < outputs; ++o) {
    for (std::int64_t i = 0; i < inputs; ++i) affine.weight.data()[o * inputs + i] *= norm.scale.data()[o];
  }
}

}  // namespace glimpse::net
