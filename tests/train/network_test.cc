// Networks on the tape against the same graphs compiled for inference, and the few graph rewrites of the trainer.
#include "train/nets/network.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>

#include "core/error.h"
#include "core/random.h"
#include "net/compile.h"
#include "net/shapes.h"
#include "net/tensors.h"

namespace glimpse::train {
namespace {

/// Every op of graph.h, with channels that do not fill a block.
constexpr const char* kEveryOp = R"(
conv c0 < image out=10 k=3 s=2 pad=1 bias=0
batchnorm b0 < c0 act=relu
conv c1 < b0 out=20 k=3 pad=2 dilation=2 act=relu
conv dw < c1 out=20 k=3 pad=1 groups=20
batchnorm b1 < dw eps=1e-3 act=hardswish
maxpool p1 < b1 k=3 s=2 pad=1 ceil=1
avgpool p2 < b1 k=3 s=2 pad=1 ceil=1
add sum < p1 p2 act=relu
se s1 < sum squeeze=4
conv c2 < s1 out=20 k=1 act=clip lo=-0.5 hi=0.7
mul prod < c2 sum act=tanh
cbam att < prod squeeze=5 k=7
concat both < att c2 p1
conv c3 < both out=12 k=3 s=1 pad=1,0,2,1 act=sigmoid
globalavgpool g < c3
linear l < g out=12 act=tanh
add wide < c3 l
adaptiveavgpool small < wide size=3,2
act last < small act=relu
output last
)";

constexpr std::int64_t kSide = 33;
constexpr std::uint64_t kWeightSeed = 10;  // no hidden unit of the small se and cbam is dead

Tensor random_picture(std::int64_t count, std::uint64_t seed) {
  Random random(seed);
  Tensor picture({count, 3, kSide, kSide});
  for (float& value : picture.values()) value = static_cast<float>(random.normal());
  return picture;
}

/// The graph's tensors with numbers that make every part count: running statistics too.
ParameterSet filled(const net::GraphSpec& graph, const Shape& input) {
  ParameterSet parameters;
  add_parameters(graph, input, 1, parameters);
  EXPECT_TRUE(parameters.load(net::random_weights(graph, input, kWeightSeed)).empty());
  return parameters;
}

void expect_the_plans_forward(const char* text) {
  const net::GraphSpec graph = net::parse_graph(text, "net.graph");
  const Tensor picture = random_picture(2, 3);
  ParameterSet parameters = filled(graph, picture.shape());

  dnn::Kernels kernels(2);
  Tape tape(kernels);
  const Network network(graph, parameters);
  const Variable result = network.forward(tape, tape.constant(picture), {Statistics::kRunning, true});

  net::CompileOptions options;
  options.batch = 2;
  options.height = options.width = kSide;
  options.plan.tuning = dnn::Tuning::kDirect;
  dnn::Session session(net::compile(graph, net::random_weights(graph, picture.shape(), kWeightSeed), options));
  std::ranges::copy(picture.values(), session.input().begin());
  session.run();

  const dnn::Array plain = kernels.reordered(result.value(), 1);
  ASSERT_EQ(plain.values().size(), session.output().size());
  for (std::size_t i = 0; i < plain.values().size(); ++i) {
    EXPECT_NEAR(plain.values()[i], session.output()[i], 1e-4) << i;
  }
}

TEST(Network, ForwardByRunningStatisticsIsThePlansForward) { expect_the_plans_forward(kEveryOp); }

TEST(Network, SelfAttentionIsThePlansToo) {
  expect_the_plans_forward(
      "conv c < image out=12 k=3 s=4\nselfattention a < c heads=3\nselfattention b < a heads=1 eps=0.1\n");
}

/// Σ weight · output, in double precision from f32 outputs.
double projected(const dnn::Array& output, const Tensor& weight) {
  double sum = 0;
  for (std::size_t i = 0; i < output.values().size(); ++i) {
    sum += static_cast<double>(output.values()[i]) * weight.values()[i];
  }
  return sum;
}

class Probe {
 public:
  explicit Probe(Statistics statistics)
      : graph_(net::parse_graph(kEveryOp, "every.graph")),
        picture_(random_picture(3, 4)),
        parameters_(filled(graph_, picture_.shape())),
        network_(graph_, parameters_),
        statistics_(statistics) {
    const Shape shape = net::infer_shapes(graph_, picture_.shape()).back();
    weight_ = Tensor(shape);
    Random random(5);
    for (float& value : weight_.values()) value = static_cast<float>(random.normal());
  }

  double value() {
    Tape tape(kernels_);
    return projected(kernels_.reordered(output(tape).value(), 1), weight_);
  }

