// Attention of a network on its own maps: squeeze and excitation (Hu et al. 2018), CBAM (Woo et al. 2018).

#include <algorithm>
#include <array>

#include "ops/families.h"
#include "ops/plan_context.h"
#include "ops/tape_context.h"

namespace glimpse::ops {
namespace {

using train::Variable;

constexpr dnn::Activation kRelu = {dnn::Activation::Kind::kRelu, 0, 0};
constexpr dnn::Activation kSigmoid = {dnn::Activation::Kind::kSigmoid, 0, 0};

/// What both have: two layers from the channels to a hidden layer and back.
class Excitation : public Operation {
 public:
  std::vector<AttributeRule> attributes() const override {
    return {{"squeeze", AttributeKind::kCount, {}, true},
            {"r", AttributeKind::kCount, {}, true},
            {"weights", AttributeKind::kPrefix, {}, true}};
  }
  std::optional<std::string> finish(Attributes& attributes) const override {
    if (attributes.has("squeeze") && attributes.has("r")) return "squeeze= and r= exclude each other";
    if (!attributes.has("squeeze") && !attributes.has("r")) attributes.set_count("r", 16);
    return std::nullopt;
  }
  Fusion fusion() const override { return {Fusion::Part::kNothing, false, false, true}; }
  Shape shape(const NodeView& view) const override { return view.src(); }
  void tensors(const NodeView& view, TensorList& list) const override {
    const std::int64_t channels = view.src()[1];
    const std::int64_t hidden = hidden_units(view.attributes(), channels);
    list.add_affine(".squeeze", {hidden, channels}, true);
    list.add_affine(".excite", {channels, hidden}, true);
  }

 protected:
  static std::int64_t hidden_units(const Attributes& attributes, std::int64_t channels) {
    if (attributes.has("squeeze")) return attributes.count("squeeze");
    return std::max<std::int64_t>(1, channels / attributes.count("r"));
  }
  static Variable layer(TapeContext& context, const std::string& part, const Variable& src) {
    return train::dense(context.tape, src, context.tensor(part + ".weight"), context.tensor(part + ".bias"));
  }
  static Variable hidden(TapeContext& context, const Variable& pooled) {
    return train::activation_in_place(context.tape, layer(context, ".squeeze", pooled), kRelu);
  }
};

/// se: squeeze=N or r=16. x · sigmoid(excite(relu(squeeze(mean(x))))).
class SqueezeExcite final : public Excitation {
 public:
  std::string_view name() const override { return "se"; }
  std::int64_t multiply_adds(const NodeView& view) const override {
    return view.src()[0] * 2 * view.src()[1] * hidden_units(view.attributes(), view.src()[1]);
  }

  dnn::Value plan(PlanContext& context) const override {
    dnn::PlanBuilder& builder = context.builder;
    const Affine& squeeze = context.keep(context.affine(".squeeze", true));
    const Affine& excite = context.keep(context.affine(".excite", true));
    const dnn::Value mean = builder.global_average(context.name() + ".mean", context.src());  // [N,C,1,1]
    const dnn::Value hidden =
        builder.linear(context.name() + ".squeeze", mean, squeeze.weight, squeeze.bias, kRelu);  // [N,hidden,1,1]
    const dnn::Value gate =
        builder.linear(context.name() + ".excite", hidden, excite.weight, excite.bias, kSigmoid);  // [N,C,1,1]
    return builder.multiply(context.name(), context.src(), gate, context.activation());
  }

  Variable tape(TapeContext& context) const override {
    const Variable pooled = global_average(context.tape, context.src());
    const Variable gate =
        train::activation_in_place(context.tape, layer(context, ".excite", hidden(context, pooled)), kSigmoid);
    return context.activated(train::multiply(context.tape, context.src(), gate));
  }
};

/// cbam: squeeze=N or r=16, k=7. Channels: y = x · sigmoid(mlp(mean(x)) + mlp(max(x))). Cells: y ·
/// sigmoid(bn(conv([max_c(y); mean_c(y)]))). spatial.conv.weight [1, 2, k, k], planes: maximum, mean.
class Cbam final : public Excitation {
 public:
  std::string_view name() const override { return "cbam"; }
  std::vector<AttributeRule> attributes() const override {
    std::vector<AttributeRule> rules = Excitation::attributes();
    rules.insert(rules.begin() + 2, {"k", AttributeKind::kPair, "7"});
    return rules;
  }
  std::optional<std::string> finish(Attributes& attributes) const override {
    const auto kernel = attributes.pair("k");
    if (auto complaint = Excitation::finish(attributes)) return complaint;
    if (kernel[0] % 2 == 0 || kernel[1] % 2 == 0) return "k= must be odd";
    return std::nullopt;
  }

