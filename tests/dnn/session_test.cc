#include <gtest/gtest.h>

#include <algorithm>
#include <cstring>
#include <thread>
#include <vector>

#include "dnn/runtime/threads.h"
#include "dnn/test_net.h"

namespace glimpse::dnn::testing {
namespace {

/// A small residual network with everything that a session keeps: several layouts, a scratchpad, in-place sums.
Value describe(TestNet& net) {
  const Activation relu = {Activation::Kind::kRelu, 0, 0};
  const ConvolutionOptions same = {{1, 1}, {1, 1}, {1, 1, 1, 1}, 1, relu};
  Value x = net.convolution(net.input({1, 3, 24, 24}), {32, 3, 3, true}, {{2, 2}, {1, 1}, {1, 1, 1, 1}, 1, relu});
  for (int block = 0; block < 3; ++block) {
    x = net.convolution(net.convolution(x, {32, 3, 3, true}, same), {32, 3, 3, true}, same, x);
  }
  const Value gate = net.linear(net.global_average(x), 32, true, {Activation::Kind::kSigmoid, 0, 0});
  const Value map = net.adaptive_average(net.binary(x, gate, true, relu), 5, 5);
  net.output(map, true);
  return map;
}

std::vector<float> copy(std::span<const float> values) { return {values.begin(), values.end()}; }

bool same_bits(std::span<const float> a, std::span<const float> b) {
  return a.size() == b.size() && std::memcmp(a.data(), b.data(), a.size_bytes()) == 0;
}

class SessionSetting : public ::testing::TestWithParam<Setting> {
 protected:
  static PlanOptions options() {
    PlanOptions result;
    result.tuning = GetParam().tuning;
    result.threads = GetParam().threads;
    return result;
  }
};

TEST_P(SessionSetting, RunsAgainWithTheSameResult) {
  TestNet net(options(), 1);
  describe(net);
  Session session(net.build());
  net.write_inputs(session);
  const float* input = session.input().data();
  session.run();
  net.expect_outputs(session, 5 * tolerance(GetParam()));
  const std::vector<float> first = copy(session.output());
  const float* output = session.output().data();

  std::fill(session.input().begin(), session.input().end(), 7.0F);
  session.run();
  EXPECT_FALSE(same_bits(session.output(), first)) << "the input has no influence";
  net.write_inputs(session);
  session.run();
  EXPECT_TRUE(same_bits(session.output(), first));
  session.run();
  EXPECT_TRUE(same_bits(session.output(), first)) << "a run changed its input";
  EXPECT_EQ(session.input().data(), input);
  EXPECT_EQ(session.output().data(), output);
}

TEST_P(SessionSetting, TimedRunGivesTheSame) {
  TestNet net(options(), 2);
  describe(net);
  const Plan plan = net.build();
  Session session(plan);
  net.write_inputs(session);
  session.run();
  const std::vector<float> plain = copy(session.output());
  const std::vector<double> seconds = session.run_timed();
  EXPECT_TRUE(same_bits(session.output(), plain));
  ASSERT_EQ(seconds.size(), plan.steps().size());
  for (const double s : seconds) EXPECT_GT(s, 0);
}

TEST_P(SessionSetting, RunsWithItsOwnThreadCountWhateverTheCallersIs) {
  TestNet net(options(), 3);
  describe(net);
  Session session(net.build());
  net.write_inputs(session);
  session.run();
  const std::vector<float> expected = copy(session.output());
  const int before = thread_count();
  for (const int count : {1, 2, 3}) {
    set_thread_count(count);
    session.run();
    EXPECT_EQ(thread_count(), count);
    EXPECT_TRUE(same_bits(session.output(), expected)) << "called with " << count << " threads";
  }
  set_thread_count(before);
}

INSTANTIATE_TEST_SUITE_P(All, SessionSetting, ::testing::ValuesIn(all_settings()), [](const auto& setting) {
  std::string name = to_string(setting.param);
  std::erase_if(name, [](char c) { return std::isalnum(static_cast<unsigned char>(c)) == 0; });
  return name;
});

TEST(Session, ManyShareAPlanAtOnce) {
  for (const Tuning tuning : {Tuning::kDirect, Tuning::kWinograd}) {
    PlanOptions options;
    options.tuning = tuning;
    TestNet net(options, 4);
    describe(net);
    const Plan plan = net.build();
    Session alone(plan);
    net.write_inputs(alone);
    alone.run();
    const std::vector<float> expected = copy(alone.output());
    std::vector<int> wrong(3, 0);
    std::vector<std::thread> workers;
    workers.reserve(wrong.size());
    for (int& count : wrong) {
      workers.emplace_back([&net, &plan, &expected, &count] {
        Session session(plan);
        net.write_inputs(session);
        for (int run = 0; run < 20; ++run) {
          session.run();
          if (!same_bits(session.output(), expected)) ++count;
        }
      });
    }
    for (std::thread& worker : workers) worker.join();
    EXPECT_EQ(wrong, std::vector<int>(3, 0));
  }
}

TEST(Session, OutlivesPlanAndMoves) {
  auto net = std::make_unique<TestNet>(PlanOptions{}, 5);
  describe(*net);
  Session session = [&net] {
    Session made(net->build());
    net->write_inputs(made);
    return made;
  }();
  session.run();
  net->expect_outputs(session, 1e-4);
  Session moved = std::move(session);
  moved.run();
  net->expect_outputs(moved, 1e-4);
}

}  // namespace
}  // namespace glimpse::dnn::testing
