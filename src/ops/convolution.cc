#include "ops/families.h"
#include "ops/plan_context.h"
#include "ops/tape_context.h"
#include "ops/window.h"

namespace glimpse::ops {
namespace {

std::int64_t group_count(const Attributes& attributes, std::int64_t channels) {
  const std::int64_t groups = attributes.count("groups");
  return groups == kGroupPerChannel ? channels : groups;
}

/// conv: out= k= · s=1 pad=0 dilation=1 groups=1 bias=1 act=. weight [out, in/groups, k, k], bias [out].
class Convolution final : public Operation {
 public:
  std::string_view name() const override { return "conv"; }
  std::vector<AttributeRule> attributes() const override {
    return {{"out", AttributeKind::kCount},
            {"k", AttributeKind::kPair},
            {"s", AttributeKind::kPair, "1"},
            {"pad", AttributeKind::kPadding, "0"},
            {"dilation", AttributeKind::kPair, "1"},
            {"groups", AttributeKind::kGroups, "1"},
            {"bias", AttributeKind::kSwitch, "1"},
            {"act", AttributeKind::kActivation, "none"},
            {"weights", AttributeKind::kPrefix, {}, true}};
  }
  Fusion fusion() const override { return {Fusion::Part::kNothing, true, true, true}; }

  Shape shape(const NodeView& view) const override {
    const Attributes& a = view.attributes();
    const Shape& src = view.src();
    const std::int64_t groups = group_count(a, src[1]);
    const std::int64_t out = a.count("out");
    if (src[1] % groups != 0 || out % groups != 0) {
      view.fail("groups=" + std::to_string(groups) + " must divide both its " + std::to_string(src[1]) +
                " input channels and out=" + std::to_string(out));
    }
    const Window window = {a.pair("k"), a.pair("s"), a.pair("dilation"), a.padding(), false};
    return {src[0], out, window_count(view, window, 0), window_count(view, window, 1)};
  }

  void tensors(const NodeView& view, TensorList& list) const override {
    const Attributes& a = view.attributes();
    const auto kernel = a.pair("k");
    const std::int64_t channels = view.src()[1];
    list.add_affine("", {a.count("out"), channels / group_count(a, channels), kernel[0], kernel[1]}, a.flag("bias"));
  }

  std::int64_t multiply_adds(const NodeView& view) const override {
    const Attributes& a = view.attributes();
    const auto kernel = a.pair("k");
    const std::int64_t channels = view.src()[1];
    return element_count(view.dst) * (channels / group_count(a, channels) * kernel[0] * kernel[1]);
  }

  dnn::Value plan(PlanContext& context) const override {
    Affine affine = context.affine("", context.attributes().flag("bias"));
    context.fold_norm(affine);
    const Affine& kept = context.keep(std::move(affine));
    dnn::ConvolutionOptions options = options_of(context.attributes(), context.shape()[1]);
    options.activation = context.activation();
    return context.builder.convolution(context.name(), context.src(), kept.weight, kept.bias, options,
                                       context.residual());
  }

  train::Variable tape(TapeContext& context) const override {
    const Attributes& a = context.attributes();
    const train::Variable bias = a.flag("bias") ? context.tensor(".bias") : train::Variable();
    return context.activated(train::convolution(context.tape, context.src(), context.tensor(".weight"), bias,
                                                options_of(a, context.src().dim(1))));
  }

 private:
  static dnn::ConvolutionOptions options_of(const Attributes& a, std::int64_t channels) {
    dnn::ConvolutionOptions options;
    options.stride = a.pair("s");
    options.dilation = a.pair("dilation");
    options.padding = a.padding();
    options.groups = group_count(a, channels);
    return options;
  }
};

}  // namespace

const Operation& convolution() {
  static const Convolution kOperation;
  return kOperation;
}

}  // namespace glimpse::ops