  void tensors(const NodeView& view, TensorList& list) const override {
    Excitation::tensors(view, list);
    const auto kernel = view.attributes().pair("k");
    list.add_affine(".spatial.conv", {1, 2, kernel[0], kernel[1]}, false);
    list.add_batch_norm(".spatial.bn", 1);
  }

  /// The hidden layer once for the mean and once for the maximum; both share the layer after it.
  std::int64_t multiply_adds(const NodeView& view) const override {
    const Shape& src = view.src();
    const auto kernel = view.attributes().pair("k");
    return src[0] *
           (3 * src[1] * hidden_units(view.attributes(), src[1]) + src[2] * src[3] * 2 * kernel[0] * kernel[1]);
  }

  dnn::Value plan(PlanContext& context) const override {
    const dnn::Value attended = weigh_channels(context);
    dnn::PlanBuilder& builder = context.builder;
    Affine spatial = context.affine(".spatial.conv", false);
    fold(spatial, context.batch_norm(".spatial.bn", kEpsilon));
    const Affine& kept = context.keep(std::move(spatial));
    const std::array<dnn::Value, 2> planes = {builder.channel_max(context.name() + ".spatial_max", attended),
                                              builder.channel_mean(context.name() + ".spatial_mean", attended)};
    const dnn::Value stacked = builder.concat(context.name() + ".planes", planes);  // [N,2,H,W]
    dnn::ConvolutionOptions options = spatial_options(context.attributes());
    options.activation = kSigmoid;
    const dnn::Value gate =
        builder.convolution(context.name() + ".spatial", stacked, kept.weight, kept.bias, options);  // [N,1,H,W]
    return builder.multiply(context.name(), attended, gate, context.activation());
  }

  Variable tape(TapeContext& context) const override {
    train::Tape& tape = context.tape;
    const Variable& src = context.src();
    dnn::PoolingOptions whole;
    whole.kernel = {src.dim(2), src.dim(3)};
    const Variable maximum = train::plain(tape, train::max_pooling(tape, src, whole));
    const Variable of_mean = layer(context, ".excite", hidden(context, global_average(tape, src)));
    const Variable of_max = layer(context, ".excite", hidden(context, maximum));
    const Variable channels = train::activation_in_place(tape, train::add(tape, of_mean, of_max), kSigmoid);
    const Variable attended = train::multiply(tape, src, channels);

    const std::array<Variable, 2> planes = {train::channel_max(tape, attended), train::channel_mean(tape, attended)};
    const Variable mixed = train::convolution(tape, train::concat(tape, planes), context.tensor(".spatial.conv.weight"),
                                              {}, spatial_options(context.attributes()));
    const Variable places = context.batch_norm(".spatial.bn", mixed, kEpsilon, kSigmoid);
    return context.activated(train::multiply(tape, attended, places));
  }

 private:
  static constexpr float kEpsilon = 1e-5F;  // of the batch norm behind the convolution

  static dnn::ConvolutionOptions spatial_options(const Attributes& attributes) {
    const auto kernel = attributes.pair("k");
    dnn::ConvolutionOptions options;
    options.padding = {kernel[0] / 2, kernel[1] / 2, kernel[0] / 2, kernel[1] / 2};
    return options;
  }

  static dnn::Value weigh_channels(PlanContext& context) {
    dnn::PlanBuilder& builder = context.builder;
    const std::string& name = context.name();
    const Affine& squeeze = context.keep(context.affine(".squeeze", true));
    Affine excite_twice = context.affine(".excite", true);
    // The branches share the layer, which is linear: excite(a) + excite(b) = W(a + b) + 2·bias, one product for two.
    for (float& value : excite_twice.bias->values()) value *= 2;
    const Affine& excite = context.keep(std::move(excite_twice));
    const auto hidden = [&](const std::string& part, dnn::Value pooled) {
      return builder.linear(name + part, pooled, squeeze.weight, squeeze.bias, kRelu);
    };
    const dnn::Value mean = hidden(".mean_squeeze", builder.global_average(name + ".mean", context.src()));
    const dnn::Value max = hidden(".max_squeeze", builder.global_max(name + ".max", context.src()));
    const dnn::Value sum = builder.add(name + ".hidden", mean, max);  // [N,hidden,1,1]
    const dnn::Value gate = builder.linear(name + ".excite", sum, excite.weight, excite.bias, kSigmoid);  // [N,C,1,1]
    return builder.multiply(name + ".channel", context.src(), gate);
  }
};

}  // namespace

const Operation& squeeze_excite() {
  static const SqueezeExcite kOperation;
  return kOperation;
}

const Operation& cbam() {
  static const Cbam kOperation;
  return kOperation;
}

}  // namespace glimpse::ops
