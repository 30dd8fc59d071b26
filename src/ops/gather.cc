// What stands in front of a step's mathematics: the word's vector, parameters, states, and marks on values.

#include <algorithm>
#include <cassert>

#include "autograd/row_ops.h"
#include "ops/families.h"
#include "ops/step_context.h"
#include "ops/tape_step.h"

namespace glimpse::ops {
namespace {

using train::Variable;

/// embed < token: out= words=. The row of the word that the step is fed: P.weight [words, out].
class Embed final : public Operation {
 public:
  std::string_view name() const override { return "embed"; }
  bool belongs_to(Dialect dialect) const override { return dialect == Dialect::kStep; }
  std::vector<AttributeRule> attributes() const override {
    return {{"out", AttributeKind::kCount},
            {"words", AttributeKind::kCount},
            {"weights", AttributeKind::kPrefix, {}, true}};
  }
  Shape shape(const NodeView& view) const override {
    if (view.node.sources.front() != kToken) view.fail("reads 'token', the word that a step is fed, and nothing else");
    return {1, view.attributes().count("out")};
  }
  void tensors(const NodeView& view, TensorList& list) const override {
    list.add(".weight", {view.attributes().count("words"), view.attributes().count("out")},
             TensorSpec::Role::kEmbedding);
  }

  std::unique_ptr<PackedStep> pack(std::span<const PackContext> nodes) const override {
    const PackContext& node = nodes.front();
    const Attributes& a = node.view.attributes();
    const auto table = std::make_shared<const Tensor>(node.tensor(".weight", {a.count("words"), a.count("out")}));
    return std::make_unique<Unweighted>([table](StepBinding& binding) {
      const std::int64_t width = table->dim(1);
      const StepView dst = binding.make(width);
      binding.each_step(StepPart::kGather, [=](const StepRun& run) {
        for (std::int64_t row = 0; row < run.rows; ++row) {
          const int token = run.tokens[static_cast<std::size_t>(row)];
          assert(token >= 0 && token < table->dim(0));
          std::copy_n(table->data() + token * width, width, dst.item(row));
        }
      });
      binding.give(dst);
    });
  }

