#include "ops/families.h"
#include "ops/plan_context.h"
#include "ops/tape_context.h"

namespace glimpse::ops {
namespace {

/// linear: out= · bias=1 act=. Flattens [N,C,H,W]; gives [N,out,1,1]. weight [out, in], bias [out].
class Linear final : public Operation {
 public:
  std::string_view name() const override { return "linear"; }
  std::vector<AttributeRule> attributes() const override {
    return {{"out", AttributeKind::kCount},
            {"bias", AttributeKind::kSwitch, "1"},
            {"act", AttributeKind::kActivation, "none"},
            {"weights", AttributeKind::kPrefix, {}, true}};
  }
  Fusion fusion() const override { return {Fusion::Part::kNothing, true, false, true}; }
  Shape shape(const NodeView& view) const override { return {view.src()[0], view.attributes().count("out"), 1, 1}; }

  void tensors(const NodeView& view, TensorList& list) const override {
    const Shape& src = view.src();
    list.add_affine("", {view.attributes().count("out"), src[1] * src[2] * src[3]}, view.attributes().flag("bias"));
  }

  std::int64_t multiply_adds(const NodeView& view) const override {
    return element_count(view.src()) * view.attributes().count("out");
  }

  dnn::Value plan(PlanContext& context) const override {
    Affine affine = context.affine("", context.attributes().flag("bias"));
    context.fold_norm(affine);
    const Affine& kept = context.keep(std::move(affine));
    return context.builder.linear(context.name(), context.src(), kept.weight, kept.bias, context.activation());
  }

  train::Variable tape(TapeContext& context) const override {
    const train::Variable bias = context.attributes().flag("bias") ? context.tensor(".bias") : train::Variable();
    return context.activated(train::dense(context.tape, context.src(), context.tensor(".weight"), bias));
  }
};

}  // namespace

const Operation& linear() {
  static const Linear kOperation;
  return kOperation;
}

}  // namespace glimpse::ops
