// AdamW, SGD, averages and schedules against the same formulas in double precision.
#include "train/run/optimiser.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <limits>

#include "core/error.h"
#include "core/random.h"
#include "support/paths.h"
#include "train/run/checkpoint.h"

namespace glimpse::train {
namespace {

using ::testing::HasSubstr;
using Numbers = std::vector<double>;

/// Three tensors: one with weight decay, one without, one large enough for two threads.
void fill(ParameterSet& parameters) {
  Random random(1);
  for (const auto& [name, shape] :
       {std::pair<const char*, Shape>{"conv.weight", {4, 3}}, {"conv.bias", {4}}, {"word.weight", {40, 999}}}) {
    Tensor tensor(shape);
    for (float& value : tensor.values()) value = static_cast<float>(random.normal());
    parameters.add(name, std::move(tensor), shape.size() > 1);
  }
  Tensor mean(Shape{4});
  std::ranges::fill(mean.values(), 1.0F);
  parameters.add_statistic("norm.running_mean", std::move(mean));
}

/// The gradients of step `step`, and what the statistic is after it.
void make_step(ParameterSet& parameters, int step) {
  Random random(100 + static_cast<std::uint64_t>(step));
  for (Parameter& parameter : parameters.parameters()) {
    for (float& value : parameter.gradient.values()) value = static_cast<float>(random.normal());
  }
  for (float& value : parameters.statistic("norm.running_mean").values()) value = static_cast<float>(step);
}

Numbers numbers(const Tensor& tensor) { return {tensor.values().begin(), tensor.values().end()}; }

void expect_near(const Tensor& found, const Numbers& expected, const std::string& what) {
  ASSERT_EQ(found.values().size(), expected.size());
  for (std::size_t i = 0; i < expected.size(); ++i) {
    ASSERT_NEAR(found.values()[i], expected[i], 1e-5 * (1 + std::abs(expected[i]))) << what << ", number " << i;
  }
}

/// What a step does, number by number.
class Naive {
 public:
  Naive(const StageOptions& options, const ParameterSet& parameters) : options_(options) {
    for (const Parameter& p : parameters.parameters()) {
      slots_.push_back(
          {numbers(p.value), Numbers(p.value.values().size()), Numbers(p.value.values().size()), numbers(p.value)});
    }
  }

  void step(const ParameterSet& parameters, double rate) {
    ++t_;
    double squares = 0;
    for (const Parameter& p : parameters.parameters()) {
      for (const double g : numbers(p.gradient)) squares += g * g;
    }
    const double clip = options_.clip > 0 ? std::min(1.0, options_.clip / std::sqrt(squares)) : 1;
    std::size_t index = 0;
    for (const Parameter& p : parameters.parameters()) {
      Slot& s = slots_[index++];
      for (std::size_t i = 0; i < s.value.size(); ++i) {
        const double g = clip * static_cast<double>(p.gradient.values()[i]);
        const double decay = p.decay ? rate * options_.weight_decay * s.value[i] : 0;
        s.value[i] -= decay + change(s.first[i], s.second[i], g, rate);
        const double keep = std::min(options_.average, (1.0 + t_) / (10.0 + t_));
        s.average[i] = keep * s.average[i] + (1 - keep) * s.value[i];
      }
    }
  }

  const Numbers& value(std::size_t i) const { return slots_[i].value; }
  const Numbers& average(std::size_t i) const { return slots_[i].average; }

 private:
  struct Slot {
    Numbers value, first, second, average;
  };

  double change(double& first, double& second, double g, double rate) const {
    if (options_.optimiser == StageOptions::Optimiser::kSgd) {
      first = options_.momentum * first + g;
      return rate * first;
    }
    first = options_.beta1 * first + (1 - options_.beta1) * g;
    second = options_.beta2 * second + (1 - options_.beta2) * g * g;
    const double m = first / (1 - std::pow(options_.beta1, t_));
    const double v = second / (1 - std::pow(options_.beta2, t_));
    return rate * m / (std::sqrt(v) + 1e-8);
  }

