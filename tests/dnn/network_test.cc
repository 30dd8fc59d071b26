// Random networks with long-lived values, in-place operations, several layouts and several outputs; memory is poisoned,
// so that reads of uninitialised memory show.
#include <gtest/gtest.h>
#include <malloc.h>

#include <array>
#include <functional>
#include <vector>

#include "core/error.h"
#include "core/random.h"
#include "dnn/test_net.h"
#include "support/usage_error.h"

namespace glimpse::dnn::testing {
namespace {

using glimpse::testing::throws_usage;

/// New memory is full of 3.4e38 while this lives (glibc; other allocators ignore it).
class PoisonedMemory {
 public:
  PoisonedMemory() { mallopt(M_PERTURB, 0x80); }
  ~PoisonedMemory() { mallopt(M_PERTURB, 0); }
  PoisonedMemory(const PoisonedMemory&) = delete;
  PoisonedMemory& operator=(const PoisonedMemory&) = delete;
};

/// Grows a network by one random operation after the other.
class RandomNet {
 public:
  RandomNet(TestNet& net, std::uint64_t seed) : net_(net), random_(seed) {
    const std::int64_t batch = 1 + below(2);
    values_.push_back(net.input({batch, 3, 5 + below(5), 5 + below(5)}));
    values_.push_back(net.convolution(values_[0], {channels(), 3, 3, true}, same_size(3, relu())));
    for (int i = 0; i < 14; ++i) values_.push_back(grow());
    net.output(values_.back(), true);
    for (int i = 0; i < 3; ++i) net.output(pick(), below(2) == 0);
  }

 private:
  std::int64_t below(std::int64_t bound) {
    return static_cast<std::int64_t>(random_.below(static_cast<std::uint64_t>(bound)));
  }
  Value pick() { return values_[static_cast<std::size_t>(below(static_cast<std::int64_t>(values_.size())))]; }
  std::int64_t channels() {
    static constexpr std::int64_t kChannels[] = {8, 16, 20, 32, 17};
    return kChannels[below(5)];
  }
  static Activation relu() { return {Activation::Kind::kRelu, 0, 0}; }
  Activation bounded() {
    static constexpr Activation::Kind kKinds[] = {Activation::Kind::kTanh, Activation::Kind::kSigmoid,
                                                  Activation::Kind::kClip};
    return {kKinds[below(3)], -1, 1};
  }
  static ConvolutionOptions same_size(std::int64_t kernel, Activation activation) {
    const std::int64_t p = kernel / 2;
    return {{1, 1}, {1, 1}, {p, p, p, p}, 1, activation};
  }
  /// Another value that has the shape of `value`, or nothing.
  std::vector<Value> alike(Value value) {
    std::vector<Value> found;
    for (const Value other : values_) {
      if (other.id != value.id && net_.shape(other) == net_.shape(value)) found.push_back(other);
    }
    return found;
  }

  Value convolve(Value src) {
    const std::int64_t kernel = below(3) == 0 ? 1 : 3;
    const std::vector<Value> residuals = alike(src);
    const bool keep = !residuals.empty() && below(2) == 0;
    const std::int64_t out = keep ? net_.shape(src)[1] : channels();
    std::optional<Value> residual;
    if (keep) residual = residuals[static_cast<std::size_t>(below(static_cast<std::int64_t>(residuals.size())))];
    return net_.convolution(src, {out, kernel, kernel, below(2) == 0}, same_size(kernel, relu()), residual);
  }

  Value combine(Value a) {
    const Shape shape = net_.shape(a);
    const std::vector<Value> others = alike(a);
    switch (below(3)) {
      case 0:
        return net_.binary(a, net_.linear(net_.global_average(a), shape[1], true, bounded()), true, {});
      case 1:
        return net_.binary(a, net_.channel_reduction(a, below(2) == 0), true, bounded());
      default:
        return net_.binary(a, others.empty() ? a : others.back(), false, relu());
    }
  }

