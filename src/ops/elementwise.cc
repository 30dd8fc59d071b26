#include <algorithm>
#include <utility>

#include "autograd/attention_ops.h"
#include "autograd/channel_ops.h"
#include "autograd/row_ops.h"
#include "autograd/step_ops.h"
#include "ops/families.h"
#include "ops/plan_context.h"
#include "ops/step_context.h"
#include "ops/tape_context.h"
#include "ops/tape_step.h"

namespace glimpse::ops {
namespace {

using train::Variable;

/// act: act=.
class Activate final : public Operation {
 public:
  std::string_view name() const override { return "act"; }
  bool belongs_to(Dialect) const override { return true; }
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

  std::unique_ptr<PackedStep> pack(std::span<const PackContext> nodes) const override {
    return pack_activate(nodes.front());
  }

  void teach(std::span<TapeStep* const> nodes) const override {
    TapeStep& step = *nodes.front();
    if (step.is_zero(0)) return step.give_zero(step.width(0));
    const Variable value = train::activation(step.tape, step.src(), step.attributes().activation());
    step.is_map(0) ? step.give_map(value) : step.give(value);
  }
};

/// add, mul: act=. One input may be [N,C,1,1] or [N,1,H,W] and broadcasts.
class Binary final : public Operation {
 public:
  explicit Binary(bool multiplies) : multiplies_(multiplies) {}
  std::string_view name() const override { return multiplies_ ? "mul" : "add"; }
  bool belongs_to(Dialect) const override { return true; }
  std::size_t min_inputs() const override { return 2; }
  std::vector<AttributeRule> attributes() const override { return {{"act", AttributeKind::kActivation, "none"}}; }
  Fusion fusion() const override {
    return {multiplies_ ? Fusion::Part::kNothing : Fusion::Part::kResidual, false, false, true};
  }

  Shape shape(const NodeView& view) const override {
    const Shape& a = view.srcs[0];
    const Shape& b = view.srcs[1];
    if (a.size() != 4 || b.size() != 4) return step_shape(view, a, b);
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

  std::unique_ptr<PackedStep> pack(std::span<const PackContext> nodes) const override {
    return pack_binary(nodes.front(), multiplies_);
  }

  void teach(std::span<TapeStep* const> nodes) const override {
    TapeStep& step = *nodes.front();
    const std::int64_t width = step.width(0);
    if (multiplies_ && (step.is_zero(0) || step.is_zero(1))) return step.give_zero(width);
    if (step.is_zero(0) && step.is_zero(1)) return step.give_zero(width);
    const dnn::Activation activation = step.attributes().activation();
    Variable value;
    if (multiplies_ && step.is_map(0) && !step.is_map(1) && step.level(0) == TapeLevel::kPictures &&
        step.place().level == TapeLevel::kSteps) {
      value = train::scale_channels(step.tape, step.shared_src(0), step.src(1), step.lesson.gaze);
    } else if (step.is_zero(0) || step.is_zero(1)) {
      value = step.src(step.is_zero(0) ? 1 : 0);
      if (activation.kind != dnn::Activation::Kind::kNone) value = train::activation(step.tape, value, activation);
      return step.is_map(0) ? step.give_map(value) : step.give(value);
    } else {
      const bool one_number = multiplies_ && step.width(1) == 1 && width > 1;
      value = one_number    ? train::scale_rows(step.tape, step.src(0), step.src(1))
              : multiplies_ ? train::multiply(step.tape, step.src(0), step.src(1))
                            : train::add(step.tape, step.src(0), step.src(1));
    }
    value = train::activation_in_place(step.tape, value, activation);
    step.is_map(0) ? step.give_map(value) : step.give(value);
  }

 private:
  /// Of a decoder: the second may be one number, or the factors of a map's channels.
  Shape step_shape(const NodeView& view, const Shape& a, const Shape& b) const {
    if (a == b) return a;
    if (multiplies_ && b.size() == 2 && (b[1] == a.back() || (b[1] == 1 && a.size() == 2))) return a;
    view.fail("its inputs " + to_string(a) + " and " + to_string(b) + " do not fit");
  }

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
  bool belongs_to(Dialect) const override { return true; }
  std::size_t max_inputs() const override { return kAnyNumber; }

  Shape shape(const NodeView& view) const override {
    Shape shape = view.src();
    for (std::size_t i = 1; i < view.srcs.size(); ++i) {
      const Shape& next = view.srcs[i];
      if (shape.size() == 2 && next.size() == 2) {
        shape[1] += next[1];
        continue;
      }
      if (shape.size() != 4 || next.size() != 4) {
        view.fail("its inputs " + to_string(view.src()) + " and " + to_string(next) + " do not stand side by side");
      }
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

  std::unique_ptr<PackedStep> pack(std::span<const PackContext> nodes) const override {
    return pack_concat(nodes.front());
  }

  void teach(std::span<TapeStep* const> nodes) const override {
    TapeStep& step = *nodes.front();
    std::vector<Variable> parts;
    for (std::size_t i = 0; i < step.src_count(); ++i) {
      parts.push_back(step.is_zero(i) ? step.tape.constant(step.tape.kernels().zeros({step.rows(), step.width(i)}))
                                      : step.src(i));
    }
    step.give(train::concat_columns(step.tape, parts));
  }
};

/// mix < A B GATE: gate · a + (1 − gate) · b; the gate is one number, or as wide as they are.
class Mix final : public Operation {
 public:
  std::string_view name() const override { return "mix"; }
  bool belongs_to(Dialect dialect) const override { return dialect == Dialect::kStep; }
  std::size_t min_inputs() const override { return 3; }
  Shape shape(const NodeView& view) const override {
    const Shape& a = view.srcs[0];
    const Shape& gate = view.srcs[2];
    if (a.size() == 2 && view.srcs[1] == a && (gate == a || gate == Shape{1, 1})) return a;
    view.fail("its inputs " + to_string(a) + ", " + to_string(view.srcs[1]) + " and " + to_string(gate) +
              " do not fit");
  }

  std::unique_ptr<PackedStep> pack(std::span<const PackContext> nodes) const override {
    return pack_mix(nodes.front());
  }

  void teach(std::span<TapeStep* const> nodes) const override {
    TapeStep& step = *nodes.front();
    std::vector<Variable> srcs;
    for (std::size_t i = 0; i < 3; ++i) {
      srcs.push_back(step.is_zero(i) ? step.tape.constant(step.tape.kernels().zeros({step.rows(), step.width(i)}))
                                     : step.src(i));
    }
    step.give(train::mix(step.tape, srcs[0], srcs[1], srcs[2]));
  }
};

}  // namespace

const Operation& mix() {
  static const Mix kOperation;
  return kOperation;
}

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