  void differentiate() {
    Tape tape(kernels_);
    const Variable result = plain(tape, output(tape));
    const dnn::Array sum = kernels_.take({1});
    sum.data()[0] = static_cast<float>(projected(result.value(), weight_));
    const Variable loss =
        tape.record(sum, {result}, [&](const dnn::Array&) { tape.add_gradient(result, dnn::Array::borrow(weight_)); });
    tape.backward(loss);
  }

  ParameterSet& parameters() { return parameters_; }

 private:
  Variable output(Tape& tape) { return network_.forward(tape, tape.constant(picture_), {statistics_, false}); }

  dnn::Kernels kernels_{2};
  net::GraphSpec graph_;
  Tensor picture_;
  ParameterSet parameters_;
  Network network_;
  Statistics statistics_;
  Tensor weight_;
};

class WholeNetwork : public ::testing::TestWithParam<Statistics> {};

TEST_P(WholeNetwork, GradientsPredictTheChange) {
  Probe probe(GetParam());
  probe.differentiate();
  Random random(6);
  for (Parameter& parameter : probe.parameters().parameters()) {
    // Along the gradient, where the change is largest against rounding: f(x + h d) − f(x − h d) ≈ 2 h |g|, d = g / |g|.
    double norm = 0;
    for (const float g : parameter.gradient.values()) norm += static_cast<double>(g) * g;
    norm = std::sqrt(norm);
    // A shift in front of a batch's own statistics changes nothing.
    if (GetParam() == Statistics::kBatch && parameter.name == "dw.bias") {
      EXPECT_LT(norm, 1e-4);
      continue;
    }
    ASSERT_GT(norm, 0) << parameter.name;
    const Tensor before = parameter.value.clone();
    const double h = 2e-3;
    const auto shifted = [&](double step) {
      for (std::size_t i = 0; i < before.values().size(); ++i) {
        parameter.value.values()[i] =
            static_cast<float>(before.values()[i] + step * parameter.gradient.values()[i] / norm);
      }
      return probe.value();
    };
    const double change = (shifted(h) - shifted(-h)) / (2 * h);
    shifted(0);
    // Kinks of relu, clip and maximum make the whole network's check coarser than that of single operations.
    EXPECT_NEAR(change / norm, 1, 0.05) << parameter.name << ": |g| = " << norm;
  }
}

INSTANTIATE_TEST_SUITE_P(Statistics, WholeNetwork, ::testing::Values(Statistics::kBatch, Statistics::kRunning));

TEST(Network, TailGoesOnFromItsNode) {
  const net::GraphSpec graph = net::parse_graph(
      "conv a < image out=8 k=3 pad=1\nconv b < a out=8 k=1\nadd c < b a act=relu\nglobalavgpool d < c\n", "g");
  EXPECT_THAT([&] { tail_of(graph, "b"); },
              ::testing::Throws<Error>(
                  ::testing::Property(&Error::what, ::testing::HasSubstr("reads something in front of 'b'"))));
  const net::GraphSpec tail = tail_of(graph, "c");
  ASSERT_EQ(tail.nodes.size(), 1U);
  EXPECT_EQ(tail.nodes[0].name, "d");
  EXPECT_EQ(tail.nodes[0].sources, std::vector<int>{net::kImage});
}

TEST(Network, DilationKeepsEverySecondCell) {
  const net::GraphSpec graph = net::parse_graph(
      "conv a < image out=8 k=3 s=2 pad=1 act=relu\nconv b < a out=8 k=5 s=2 pad=1,1,2,2 act=relu\n"
      "conv c < b out=8 k=3 pad=1 groups=8\nconv d < c out=4 k=1\n",
      "g");
  const net::GraphSpec dilated = dilate_last_stride(graph);
  Random random(7);
  Tensor picture({1, 3, 32, 32});
  for (float& value : picture.values()) value = static_cast<float>(random.normal());
  ParameterSet parameters = filled(graph, picture.shape());
  dnn::Kernels kernels(1);
  Tape tape(kernels);
  const Network::Mode mode{Statistics::kRunning, true};
  const dnn::Array coarse =
      kernels.reordered(Network(graph, parameters).forward(tape, tape.constant(picture), mode).value(), 1);
  const dnn::Array fine =
      kernels.reordered(Network(dilated, parameters).forward(tape, tape.constant(picture), mode).value(), 1);
  ASSERT_EQ(coarse.shape(), (Shape{1, 4, 8, 8}));
  ASSERT_EQ(fine.shape(), (Shape{1, 4, 16, 16}));
  for (std::int64_t c = 0; c < 4; ++c) {
    for (std::int64_t y = 0; y < 8; ++y) {
      for (std::int64_t x = 0; x < 8; ++x) {
        EXPECT_NEAR(coarse.data()[(c * 8 + y) * 8 + x], fine.data()[(c * 16 + 2 * y) * 16 + 2 * x], 1e-5);
      }
    }
  }
}

}  // namespace
}  // namespace glimpse::train
