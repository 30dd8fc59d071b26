#include <algorithm>
#include <utility>

#include "core/error.h"
#include "ops/families.h"
#include "ops/plan_context.h"
#include "ops/tape_context.h"

namespace glimpse::ops {
namespace {

/// act: act=.
class Activate final : public Operation {
 public:
  std::string_view name() const override { return "act"; }
  std::vector<AttributeRule> attributes() const override { return {{"act", AttributeKind::kActivation}}; }
  Fusion fusion() const override { return {Fusion::Part::kActivation, false, false, false}; }
  Shape shape(const NodeView& view) const override { return view.src(); }

  dnn::Value plan(PlanContext& context) const override {
    // The identity needs no step of its own.
    if (context.activation().kind == dnn::Activation::Kind::kNone) return context.src();
    return context.builder.activation(context.name(), context.src(), context.activation());
  }

  train::Variable tape(TapeContext& context) const override {
    return train::activation(context.tape, context.src(), context.attributes().activation());
  }
};

/// add, mul: act=. One input may be [N,C,1,1] or [N,1,H,W] and broadcasts.
class Binary final : public Operation {
 public:
  explicit Binary(bool multiplies) : multiplies_(multiplies) {}
  std::string_view name() const override { return multiplies_ ? "mul" : "add"; }
  std::size_t min_inputs() const override { return 2; }
  std::vector<AttributeRule> attributes() const override { return {{"act", AttributeKind::kActivation, "none"}}; }
  Fusion fusion() const override {
    return {multiplies_ ? Fusion::Part::kNothing : Fusion::Part::kResidual, false, false, true};
  }

  Shape shape(const NodeView& view) const override {
    const Shape& a = view.srcs[0];
    const Shape& b = view.srcs[1];
    if (fits(a, b)) return a;
    if (fits(b, a)) return b;
    view.fail("its inputs " + to_string(a) + " and " + to_string(b) +
              " have neither the same shape nor is one [N,C,1,1] or [N,1,H,W] of the other");
  }

  dnn::Value plan(PlanContext& context) const override {
    dnn::Value a = context.src(0);
    dnn::Value b = context.src(1);
    // The builder broadcasts its second operand. The one that broadcasts is the smaller.
    if (element_count(context.shape(0)) < element_count(context.shape(1))) std::swap(a, b);
    if (multiplies_) return context.builder.multiply(context.name(), a, b, context.activation());
    return context.builder.add(context.name(), a, b, context.activation());
  }

  train::Variable tape(TapeContext& context) const override {
    train::Variable a = context.src(0);
    train::Variable b = context.src(1);
    if (a.value().count() < b.value().count()) std::swap(a, b);
    return context.activated(multiplies_ ? train::multiply(context.tape, a, b) : train::add(context.tape, a, b));
  }

 private:
  static bool fits(const Shape& large, const Shape& small) {
    const bool per_channel = small[1] == large[1] && small[2] == 1 && small[3] == 1;
    const bool per_cell = small[1] == 1 && small[2] == large[2] && small[3] == large[3];
    return small == large || (small[0] == large[0] && (per_channel || per_cell));
  }

  bool multiplies_;
};

/// concat: along channels.
class Concat final : public Operation {
 public:
  std::string_view name() const override { return "concat"; }
  std::size_t max_inputs() const override { return kAnyNumber; }

  Shape shape(const NodeView& view) const override {
    Shape shape = view.src();
    for (std::size_t i = 1; i < view.srcs.size(); ++i) {
      const Shape& next = view.srcs[i];
      if (next[2] != shape[2] || next[3] != shape[3]) {
        view.fail("its inputs " + to_string(view.src()) + " and " + to_string(next) + " differ in rows or columns");
      }
      shape[1] += next[1];
    }
    return shape;
  }

  dnn::Value plan(PlanContext& context) const override {
    if (context.srcs().size() == 1) return context.src();
    return context.builder.concat(context.name(), context.srcs());
  }

  train::Variable tape(TapeContext& context) const override {
    return context.srcs().size() == 1 ? context.src() : train::concat(context.tape, context.srcs());
  }
};

}  // namespace

const Operation& activate() {
  static const Activate kOperation;
  return kOperation;
}

const Operation& add() {
  static const Binary kOperation(false);
  return kOperation;
}

const Operation& multiply() {
  static const Binary kOperation(true);
  return kOperation;
}

const Operation& concat() {
  static const Concat kOperation;
  return kOperation;
}

}  // namespace glimpse::ops
