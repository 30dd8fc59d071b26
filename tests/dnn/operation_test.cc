// Every operation of PlanBuilder against plain loops, in every tuning, with one and two threads, from plain layout and
// from the layout that a convolution leaves.
#include <gtest/gtest.h>

#include <cstdlib>

#include "dnn/case.h"
#include "dnn/test_net.h"

namespace glimpse::dnn::testing {
namespace {

/// Unsaid: n=1, stride 1 (pooling 2), dilation 1, no padding, one group, no activation, a bias, no residual.
constexpr const char* kCases[] = {
    // First layers: three channels, large kernels.
    "conv c=3 h=35 w=33 out=24 k=3,3 s=2,2 p=1 act=relu",
    "conv c=3 h=37 w=41 out=64 k=7,7 s=2,2 p=3 act=relu",
    "conv n=2 c=3 h=17 w=18 out=7 k=5,3 s=2,1 p=2,1,2,1",
    "conv c=1 h=9 w=9 out=16 k=3,3 p=1",
    // 3×3 with stride 1, where Winograd applies: whole and partly filled blocks of channels, odd sizes, all residuals.
    "conv c=16 h=14 w=14 out=16 k=3,3 p=1 act=relu",
    "conv n=2 c=32 h=14 w=15 out=32 k=3,3 p=1 act=relu res=dead",
    "conv n=3 c=32 h=7 w=7 out=48 k=3,3 p=1 res=dead",
    "conv c=32 h=14 w=13 out=32 k=3,3 p=1 act=relu res=alive",
    "conv c=32 h=12 w=12 out=32 k=3,3 p=1 act=relu res=source",
    "conv n=2 c=40 h=15 w=11 out=24 k=3,3 p=1 act=relu res=dead bias=0",
    "conv c=24 h=10 w=10 out=40 k=3,3",
    "conv c=5 h=13 w=11 out=7 k=3,3 p=1 act=relu",
    "conv c=32 h=16 w=16 out=32 k=3,3 p=1 act=clip",
    "conv c=32 h=16 w=16 out=32 k=3,3 p=1 act=sigmoid res=dead",
    "conv c=32 h=16 w=16 out=32 k=3,3 p=1 act=tanh",
    "conv c=32 h=16 w=16 out=32 k=3,3 p=1 act=hardswish res=alive",
    "conv c=48 h=9 w=12 out=80 k=3,3 p=0,0,1,1 act=relu",
    // Strides, dilation, asymmetric padding.
    "conv n=2 c=32 h=15 w=15 out=48 k=3,3 s=2,2 p=1 act=relu",
    "conv c=32 h=16 w=16 out=48 k=3,3 s=2,2 p=0,0,1,1 act=clip",
    "conv c=20 h=17 w=13 out=33 k=3,3 s=2,1 p=2,0,1,1",
    "conv n=2 c=32 h=14 w=14 out=32 k=3,3 d=2,2 p=2 act=relu res=dead",
    "conv c=17 h=12 w=14 out=19 k=3,3 d=2,3 p=2,3,1,2 act=relu",
    "conv c=16 h=11 w=11 out=16 k=1,7 p=0,3,0,3",
    "conv c=16 h=11 w=11 out=16 k=5,5 p=2 bias=0 act=relu",
    "conv c=2 h=13 w=13 out=1 k=7,7 p=3 act=sigmoid",
    // 1×1.
    "conv n=2 c=64 h=9 w=9 out=256 k=1,1 act=relu res=dead",
    "conv c=64 h=9 w=9 out=64 k=1,1 act=relu res=alive",
    "conv c=64 h=9 w=9 out=64 k=1,1 act=relu res=source",
    "conv c=24 h=9 w=7 out=36 k=1,1 s=2,2",
    "conv c=19 h=5 w=6 out=21 k=1,1 act=hardswish bias=0",
    "conv n=4 c=128 h=1 w=1 out=32 k=1,1 act=relu",
    // Groups and depthwise.
    "conv n=2 c=32 h=14 w=14 out=32 k=3,3 p=1 g=32 act=clip",
    "conv c=24 h=13 w=15 out=24 k=3,3 s=2,2 p=1 g=24 act=relu",
    "conv c=24 h=14 w=14 out=24 k=3,3 s=2,2 p=0,0,1,1 g=24 act=clip",
    "conv c=17 h=9 w=9 out=17 k=5,5 p=2 g=17 res=dead",
    "conv c=32 h=14 w=14 out=32 k=3,3 d=2,2 p=2 g=32 act=relu",
    "conv n=2 c=19 h=6 w=6 out=19 k=1,1 g=19",
    "conv c=16 h=8 w=8 out=32 k=3,3 p=1 g=16 act=relu",
    "conv n=2 c=64 h=7 w=8 out=64 k=3,3 p=1 g=4 act=relu res=dead",
    "conv c=20 h=9 w=10 out=20 k=3,3 p=1 g=2 act=relu res=alive",
    "conv c=24 h=9 w=10 out=36 k=3,3 s=2,2 p=1,0,0,1 g=2",
    "conv c=6 h=8 w=8 out=9 k=1,1 g=3 act=tanh",
    // Pooling.
    "pool n=2 c=16 h=12 w=12",
    "pool c=7 h=13 w=11 k=3,3 p=1",
    "pool c=64 h=15 w=15 k=3,3 p=1 ceil=1",
    "pool c=5 h=14 w=13 k=3,3 ceil=1",
    "pool c=16 h=10 w=10 k=2,3 s=1,2 p=1,0,0,1",
    "pool kind=exclude n=2 c=16 h=12 w=12",
    "pool kind=exclude c=9 h=13 w=11 k=3,3 p=1",
    "pool kind=exclude c=16 h=14 w=14 k=3,3 p=1,0,0,1 ceil=1",
    "pool kind=include n=2 c=17 h=13 w=11 k=3,3 p=1",
    "pool kind=include c=16 h=14 w=12 k=3,3 p=1,0,1,0",
    "pool kind=include c=17 h=14 w=12 k=3,3 p=1 ceil=1",
    "pool kind=include n=2 c=5 h=8 w=9 k=4,4 s=3,3 ceil=1",
    "pool kind=include c=4 h=5 w=5 k=1,1 s=2,2 p=0 ceil=1",
    "average n=2 c=37 h=7 w=7",
    "average c=64 h=8 w=5",
    "average n=3 c=5 h=1 w=1",
    "max n=2 c=37 h=7 w=5",
    "adaptive n=2 c=21 h=8 w=8 to=14,14",
    "adaptive c=32 h=14 w=14 to=7,7",
    "adaptive c=32 h=7 w=7 to=7,7",
    "adaptive c=6 h=7 w=10 to=3,4",
    "adaptive n=2 c=16 h=5 w=3 to=2,9",
    "adaptive c=16 h=6 w=6 to=1,1",
    // Reductions over channels.
    "channelmean n=2 c=37 h=9 w=5",
    "channelmean c=1 h=4 w=4",
    "channelmax n=2 c=64 h=7 w=7",
    "channelmax c=3 h=5 w=6",
    // Linear maps: over one cell, and over maps flattened in NCHW order.
    "linear n=2 c=48 h=1 w=1 out=10 act=relu",
    "linear c=37 h=1 w=1 out=65 bias=0 act=sigmoid",
    "linear n=3 c=24 h=5 w=7 out=11 act=tanh",
    "linear c=5 h=3 w=3 out=1 act=none",
    // Element-wise.
    "act n=2 c=21 h=6 w=5 act=relu",
    "act c=21 h=6 w=5 act=clip",
    "act c=21 h=6 w=5 act=sigmoid",
    "act n=2 c=32 h=6 w=5 act=tanh",
    "act c=21 h=6 w=5 act=hardswish",
    "act c=21 h=6 w=5 act=gelu",
    "conv c=16 h=9 w=8 out=24 k=3,3 p=1 act=gelu",
    "act c=21 h=6 w=5 act=none",
    "add n=2 c=21 h=6 w=5 b=same act=relu",
    "add n=2 c=21 h=6 w=5 b=channel",
    "add n=2 c=32 h=6 w=5 b=channel act=relu",
    "add n=3 c=21 h=6 w=5 b=plane",
    "add c=32 h=1 w=1 b=channel act=hardswish",
    "add c=21 h=6 w=5 b=self",
    "mul n=2 c=21 h=6 w=5 b=same act=clip",
    "mul n=2 c=64 h=6 w=5 b=channel act=relu",
    "mul n=2 c=33 h=6 w=5 b=channel act=sigmoid",
    "mul n=3 c=32 h=6 w=5 b=plane",
    "mul c=21 h=6 w=5 b=plane act=tanh",
    "mul c=21 h=6 w=5 b=self act=relu",
    // Concatenation: whole and partly filled blocks.
    "concat n=2 c=16 h=6 w=5 with=32,16",
    "concat n=2 c=5 h=6 w=5 with=7",
    "concat c=16 h=6 w=5 with=3,16",
    "concat c=1 h=6 w=5 with=1",
};

Value describe_convolution(const Case& c, TestNet& net, Value src) {
  const std::vector<std::int64_t> k = c.numbers("k", {1, 1});
  const TestNet::Filter filter = {c.number("out", 1), k.at(0), k.at(1), c.number("bias", 1) != 0};
  const std::string residual = c.word("res", "none");
  if (residual == "none") return net.convolution(src, filter, c.convolution());
  if (residual == "source") return net.convolution(src, filter, c.convolution(), src);
  // A value of the result's shape, made by an operation of the same shape without residual.
  const Value other = net.convolution(src, filter, c.convolution());
  const Value result = net.convolution(src, filter, c.convolution(), other);
  if (residual == "alive") net.output(net.activation(other, {Activation::Kind::kTanh, 0, 0}));
  return result;
}

Value describe_binary(const Case& c, TestNet& net, Value a) {
  const Shape shape = net.shape(a);
  const std::string kind = c.word("b", "same");
  Value b = a;
  if (kind == "same") b = net.input(shape);
  if (kind == "channel") b = net.input({shape[0], shape[1], 1, 1});
  if (kind == "plane") b = net.input({shape[0], 1, shape[2], shape[3]});
  return net.binary(a, b, c.what() == "mul", c.activation());
}

Value describe(const Case& c, TestNet& net, Value src) {
  if (c.what() == "conv") return describe_convolution(c, net, src);
  if (c.what() == "pool") return net.pooling(src, c.pooling());
  if (c.what() == "average") return net.global_average(src);
  if (c.what() == "max") return net.global_max(src);
  if (c.what() == "channelmean") return net.channel_reduction(src, false);
  if (c.what() == "channelmax") return net.channel_reduction(src, true);
  if (c.what() == "linear") return net.linear(src, c.number("out", 1), c.number("bias", 1) != 0, c.activation());
  if (c.what() == "act") return net.activation(src, c.activation());
  if (c.what() == "add" || c.what() == "mul") return describe_binary(c, net, src);
  if (c.what() == "adaptive") {
    const std::vector<std::int64_t> to = c.numbers("to", {1, 1});
    return net.adaptive_average(src, to.at(0), to.at(1));
  }
  if (c.what() == "concat") {
    std::vector<Value> srcs = {src};
    for (const std::int64_t channels : c.numbers("with", {})) {
      srcs.push_back(net.input({c.shape()[0], channels, c.shape()[2], c.shape()[3]}));
    }
    return net.concat(srcs);
  }
  ADD_FAILURE() << "no operation is called " << c.what();
  return src;
}

void check_case(const std::string& line, const Setting& setting, bool after_convolution) {
  const Case c(line);
  PlanOptions options;
  options.tuning = setting.tuning;
  options.threads = setting.threads;
  TestNet net(options, 1);
  Value src = net.input(c.shape());
  if (after_convolution) src = net.convolution(src, {c.shape()[1], 3, 3, true}, {{1, 1}, {1, 1}, {1, 1, 1, 1}, 1, {}});
  const Value result = describe(c, net, src);
  net.output(result, false);
  net.output(result, true);
  net.check(tolerance(setting));
}

void check_case(const std::string& line) {
  for (const Setting& setting : all_settings()) {
    // What measuring decides matters to convolutions; to the rest it is one of the two layouts tested anyway.
    if (setting.tuning == Tuning::kMeasure && Case(line).what() != "conv") continue;
    for (const bool after_convolution : {false, true}) {
      SCOPED_TRACE(::testing::Message() << line << "\n(" << to_string(setting)
                                        << (after_convolution ? ", after a convolution" : ", from the input")
                                        << "; to repeat it: GLIMPSE_CASE='" << line
                                        << "' test_dnn --gtest_filter=Operation.GivenCase)");
      check_case(line, setting, after_convolution);
      if (::testing::Test::HasFailure()) return;
    }
  }
}

class OperationCase : public ::testing::TestWithParam<const char*> {};

TEST_P(OperationCase, EqualsPlainLoops) { check_case(GetParam()); }

INSTANTIATE_TEST_SUITE_P(All, OperationCase, ::testing::ValuesIn(kCases));

TEST(Operation, GivenCase) {
  const char* line = std::getenv("GLIMPSE_CASE");
  if (line == nullptr) GTEST_SKIP() << "set GLIMPSE_CASE to a line of the table to run that one alone";
  check_case(line);
}

}  // namespace
}  // namespace glimpse::dnn::testing