  StageOptions options_;
  std::vector<Slot> slots_;
  int t_ = 0;
};

struct OptimiserCase {
  StageOptions::Optimiser optimiser;
  double weight_decay;
  double clip;
  double average;
};

TEST(Optimiser, StepsAreTheFormulas) {
  using Kind = StageOptions::Optimiser;
  for (const OptimiserCase& c : {OptimiserCase{Kind::kAdamW, 0, 0, 0},
                                 {Kind::kAdamW, 0.3, 5, 0.9},
                                 {Kind::kSgd, 0, 0, 0},
                                 {Kind::kSgd, 0.3, 5, 0.3},
                                 {Kind::kSgd, 0, 1e6, 0}}) {
    StageOptions options;
    options.optimiser = c.optimiser;
    options.weight_decay = c.weight_decay;
    options.clip = c.clip;
    options.average = c.average;
    ParameterSet parameters;
    fill(parameters);
    Naive naive(options, parameters);
    Optimiser optimiser(options, parameters);
    for (int step = 0; step < 12; ++step) {
      make_step(parameters, step);
      naive.step(parameters, 0.01 * (step + 1));
      optimiser.step(0.01 * (step + 1));
      for (const Parameter& p : parameters.parameters()) {
        EXPECT_EQ(std::ranges::count(p.gradient.values(), 0.0F), p.gradient.count()) << "gradients are not cleared";
      }
    }
    std::size_t index = 0;
    for (const Parameter& p : parameters.parameters()) expect_near(p.value, naive.value(index++), p.name);
    optimiser.with_averages([&] {
      index = 0;
      for (const Parameter& p : parameters.parameters()) {
        expect_near(p.value, c.average > 0 ? naive.average(index) : naive.value(index), "the average of " + p.name);
        ++index;
      }
    });
    index = 0;
    for (const Parameter& p : parameters.parameters()) expect_near(p.value, naive.value(index++), p.name + " again");
  }
}

TEST(Optimiser, GivesTheNormBeforeClipping) {
  ParameterSet parameters;
  parameters.add("a", Tensor({2}, std::vector<float>{0, 0}), false);
  parameters.at("a").gradient.data()[0] = 3;
  parameters.at("a").gradient.data()[1] = 4;
  StageOptions options;
  options.optimiser = StageOptions::Optimiser::kSgd;
  options.clip = 1;
  EXPECT_DOUBLE_EQ(Optimiser(options, parameters).step(1), 5);
  EXPECT_FLOAT_EQ(parameters.at("a").value.data()[0], -0.6F);
  EXPECT_FLOAT_EQ(parameters.at("a").value.data()[1], -0.8F);
}

TEST(Optimiser, AveragesTheStatisticsToo) {
  ParameterSet parameters;
  fill(parameters);
  StageOptions options;
  options.average = 0.9;
  Optimiser optimiser(options, parameters);
  make_step(parameters, 5);
  optimiser.step(0.01);
  const double keep = 2.0 / 11;  // the first step's, by the warm start
  const Tensor& mean = parameters.statistic("norm.running_mean");
  optimiser.with_averages([&] { EXPECT_FLOAT_EQ(mean.data()[0], static_cast<float>(keep * 1 + (1 - keep) * 5)); });
  EXPECT_EQ(mean.data()[0], 5);
}

TEST(Optimiser, AveragesLeaveTheirPlaceWhenSomethingIsThrown) {
  ParameterSet parameters;
  fill(parameters);
  StageOptions options;
  options.average = 0.9;
  Optimiser optimiser(options, parameters);
  make_step(parameters, 0);
  optimiser.step(0.1);
  const Numbers before = numbers(parameters.at("conv.bias").value);
  EXPECT_THROW(optimiser.with_averages([&] {
    EXPECT_NE(numbers(parameters.at("conv.bias").value), before);
    throw Error(ErrorCode::kIo, "full");
  }),
               Error);
  EXPECT_EQ(numbers(parameters.at("conv.bias").value), before);
}

TEST(Optimiser, ScalesTheRateByPrefix) {
  ParameterSet parameters;
  fill(parameters);
  const Numbers conv = numbers(parameters.at("conv.bias").value);
  const Numbers word = numbers(parameters.at("word.weight").value);
  StageOptions options;
  options.optimiser = StageOptions::Optimiser::kSgd;
  options.clip = 0;
  make_step(parameters, 0);
  const Numbers d_conv = numbers(parameters.at("conv.bias").gradient);
  const Numbers d_word = numbers(parameters.at("word.weight").gradient);
  Optimiser(options, parameters).step(0.5, {{"conv.", 0.1}});
  EXPECT_NEAR(parameters.at("conv.bias").value.data()[0], conv[0] - 0.05 * d_conv[0], 1e-6);
  EXPECT_NEAR(parameters.at("word.weight").value.data()[0], word[0] - 0.5 * d_word[0], 1e-6);
}

TEST(Optimiser, LeavesAloneWhatIsNotTrained) {
  StageOptions options;
  options.optimiser = StageOptions::Optimiser::kSgd;
  options.clip = 1;
  options.average = 0.5;
  ParameterSet parameters;
  fill(parameters);
  const Numbers before = numbers(parameters.at("word.weight").value);
  Optimiser optimiser(options, parameters, [](const std::string& name) { return name.starts_with("conv."); });
  make_step(parameters, 0);
  // Neither the norm nor the check for numbers sees it.
  std::ranges::fill(parameters.at("word.weight").gradient.values(), std::numeric_limits<float>::quiet_NaN());
  double squares = 0;
  for (const char* name : {"conv.weight", "conv.bias"}) {
    for (const double g : numbers(parameters.at(name).gradient)) squares += g * g;
  }
  EXPECT_DOUBLE_EQ(optimiser.step(0.1), std::sqrt(squares));
  EXPECT_EQ(numbers(parameters.at("word.weight").value), before);
  EXPECT_EQ(parameters.at("word.weight").gradient.data()[0], 0);
  EXPECT_FALSE(optimiser.state().contains("first/word.weight"));
  EXPECT_TRUE(optimiser.state().contains("average/conv.bias"));
}

TEST(Optimiser, AGradientThatIsNoNumberIsNamedAndChangesNothing) {
  for (const float bad : {std::numeric_limits<float>::quiet_NaN(), std::numeric_limits<float>::infinity()}) {
    ParameterSet parameters;
    fill(parameters);
    Optimiser optimiser({}, parameters);
    make_step(parameters, 0);
    optimiser.step(0.01);
    std::vector<Numbers> before;
    for (const Parameter& p : parameters.parameters()) before.push_back(numbers(p.value));
    make_step(parameters, 1);
    parameters.at("conv.bias").gradient.data()[2] = bad;
    EXPECT_THAT(
        [&] { optimiser.step(0.01); },
        ::testing::Throws<Error>(::testing::AllOf(
            ::testing::Property(&Error::code, ErrorCode::kDiverged),
            ::testing::Property(&Error::what, HasSubstr("step 2: the gradient of 'conv.bias' is not finite")))));
    EXPECT_EQ(optimiser.steps_done(), 1);
    std::size_t index = 0;
    for (const Parameter& p : parameters.parameters()) EXPECT_EQ(numbers(p.value), before[index++]) << p.name;
  }
}

TEST(Optimiser, GoesOnFromItsStateBitForBit) {
  const glimpse::testing::ScratchFolder scratch;
  for (const auto kind : {StageOptions::Optimiser::kAdamW, StageOptions::Optimiser::kSgd}) {
    StageOptions options;
    options.optimiser = kind;
    options.average = 0.95;
    options.weight_decay = 0.1;
    ParameterSet parameters;
    fill(parameters);
    Optimiser optimiser(options, parameters);
    for (int step = 0; step < 5; ++step) {
      make_step(parameters, step);
      optimiser.step(0.02);
    }
    write_checkpoint(scratch.path() / "state", {}, {}, optimiser.state());
    write_checkpoint(scratch.path() / "values", {}, {}, parameters.views());

    ParameterSet again;
    fill(again);
    Optimiser restored(options, again);
    EXPECT_TRUE(again.load(Weights(scratch.path() / "values")).empty());
    restored.restore(Weights(scratch.path() / "state"), optimiser.steps_done());
    for (int step = 5; step < 9; ++step) {
      make_step(parameters, step);
      make_step(again, step);
      EXPECT_EQ(optimiser.step(0.02), restored.step(0.02));
    }
    const auto expect_same = [&] {
      for (const Parameter& p : parameters.parameters()) {
        EXPECT_EQ(numbers(again.at(p.name).value), numbers(p.value)) << p.name;
      }
    };
    expect_same();
    optimiser.with_averages([&] { restored.with_averages(expect_same); });
  }
}

TEST(LearningRate, WarmsUpAndFallsToNothing) {
  StageOptions options;
  options.learning_rate = 2;
  options.warm_up = 4;
  EXPECT_DOUBLE_EQ(learning_rate(options, 0, 104), 0.5);
  EXPECT_DOUBLE_EQ(learning_rate(options, 3, 104), 2);
  EXPECT_DOUBLE_EQ(learning_rate(options, 4, 104), 2);
  EXPECT_NEAR(learning_rate(options, 54, 104), 1, 1e-12);
  EXPECT_NEAR(learning_rate(options, 29, 104), 1 + std::sqrt(0.5), 1e-12);
  EXPECT_GT(learning_rate(options, 103, 104), 0);
  EXPECT_NEAR(learning_rate(options, 104, 104), 0, 1e-12);
  EXPECT_NEAR(learning_rate(options, 200, 104), 0, 1e-12);
}

TEST(LearningRate, HasItsCorners) {
  StageOptions options;
  options.learning_rate = 1;
  options.warm_up = 0;
  EXPECT_DOUBLE_EQ(learning_rate(options, 0, 1), 1);
  options.warm_up = 10;  // longer than the stage
  EXPECT_DOUBLE_EQ(learning_rate(options, 4, 5), 0.5);
  EXPECT_DOUBLE_EQ(learning_rate(options, 10, 10), 1);
  options.schedule = StageOptions::Schedule::kConstant;
  EXPECT_DOUBLE_EQ(learning_rate(options, 1, 100), 0.2);
  EXPECT_DOUBLE_EQ(learning_rate(options, 99, 100), 1);
}

}  // namespace
}  // namespace glimpse::train
