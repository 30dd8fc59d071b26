#include "ops/families.h"
#include "ops/plan_context.h"
#include "ops/tape_context.h"

namespace glimpse::ops {
namespace {

/// batchnorm: eps=1e-5 act=. PyTorch's four tensors [in] (Ioffe and Szegedy 2015).
class BatchNorm final : public Operation {
 public:
  std::string_view name() const override { return "batchnorm"; }
  std::vector<AttributeRule> attributes() const override {
    return {{"eps", AttributeKind::kEpsilon, "1e-5"},
            {"act", AttributeKind::kActivation, "none"},
            {"weights", AttributeKind::kPrefix, {}, true}};
  }
  Fusion fusion() const override { return {Fusion::Part::kNorm, false, true, true}; }
  Shape shape(const NodeView& view) const override { return view.src(); }
  void tensors(const NodeView& view, TensorList& list) const override { list.add_batch_norm("", view.src()[1]); }

  /// Where no convolution stands before it: a depthwise 1×1 convolution, which scales and shifts each channel.
  dnn::Value plan(PlanContext& context) const override {
    ScaleShift norm = context.batch_norm("", context.attributes().number("eps"));
    const std::int64_t channels = norm.scale.dim(0);
    const Affine& kept = context.keep({Tensor({channels, 1, 1, 1}, norm.scale.values()), std::move(norm.shift)});
    dnn::ConvolutionOptions options;
    options.groups = channels;
    options.activation = context.activation();
    return context.builder.convolution(context.name(), context.src(), kept.weight, kept.bias, options,
                                       context.residual());
  }

  train::Variable tape(TapeContext& context) const override {
    const Attributes& a = context.attributes();
    return context.batch_norm("", context.src(), a.number("eps"), a.activation());
  }
};

}  // namespace

const Operation& batch_norm() {
  static const BatchNorm kOperation;
  return kOperation;
}

}  // namespace glimpse::ops
