#include "net/compile.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <functional>
#include <limits>

#include "compare.h"
#include "core/error.h"
#include "core/file.h"
#include "net/fusion.h"
#include "net/shapes.h"
#include "net/tensors.h"
#include "reference_net.h"
#include "support/paths.h"
#include "support/random_tensor.h"

namespace glimpse::net {
namespace {

using glimpse::testing::uniform_tensor;
using ::testing::AllOf;
using testing::expect_like_reference;
using ::testing::HasSubstr;
using testing::run_reference;

/// A graph, and the steps it must become: head, *batchnorm folded in, +residual added, >last node fused.
struct NetCase {
  std::string text;
  std::string steps;
  std::vector<std::string> outputs = {};
  Shape input = {2, 6, 9, 8};
};

std::string describe(const std::vector<FusedStep>& steps, const GraphSpec& graph) {
  const auto name = [&](int index) {
    return index == kImage ? std::string(kImageName) : graph.nodes[static_cast<std::size_t>(index)].name;
  };
  std::string text;
  for (const FusedStep& step : steps) {
    if (!text.empty()) text += " | ";
    text += name(step.head);
    if (step.folded) text += "*" + name(*step.folded);
    if (step.residual) text += "+" + name(*step.residual);
    if (step.tail != step.head) text += ">" + name(step.tail);
  }
  return text;
}

const NetCase kCases[] = {
    // each op alone
    {"conv a < image out=5 k=3 s=2 pad=1,0,2,1 dilation=1,2", "a"},
    {"conv a < image out=12 k=3,1 pad=1,0,1,0 groups=3 bias=0 act=tanh", "a"},
    {"conv a < image out=6 k=5 pad=2 groups=in act=hardswish", "a"},
    {"batchnorm a < image act=clip lo=-0.2 hi=0.3", "a"},
    {"act a < image act=relu", "a"},
    {"act a < image act=clip lo=-0.5 hi=0.25", "a"},
    {"act a < image act=sigmoid", "a"},
    {"act a < image act=tanh", "a"},
    {"act a < image act=hardswish", "a"},
    {"maxpool a < image k=3 s=2", "a"},
    {"maxpool a < image k=3,2 s=2,1 pad=1,0,1,1", "a"},
    {"maxpool a < image k=3 s=2 ceil=1", "a"},
    {"maxpool a < image k=2 s=2 pad=1 ceil=1", "a"},
    {"avgpool a < image k=3 s=2 pad=1", "a"},
    {"avgpool a < image k=3 s=2 pad=1 count_pad=0", "a"},
    {"avgpool a < image k=3 s=2 ceil=1", "a"},
    {"avgpool a < image k=3 s=2 pad=1 ceil=1", "a"},
    {"avgpool a < image k=3 s=2 pad=1 ceil=1 count_pad=0", "a"},
    {"globalavgpool a < image", "a"},
    {"adaptiveavgpool a < image size=1", "a"},
    {"adaptiveavgpool a < image size=4,3", "a"},
    {"adaptiveavgpool a < image size=13,8", "a"},
    {"add a < image image act=relu", "a"},
    {"mul a < image image", "a"},
    {"linear a < image out=7 act=sigmoid", "a"},
    {"linear a < image out=7 bias=0", "a"},
    {"concat a < image image image", "a"},
    {"se a < image r=2", "a"},
    {"se a < image squeeze=5", "a"},
    {"se a < image r=16", "a"},
    {"cbam a < image r=2", "a"},
    {"cbam a < image squeeze=1 k=3,5", "a", {}, {2, 6, 4, 3}},
    {"selfattention a < image heads=2", "a"},
    {"selfattention a < image heads=1 eps=0.1\nselfattention b < a heads=6\nact r < b act=relu", "a | b | r"},
    {"act a < image act=none", "a"},
    {"conv c < image out=5 k=1\nact a < c act=none", "c | a", {"a", "c"}},
    // a small map on either side broadcasts
    {"globalavgpool g < image\nadd a < image g act=relu", "g | a"},
    {"globalavgpool g < image\nmul a < g image", "g | a"},
    {"conv g < image out=1 k=1 act=sigmoid\nmul a < g image\nadd b < a g", "g | a | b"},
    // folding and fusing
    {"conv a < image out=5 k=3 bias=0\nbatchnorm n < a act=relu", "a*n>n"},
    {"conv a < image out=5 k=3\nbatchnorm n < a\nact r < n act=relu", "a*n>r"},
    {"conv a < image out=6 k=3 groups=in\nbatchnorm n < a eps=0.01\nact r < n act=hardswish", "a*n>r"},
    {"linear a < image out=5\nbatchnorm n < a act=tanh", "a*n>n"},
    {"linear a < image out=5 bias=0\nbatchnorm n < a", "a*n>n"},
    {"conv a < image out=6 k=3 pad=1\nadd b < a image act=relu", "a+image>b"},
    {"conv a < image out=6 k=3 pad=1\nbatchnorm n < a\nadd b < image n\nact r < b act=relu", "a*n+image>r"},
    {"batchnorm a < image\nadd b < a image act=relu", "a+image>b"},
    {"se s < image r=2\nadd b < s image act=relu", "s | b"},
    {"se s < image r=2\nact r < s act=tanh", "s>r"},
    {"maxpool p < image k=2\nact r < p act=tanh", "p | r"},
    {"add a < image image\nact r < a act=relu\nact t < r act=tanh", "a>r | t"},
    {"conv a < image out=5 k=1\nact r < a act=none\nact t < r act=relu", "a>t"},
    {"act a < image act=none\nconv b < a out=5 k=1", "a | b"},
    // what stands in between may not be taken past another batch norm, activation or add
    {"conv a < image out=5 k=3 act=relu\nbatchnorm n < a", "a | n"},
    {"conv a < image out=5 k=3\nact r < a act=relu\nbatchnorm n < r\nact t < n act=tanh", "a>r | n>t"},
    {"conv a < image out=5 k=3\nbatchnorm n < a\nbatchnorm m < n act=relu", "a*n>n | m"},
    {"conv a < image out=6 k=1\nadd b < a image\nbatchnorm n < b act=relu", "a+image>b | n"},
    {"conv a < image out=6 k=1 act=relu\nadd b < a image", "a | b"},
    {"conv a < image out=6 k=1\nadd b < a image\nadd c < b image act=relu", "a+image>b | c"},
    {"globalavgpool g < image\nconv a < g out=6 k=1\nadd b < a image act=relu", "g | a | b"},
    {"conv a < image out=6 k=1\nmul b < a image act=relu", "a | b"},
    // a value that is read twice is not fused away
    {"conv a < image out=6 k=3 pad=1\nact r < a act=relu\nadd b < r a", "a | r | b"},
    {"conv a < image out=6 k=3 pad=1\nbatchnorm n < a\nmul b < n a", "a | n | b"},
    {"conv a < image out=6 k=3 pad=1\nadd b < a a act=relu", "a | b"},
    {"conv a < image out=6 k=3 pad=1\nadd b < a image act=relu\nmul c < b a", "a | b | c"},
    // the residual is read again afterwards, so its memory may not be overwritten
    {"conv s < image out=6 k=1\nconv a < s out=6 k=3 pad=1\nadd b < a s act=relu\nmul c < b s", "s | a+s>b | c"},
    {"conv a < image out=6 k=1\nconv b < image out=6 k=1\nadd c < a b act=relu\nadd d < c image", "b | a+b>c | d"},
    {"conv a < image out=6 k=1\nadd c < a image\nconv b < c out=6 k=1\nadd d < b c\nadd e < d c act=relu",
     "a+image>c | b+c>d | e"},
    // the residual is made between the convolution and the add
    {"conv a < image out=6 k=1\nconv b < image out=4 k=1 act=relu\nconv c < b out=6 k=1\nbatchnorm n < c\nadd d < a n",
     "b | c*n>n | a+n>d"},
    // outputs in the middle of what would be fused
    {"conv a < image out=5 k=3\nbatchnorm n < a\nact r < n act=relu", "a | n>r", {"a", "r"}},
    {"conv a < image out=5 k=3\nbatchnorm n < a\nact r < n act=relu", "a*n>n | r", {"r", "n"}},
    {"conv a < image out=6 k=1\nbatchnorm n < a\nadd b < n image act=relu\nconv c < b out=3 k=1",
     "a*n>n | b | c",
     {"n", "c", "b"}},
    {"conv a < image out=6 k=1\nadd b < a image act=relu\nlinear c < b out=3", "a", {"a"}},
    // networks in small
    {"conv c < image out=8 k=3 pad=1 act=relu\nconv d < c out=4 k=1 act=relu\nconv e < c out=4 k=3 pad=1 act=relu\n"
     "concat f < d e c image\nse s < f r=4\nadd g < s f act=relu\nglobalavgpool p < g\nlinear l < p out=10",
     "c | d | e | f | s | g | p | l"},
    {"conv c < image out=16 k=3 pad=1 bias=0\nbatchnorm n < c\ncbam m < n r=4\nadd a < m n act=relu\n"
     "conv d < a out=3 k=1",
     "c*n>n | m | a | d"},
    {"conv a < image out=6 k=3 pad=1 act=relu\nconv b < a out=6 k=3 pad=1 weights=a\nlinear l < b out=3", "a | b | l"},
};

TEST(Fusion, TakesInWhatNothingElseReads) {
  for (const NetCase& c : kCases) {
    const GraphSpec graph = extract(parse_graph(c.text, "net.graph"), c.outputs);
    std::vector<int> kept;
    for (const std::string& name : c.outputs) kept.push_back(graph.find(name));
    if (kept.empty()) kept.push_back(graph.output);
    const std::vector<Shape> shapes = infer_shapes(graph, c.input);
    EXPECT_EQ(describe(fuse(graph, shapes, c.input, kept), graph), c.steps) << c.text;
  }
}

TEST(Compile, SmallNetworksEqualTheReference) {
  for (const NetCase& c : kCases) {
    SCOPED_TRACE(c.text + "\non " + to_string(c.input));
    CompileOptions options;
    options.outputs = c.outputs;
    expect_like_reference(parse_graph(c.text, "net.graph"), c.input, options,
                          {{dnn::Tuning::kDirect, 2e-6}, {dnn::Tuning::kWinograd, 2e-5}});
  }
}

struct WholeNetwork {
  std::string name;
  std::string output;
  Shape input;
};

std::ostream& operator<<(std::ostream& out, const WholeNetwork& network) { return out << network.name; }

class WholeNetworks : public ::testing::TestWithParam<WholeNetwork> {};

TEST_P(WholeNetworks, EqualTheReference) {
  const WholeNetwork& network = GetParam();
  const std::string path = "models/graphs/" + network.name + ".graph";
  const GraphSpec whole = parse_graph(read_file(glimpse::testing::source_path(path), 1 << 20), path);
  const GraphSpec graph = extract(whole, {network.output});
  CompileOptions options;
  options.plan.threads = 2;
  expect_like_reference(graph, network.input, options, {{dnn::Tuning::kDirect, 1e-5}, {dnn::Tuning::kWinograd, 1e-4}});
}

INSTANTIATE_TEST_SUITE_P(All, WholeNetworks,
                         ::testing::Values(WholeNetwork{"resnet18", "fc", {2, 3, 64, 48}},
                                           WholeNetwork{"resnet50", "fc", {1, 3, 64, 64}},
                                           WholeNetwork{"vgg16", "features.29", {1, 3, 32, 32}},
                                           WholeNetwork{"squeezenet1_1", "classifier.3", {1, 3, 67, 64}},
                                           WholeNetwork{"mobilenet_v2", "classifier.1", {1, 3, 64, 64}}),
                         [](const auto& info) { return info.param.name; });

TEST(Compile, DeliversChannelsLast) {
  const GraphSpec graph = parse_graph("conv a < image out=5 k=3 act=relu", "net.graph");
  CompileOptions options;
  options.batch = 2;
  options.height = 6;
  options.width = 7;
  options.channels_last = true;
  options.plan.tuning = dnn::Tuning::kDirect;
  const Weights weights = random_weights(graph, options.input_shape(), 1);
  const Tensor image = uniform_tensor(options.input_shape(), 2);
  const dnn::Plan plan = compile(graph, weights, options);
  EXPECT_EQ(plan.output_shape(0), (Shape{2, 4, 5, 5}));  // [N,H,W,C]
  dnn::Session session(plan);
  std::copy(image.values().begin(), image.values().end(), session.input().begin());
  session.run();
  const Tensor expected = run_reference(graph, weights, image).at("a").clone();  // [2,5,4,5]
  for (std::int64_t n = 0; n < 2; ++n) {
    for (std::int64_t c = 0; c < 5; ++c) {
      for (std::int64_t cell = 0; cell < 20; ++cell) {
        const float got = session.output()[static_cast<std::size_t>((n * 20 + cell) * 5 + c)];
        ASSERT_NEAR(got, expected.data()[(n * 5 + c) * 20 + cell], 1e-5) << n << " " << c << " " << cell;
      }
    }
  }
}

TEST(Compile, TakesLinearWeightsStoredAsConvolutions) {
  const GraphSpec graph = parse_graph("se a < image r=2\nlinear l < a out=4", "net.graph");
  const Shape input = {1, 6, 1, 1};
  const Weights flat = random_weights(graph, input, 3);
  std::map<std::string, Tensor, std::less<>> tensors;
  for (const auto& [name, view] : flat.tensors()) {
    const Tensor tensor = to_float(view);
    Shape shape = view.shape;
    if (shape.size() == 2) shape.insert(shape.end(), {1, 1});
    tensors.emplace(name, Tensor(shape, tensor.values()));
  }
  const Weights spread("spread", std::move(tensors));
  CompileOptions options;
  options.channels = 6;
  options.height = options.width = 1;
  const Tensor image = uniform_tensor(input, 4);
  dnn::Session a(compile(graph, flat, options));
  dnn::Session b(compile(graph, spread, options));
  for (dnn::Session* session : {&a, &b}) {
    std::copy(image.values().begin(), image.values().end(), session->input().begin());
    session->run();
  }
  EXPECT_EQ(std::vector<float>(a.output().begin(), a.output().end()),
            std::vector<float>(b.output().begin(), b.output().end()));
}

using Tensors = std::map<std::string, Tensor, std::less<>>;

TEST(Compile, SaysWhichTensorIsWrong) {
  const GraphSpec graph = parse_graph(
      "conv stem < image out=4 k=3 pad=1\n"
      "\n"
      "batchnorm norm < stem\n"
      "se gate < norm squeeze=2\n"
      "linear unread < gate out=3\n"
      "output gate",
      "net.graph");
  CompileOptions options;
  options.height = options.width = 8;
  const GraphSpec live = extract(graph, {});
  struct Case {
    std::function<void(Tensors&)> spoil;
    std::vector<std::string> says;
  };
  const auto rename = [](Tensors& tensors, const std::string& from, const std::string& to) {
    auto node = tensors.extract(from);
    node.key() = to;
    tensors.insert(std::move(node));
  };
  constexpr float kNan = std::numeric_limits<float>::quiet_NaN();
  constexpr float kInfinity = std::numeric_limits<float>::infinity();
  const Case cases[] = {
      {[](Tensors& t) { t.erase("gate.squeeze.weight"); },
       {"'net.graph' line 4, se 'gate'", "'weights' has no tensor 'gate.squeeze.weight'", "[2,4]"}},
      {[&](Tensors& t) { rename(t, "stem.weight", "stm.weight"); },
       {"line 1, conv 'stem'", "no tensor 'stem.weight'", "there is 'stm.weight'"}},
      {[](Tensors& t) {
         t.insert_or_assign("stem.weight", Tensor({4, 4, 3, 3}));
       },
       {"line 1, conv 'stem'", "tensor 'stem.weight' in 'weights' has shape [4,4,3,3], needed is [4,3,3,3]"}},
      {[](Tensors& t) { t.insert_or_assign("norm.running_mean", Tensor({1})); },
       {"line 3, batchnorm 'norm'", "'norm.running_mean'", "[1]", "[4]"}},
      {[&](Tensors& t) { t.at("stem.weight").values()[5] = kNan; },
       {"line 1, conv 'stem'", "'weights'", "'stem.weight'", "nan"}},
      {[&](Tensors& t) { t.at("gate.excite.bias").values()[0] = kInfinity; },
       {"line 4, se 'gate'", "'gate.excite.bias'", "inf"}},
      {[](Tensors& t) { t.at("norm.running_var").values()[1] = -1; },
       {"line 3, batchnorm 'norm'", "'norm.running_var' in 'weights'", "negative"}},
  };
  const Weights good = random_weights(live, options.input_shape(), 1);
  for (const Case& c : cases) {
    Tensors tensors;
    for (const auto& [name, view] : good.tensors()) tensors.emplace(name, to_float(view));
    c.spoil(tensors);
    const Weights weights("weights", std::move(tensors));
    try {
      compile(graph, weights, options);
      FAIL() << "no error that says " << c.says[0];
    } catch (const Error& error) {
      EXPECT_EQ(error.code(), ErrorCode::kModel);
      for (const std::string& part : c.says) EXPECT_THAT(error.what(), HasSubstr(part));
    }
  }
}

TEST(Compile, RefusesOutputsThatAreNotThereOrTwice) {
  const GraphSpec graph = parse_graph("act layer < image act=relu", "net.graph");
  const Weights none("none", {});
  CompileOptions options;
  options.outputs = {"layr"};
  EXPECT_THROW(
      try { compile(graph, none, options); } catch (const Error& error) {
        EXPECT_EQ(error.code(), ErrorCode::kModel);
        EXPECT_THAT(error.what(), AllOf(HasSubstr("no node 'layr'"), HasSubstr("'layer'")));
        throw;
      },
      Error);
  options.outputs = {"layer", "layer"};
  EXPECT_THROW(compile(graph, none, options), Error);
}

TEST(RandomWeights, AreReproducibleAndKeepActivationsAlive) {
  const GraphSpec graph = parse_graph("conv a < image out=4 k=3\nbatchnorm n < a", "net.graph");
  const Weights first = random_weights(graph, {1, 3, 8, 8}, 5);
  const Weights again = random_weights(graph, {1, 3, 8, 8}, 5);
  const Weights other = random_weights(graph, {1, 3, 8, 8}, 6);
  const auto values = [](const Weights& weights) {
    const Tensor tensor = to_float(weights.at("a.weight"));
    return std::vector<float>(tensor.values().begin(), tensor.values().end());
  };
  EXPECT_EQ(values(first), values(again));
  EXPECT_NE(values(first), values(other));
  double square = 0;
  for (const float value : values(first)) square += static_cast<double>(value) * value;
  EXPECT_NEAR(square / static_cast<double>(values(first).size()), 2.0 / 27, 0.02) << "He's variance is 2 / inputs";
}

}  // namespace
}  // namespace glimpse::net
