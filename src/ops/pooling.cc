#include <algorithm>

#include "ops/families.h"
#include "ops/plan_context.h"
#include "ops/tape_context.h"
#include "ops/window.h"

namespace glimpse::ops {
namespace {

using dnn::PoolingOptions;

/// maxpool, avgpool: k= · s=k pad=0 ceil=0; avgpool also count_pad=1 (padding counts as zeros, as torch has it).
class Pool final : public Operation {
 public:
  explicit Pool(bool averages) : averages_(averages) {}
  std::string_view name() const override { return averages_ ? "avgpool" : "maxpool"; }
  std::vector<AttributeRule> attributes() const override {
    std::vector<AttributeRule> rules = {{"k", AttributeKind::kPair},
                                        {"s", AttributeKind::kPair, {}, true},
                                        {"pad", AttributeKind::kPadding, "0"},
                                        {"ceil", AttributeKind::kSwitch, "0"}};
    if (averages_) rules.push_back({"count_pad", AttributeKind::kSwitch, "1"});
    return rules;
  }
  std::optional<std::string> finish(Attributes& attributes) const override {
    const auto kernel = attributes.pair("k");
    if (!attributes.has("s")) attributes.set_pair("s", kernel);
    // Every window must see some of the input: the mean or maximum of padding alone means nothing.
    const dnn::Padding pad = attributes.padding();
    if (std::max(pad.top, pad.bottom) >= kernel[0] || std::max(pad.left, pad.right) >= kernel[1]) {
      return "pad= must be less than k=";
    }
    return std::nullopt;
  }

  Shape shape(const NodeView& view) const override {
    const Attributes& a = view.attributes();
    const Window window = {a.pair("k"), a.pair("s"), {1, 1}, a.padding(), a.flag("ceil")};
    return {view.src()[0], view.src()[1], window_count(view, window, 0), window_count(view, window, 1)};
  }

  dnn::Value plan(PlanContext& context) const override {
    return context.builder.pooling(context.name(), context.src(), options_of(context.attributes()));
  }

  train::Variable tape(TapeContext& context) const override {
    const PoolingOptions options = options_of(context.attributes());
    return averages_ ? train::average_pooling(context.tape, context.src(), options)
                     : train::max_pooling(context.tape, context.src(), options);
  }

 private:
  PoolingOptions options_of(const Attributes& a) const {
    PoolingOptions options;
    options.kernel = a.pair("k");
    options.stride = a.pair("s");
    options.padding = a.padding();
    options.ceil_mode = a.flag("ceil");
    if (averages_) {
      options.kind = a.flag("count_pad") ? PoolingOptions::Kind::kAverageIncludingPadding
                                         : PoolingOptions::Kind::kAverageExcludingPadding;
    }
    return options;
  }

  bool averages_;
};

/// globalavgpool: [N,C,1,1].
class GlobalAverage final : public Operation {
 public:
  std::string_view name() const override { return "globalavgpool"; }
  Shape shape(const NodeView& view) const override { return {view.src()[0], view.src()[1], 1, 1}; }
  dnn::Value plan(PlanContext& context) const override {
    return context.builder.global_average(context.name(), context.src());
  }
  train::Variable tape(TapeContext& context) const override { return global_average(context.tape, context.src()); }
};

/// adaptiveavgpool: size=.
class AdaptiveAverage final : public Operation {
 public:
  std::string_view name() const override { return "adaptiveavgpool"; }
  std::vector<AttributeRule> attributes() const override { return {{"size", AttributeKind::kPair}}; }
  Shape shape(const NodeView& view) const override {
    const auto size = view.attributes().pair("size");
    return {view.src()[0], view.src()[1], size[0], size[1]};
  }
  dnn::Value plan(PlanContext& context) const override {
    const auto size = context.attributes().pair("size");
    if (size[0] == 1 && size[1] == 1) return context.builder.global_average(context.name(), context.src());
    return context.builder.adaptive_average(context.name(), context.src(), size[0], size[1]);
  }
  train::Variable tape(TapeContext& context) const override {
    const auto size = context.attributes().pair("size");
    return train::adaptive_average(context.tape, context.src(), size[0], size[1]);
  }
};

}  // namespace

train::Variable global_average(train::Tape& tape, const train::Variable& src) {
  return train::plain(tape, train::adaptive_average(tape, src, 1, 1));
}

const Operation& max_pool() {
  static const Pool kOperation(false);
  return kOperation;
}

const Operation& average_pool() {
  static const Pool kOperation(true);
  return kOperation;
}

const Operation& global_average_pool() {
  static const GlobalAverage kOperation;
  return kOperation;
}

const Operation& adaptive_average_pool() {
  static const AdaptiveAverage kOperation;
  return kOperation;
}

}  // namespace glimpse::ops