  Value grow() {
    const Value src = below(3) == 0 ? pick() : values_.back();
    const Shape shape = net_.shape(src);
    switch (below(8)) {
      case 0:
        return net_.activation(src, bounded());
      case 1:
        return combine(src);
      case 2:
        if (shape[2] < 4 || shape[3] < 4) return combine(src);
        return net_.pooling(
            src, {below(2) == 0 ? PoolingOptions::Kind::kMax : PoolingOptions::Kind::kAverageIncludingPadding,
                  {3, 3},
                  {1, 1},
                  {1, 1, 1, 1},
                  false});
      case 3: {
        const std::vector<Value> others = alike(src);
        return shape[1] > 24 ? convolve(src) : net_.concat({src, others.empty() ? src : others.front()});
      }
      case 4:
        return net_.adaptive_average(src, shape[2] + below(3) - 1, shape[3]);
      default:
        return convolve(src);
    }
  }

  TestNet& net_;
  Random random_;
  std::vector<Value> values_;
};

class RandomNetwork : public ::testing::TestWithParam<int> {};

TEST_P(RandomNetwork, EqualsTheReferenceOnEveryRun) {
  const PoisonedMemory poison;
  for (const Setting& setting : {Setting{Tuning::kDirect, 1}, Setting{Tuning::kWinograd, 2}}) {
    SCOPED_TRACE(to_string(setting));
    PlanOptions options;
    options.tuning = setting.tuning;
    options.threads = setting.threads;
    TestNet net(options, 1);
    const RandomNet random(net, static_cast<std::uint64_t>(GetParam()));
    Session session(net.build());
    net.write_inputs(session);
    session.run();
    net.expect_outputs(session, 5 * tolerance(setting));
    session.run();  // over what the first run left behind; the inputs must still stand
    net.expect_outputs(session, 5 * tolerance(setting));
  }
}

INSTANTIATE_TEST_SUITE_P(Seeds, RandomNetwork, ::testing::Range(0, 40));

TEST(Network, WhatOneDnnRefusesIsNamed) {
  for (const Tuning tuning : {Tuning::kDirect, Tuning::kMeasure, Tuning::kWinograd}) {
    PlanOptions options;
    options.tuning = tuning;
    PlanBuilder builder(options);
    const Value image = builder.input("image", {1, 4, 3, 3});
    const Tensor weight({4, 4, 7, 7});  // larger than the picture: there is no result
    builder.output(builder.convolution("stage3.conv2", image, weight, std::nullopt, {}), false);
    try {
      builder.build();
      FAIL() << "a convolution without a result was built";
    } catch (const Error& error) {
      EXPECT_EQ(error.code(), ErrorCode::kModel);
      EXPECT_NE(std::string(error.what()).find("stage3.conv2"), std::string::npos) << error.what();
    }
  }
}

TEST(Network, WhatDoesNotFitIsRefused) {
  const Tensor square({4, 4, 3, 3});
  const Tensor rows({5, 36});
  const Tensor three({3});
  const ConvolutionOptions same = {{1, 1}, {1, 1}, {1, 1, 1, 1}, 1, {}};
  struct Case {
    std::function<void(PlanBuilder&, Value)> describe;  ///< beside an input of [1,4,3,3]
    std::string message;
  };
  const Case cases[] = {
      {[](PlanBuilder& b, Value) {
         b.input("x", {1, 4, 3});
       },
       "x: an input of shape [1,4,3]"},
      {[](PlanBuilder& b, Value) {
         b.input("x", {1, 0, 3, 3});
       },
       "x: an input of shape [1,0,3,3]"},
      {[&](PlanBuilder& b, Value v) { b.convolution("x", v, rows, {}, {}); }, "x: weights of shape [5,36]"},
      {[&](PlanBuilder& b, Value v) {
         b.convolution("x", v, Tensor({4, 5, 1, 1}), {}, {});
       },
       "[4,5,1,1] where [out,4/1"},
      {[&](PlanBuilder& b, Value v) { b.convolution("x", v, square, three.clone(), {}); },
       "a bias of shape [3] where [4]"},
      {[&](PlanBuilder& b, Value v) { b.convolution("x", v, square, {}, {}, v); }, "a residual of shape [1,4,3,3]"},
      {[&](PlanBuilder& b, Value v) { b.linear("x", v, square, {}, {}); }, "x: weights of shape [4,4,3,3]"},
      {[&](PlanBuilder& b, Value v) {
         b.linear("x", v, Tensor({5, 35}), {}, {});
       },
       "[5,35] where [out,36]"},
      {[&](PlanBuilder& b, Value v) { b.add("x", v, b.global_average("y", v)); }, ""},
      {[&](PlanBuilder& b, Value v) { b.add("x", b.global_average("y", v), v); }, "x: a second operand"},
      {[&](PlanBuilder& b, Value) { b.concat("x", {}); }, "x: nothing to concatenate"},
      {[&](PlanBuilder& b, Value v) {
         b.concat("x", std::array{v, b.global_average("y", v)});
       },
       "a part of shape [1,4,1,1]"},
      {[&](PlanBuilder& b, Value v) { b.self_attention("x", v, 1); }, "x: 4 channels"},
      {[&](PlanBuilder& b, Value v) { b.layer_norm("x", v, three, three, 1); }, "x: a scale of shape [3] where [4]"},
      {[&](PlanBuilder& b, Value v) { b.convolution("x", v, square, {}, same, v); }, ""},
      {[](PlanBuilder& b, Value) {
         b.activation("x", {7}, {Activation::Kind::kRelu, 0, 0});
       },
       "value 7"},
      {[](PlanBuilder& b, Value) { b.output({-1}, false); }, "value -1"},
  };
  for (const Case& c : cases) {
    PlanBuilder builder({});
    const Value image = builder.input("image", {1, 4, 3, 3});
    const auto describe = [&] { c.describe(builder, image); };
    if (c.message.empty()) {
      EXPECT_NO_THROW(describe());
    } else {
      EXPECT_THAT(describe, throws_usage(c.message));
    }
  }
}

TEST(Network, ABuilderIsSpentAndPortsAreCounted) {
  PlanBuilder builder({});
  builder.output(builder.input("image", {1, 4, 3, 3}), false);
  const Plan plan = builder.build();
  EXPECT_THAT([&] { builder.build(); }, throws_usage("one plan"));
  Session session(plan);
  EXPECT_THAT([&] { session.input(1); }, throws_usage("input 1 of a plan that has 1"));
  EXPECT_THAT([&] { session.output(2); }, throws_usage("output 2"));
  EXPECT_THAT([&] { plan.input_shape(1); }, throws_usage("input 1"));
  EXPECT_THAT([&] { plan.output_shape(1); }, throws_usage("output 1"));
}

TEST(Network, InputCanBeAnOutput) {
  TestNet net({}, 3);
  const Value image = net.input({2, 3, 4, 5});
  net.output(image, false);
  net.output(image, true);
  net.check(0);
}

TEST(Network, StepsSayWhatTheyAre) {
  PlanOptions options;
  options.tuning = Tuning::kDirect;
  PlanBuilder builder(options);
  const Value image = builder.input("image", {2, 16, 8, 10});
  Tensor weight({32, 16, 3, 3});
  std::fill(weight.values().begin(), weight.values().end(), 1.0F);
  const Value map = builder.convolution("conv", image, weight, std::nullopt, {{1, 1}, {1, 1}, {1, 1, 1, 1}, 1, {}});
  builder.output(builder.global_average("pool", map), false);
  const Plan plan = builder.build();
  std::vector<std::string> names;
  std::int64_t flops = 0;
  for (const StepInfo& step : plan.steps()) {
    EXPECT_FALSE(step.implementation.empty());
    flops += step.flops;
    if (step.kind != "reorder") names.push_back(step.name + ' ' + step.kind);
    EXPECT_EQ(step.convolution.has_value(), step.kind == "convolution");
  }
  EXPECT_EQ(names, (std::vector<std::string>{"conv convolution", "pool pooling"}));
  EXPECT_EQ(flops, 2 * 2 * 32 * 8 * 10 * 16 * 9);
  EXPECT_GE(plan.weight_bytes(), 32U * 16 * 9 * sizeof(float));
}

}  // namespace
}  // namespace glimpse::dnn::testing