  void teach(std::span<TapeStep* const> nodes) const override {
    TapeStep& step = *nodes.front();
    step.give(train::gather_rows(step.tape, step.tensor(".weight"), step.lesson.tokens));
  }
};

/// A value under another name: `memory` says that it is computed once a picture.
class Memory final : public Operation {
 public:
  std::string_view name() const override { return "memory"; }
  bool belongs_to(Dialect dialect) const override { return dialect == Dialect::kStep; }
  Shape shape(const NodeView& view) const override { return view.src(); }
  std::unique_ptr<PackedStep> pack(std::span<const PackContext>) const override {
    return std::make_unique<Unweighted>([](StepBinding& binding) { binding.give(binding.src()); });
  }
  void teach(std::span<TapeStep* const> nodes) const override {
    TapeStep& step = *nodes.front();
    if (step.is_zero(0)) return step.give_zero(step.width(0));
    step.is_map(0) ? step.give_map(step.src()) : step.give(step.src());
  }
};

/// state < INIT, or size=: what the `next` line's node gave at the step before, of the row's parent; at the first step
/// INIT, a value of the picture, or zeros.
class State final : public Operation {
 public:
  std::string_view name() const override { return "state"; }
  bool belongs_to(Dialect dialect) const override { return dialect == Dialect::kStep; }
  std::size_t min_inputs() const override { return 0; }
  std::size_t max_inputs() const override { return 1; }
  std::vector<AttributeRule> attributes() const override { return {{"size", AttributeKind::kCount, {}, true}}; }
  Shape shape(const NodeView& view) const override {
    if (view.srcs.empty() != view.attributes().has("size")) view.fail("takes either a start value or size=");
    if (view.srcs.empty()) return {1, view.attributes().count("size")};
    if (view.src().size() != 2) view.fail("starts with a map " + to_string(view.src()) + "; states are vectors");
    return view.src();
  }
};

/// The further results of the operation before it.
class Part final : public Operation {
 public:
  std::string_view name() const override { return "part"; }
  bool belongs_to(Dialect dialect) const override { return dialect == Dialect::kStep; }
  std::vector<AttributeRule> attributes() const override { return {{"index", AttributeKind::kCount}}; }
  Shape shape(const NodeView& view) const override { return view.src(); }
};

/// param: size=. A vector that is learned, the same for all: tensor P [size].
class Param final : public Operation {
 public:
  std::string_view name() const override { return "param"; }
  bool belongs_to(Dialect dialect) const override { return dialect == Dialect::kStep; }
  std::size_t min_inputs() const override { return 0; }
  std::vector<AttributeRule> attributes() const override {
    return {{"size", AttributeKind::kCount}, {"weights", AttributeKind::kPrefix, {}, true}};
  }
  Shape shape(const NodeView& view) const override { return {1, view.attributes().count("size")}; }
  void tensors(const NodeView& view, TensorList& list) const override {
    list.add("", {view.attributes().count("size")}, TensorSpec::Role::kShift);
  }
  std::unique_ptr<PackedStep> pack(std::span<const PackContext> nodes) const override {
    const auto value =
        std::make_shared<const Tensor>(nodes.front().tensor("", {nodes.front().view.attributes().count("size")}));
    return std::make_unique<Unweighted>([value](StepBinding& binding) {
      const StepView dst = binding.make(value->count());
      for (std::int64_t item = 0; item < binding.items(); ++item) {
        std::ranges::copy(value->values(), dst.item(item));
      }
      binding.give(dst);
    });
  }
  void teach(std::span<TapeStep* const> nodes) const override {
    TapeStep& step = *nodes.front();
    const Variable value = step.tensor("");
    const Variable row = train::reshape(step.tape, value, {1, value.dim(0)});
    step.give(train::gather_rows(step.tape, row, std::vector<int>(static_cast<std::size_t>(step.rows()), 0)));
  }
};

/// dropout: rate=features|embedding|output, the recipe's rate of that name; nothing where captions are made.
class Dropout final : public Operation {
 public:
  std::string_view name() const override { return "dropout"; }
  bool belongs_to(Dialect dialect) const override { return dialect == Dialect::kStep; }
  std::vector<AttributeRule> attributes() const override {
    return {{"rate", AttributeKind::kChoice, {}, false, {"features", "embedding", "output"}}};
  }
  Shape shape(const NodeView& view) const override { return view.src(); }
  std::unique_ptr<PackedStep> pack(std::span<const PackContext>) const override {
    return std::make_unique<Unweighted>([](StepBinding& binding) { binding.give(binding.src()); });
  }
  void teach(std::span<TapeStep* const> nodes) const override {
    TapeStep& step = *nodes.front();
    if (step.is_zero(0)) return step.give_zero(step.width(0));
    const DropoutRates& rates = step.lesson.dropout;
    const std::string& which = step.attributes().text("rate");
    const double rate = which == "features" ? rates.features : which == "embedding" ? rates.embedding : rates.output;
    const std::uint64_t place = which == "features" ? 0 : which == "embedding" ? 1 : 2;
    const Variable value = train::dropout(step.tape, step.src(), rate, rates.seed * 3 + place);
    step.is_map(0) ? step.give_map(value) : step.give(value);
  }
};

}  // namespace

const Operation& embed() {
  static const Embed kOperation;
  return kOperation;
}
const Operation& memory() {
  static const Memory kOperation;
  return kOperation;
}
const Operation& state() {
  static const State kOperation;
  return kOperation;
}
const Operation& part() {
  static const Part kOperation;
  return kOperation;
}
const Operation& param() {
  static const Param kOperation;
  return kOperation;
}
const Operation& dropout() {
  static const Dropout kOperation;
  return kOperation;
}

}  // namespace glimpse::ops
