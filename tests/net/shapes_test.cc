#include "net/shapes.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <numeric>
#include <set>

#include "core/error.h"
#include "core/file.h"
#include "net/tensors.h"
#include "support/paths.h"

namespace glimpse::net {
namespace {

using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

GraphSpec load_graph(const std::string& name) {
  const std::string path = "models/graphs/" + name + ".graph";
  return parse_graph(read_file(glimpse::testing::source_path(path), 1 << 20), path);
}

template <typename F>
std::string complaint(F f, ErrorCode code = ErrorCode::kModel) {
  try {
    f();
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), code);
    return error.what();
  }
  return "(no error)";
}

TEST(InferShapes, FollowsTheFormulas) {
  struct Case {
    std::string_view text;
    Shape input;
    Shape result;
  };
  const Case cases[] = {
      {"conv a < image out=5 k=3", {2, 3, 9, 7}, {2, 5, 7, 5}},
      {"conv a < image out=5 k=3 s=2 pad=1", {2, 3, 9, 8}, {2, 5, 5, 4}},
      {"conv a < image out=5 k=3,1 s=2,3 pad=0,1,1,2", {1, 3, 9, 8}, {1, 5, 4, 4}},
      {"conv a < image out=6 k=3 dilation=2,3 groups=3", {1, 3, 9, 8}, {1, 6, 5, 2}},
      {"conv a < image out=6 k=1 groups=in", {1, 3, 4, 4}, {1, 6, 4, 4}},
      {"maxpool a < image k=3 s=2", {1, 3, 112, 112}, {1, 3, 55, 55}},
      {"maxpool a < image k=3 s=2 ceil=1", {1, 3, 112, 112}, {1, 3, 56, 56}},
      {"maxpool a < image k=3 s=2 ceil=1", {1, 3, 111, 113}, {1, 3, 55, 56}},
      // The last window would start in the padding after the input: torch leaves it out.
      {"maxpool a < image k=2 s=2 pad=1 ceil=1", {1, 3, 3, 4}, {1, 3, 2, 3}},
      {"avgpool a < image k=2", {1, 3, 7, 8}, {1, 3, 3, 4}},
      {"globalavgpool a < image", {2, 3, 7, 8}, {2, 3, 1, 1}},
      {"adaptiveavgpool a < image size=14,2", {2, 3, 7, 8}, {2, 3, 14, 2}},
      {"concat a < image image image", {2, 3, 7, 8}, {2, 9, 7, 8}},
      {"linear a < image out=4", {2, 3, 7, 8}, {2, 4, 1, 1}},
      {"globalavgpool g < image\nadd a < g image", {2, 3, 7, 8}, {2, 3, 7, 8}},
      {"conv g < image out=1 k=1\nmul a < image g", {2, 3, 7, 8}, {2, 3, 7, 8}},
      {"se a < image r=2", {2, 3, 7, 8}, {2, 3, 7, 8}},
      {"cbam a < image r=2", {2, 3, 7, 8}, {2, 3, 7, 8}},
  };
  for (const Case& c : cases) {
    EXPECT_EQ(infer_shapes(parse_graph(c.text, "net.graph"), c.input).back(), c.result) << c.text;
  }
}

TEST(InferShapes, SaysWhatDoesNotFit) {
  struct Case {
    std::string_view text;
    Shape input;
    std::vector<std::string> says;
  };
  const Case cases[] = {
      {"act b < image act=relu\nconv a < b out=5 k=7 pad=1",
       {1, 3, 9, 4},
       {"'net.graph' line 2, conv 'a'", "window of 7 columns", "padded input of 6"}},
      {"conv a < image out=5 k=3 dilation=9", {1, 3, 9, 40}, {"window of 19 rows", "padded input of 9"}},
      {"conv a < image out=5 k=1 groups=2", {1, 3, 9, 9}, {"conv 'a'", "groups=2", "3 input channels"}},
      {"selfattention a < image heads=2", {1, 3, 9, 9}, {"selfattention 'a'", "heads=2", "3 input channels"}},
      {"selfattention a < image heads=3", {1, 3, 4096, 4096}, {"too many cells to look at each other"}},
      {"conv a < image out=5 k=1 groups=3", {1, 3, 9, 9}, {"groups=3", "out=5"}},
      {"conv a < image out=5 k=1 groups=in", {1, 3, 9, 9}, {"groups=3", "out=5"}},
      {"maxpool b < image k=2\nadd a < image b", {1, 3, 8, 8}, {"line 2, add 'a'", "[1,3,8,8] and [1,3,4,4]"}},
      {"conv b < image out=1 k=1\nglobalavgpool g < image\nmul a < g b",
       {1, 3, 8, 8},
       {"line 3, mul 'a'", "[1,3,1,1] and [1,1,8,8]"}},
      {"maxpool b < image k=2\nconcat a < image b", {1, 3, 8, 8}, {"concat 'a'", "[1,3,8,8] and [1,3,4,4]"}},
      {"conv a < image out=1048576 k=1", {1, 3, 224, 224}, {"conv 'a'", "[1,1048576,224,224] is too large"}},
      {"adaptiveavgpool a < image size=1024\nconcat b < a a a\nconcat c < b b b\nconcat d < c c c\nconcat e < d d d\n"
       "concat f < e e e\nconcat g < f f f",
       {1, 3, 4, 4},
       {"line 7, concat 'g'", "too large"}},
  };
  for (const Case& c : cases) {
    const std::string message = complaint([&] { infer_shapes(parse_graph(c.text, "net.graph"), c.input); });
    for (const std::string& part : c.says) EXPECT_THAT(message, HasSubstr(part)) << c.text;
  }
  const GraphSpec graph = parse_graph("act a < image act=relu", "net.graph");
  for (const Shape& input :
       {Shape{3, 8, 8}, Shape{1, 3, 0, 8}, Shape{1, 3, -1, 8}, Shape{1 << 20, 3, 1 << 10, 1 << 10}})
    EXPECT_THAT(complaint([&] { infer_shapes(graph, input); }, ErrorCode::kUsage), HasSubstr("[images,"));
}

TEST(RequiredTensors, AreNamedAndShapedAsPyTorchHasThem) {
  const GraphSpec graph = parse_graph(
      "conv c < image out=8 k=3,5 bias=0\n"
      "conv d < c out=16 k=1 groups=in weights=enc.d\n"
      "batchnorm n < d\n"
      "se s < n squeeze=3\n"
      "cbam b < s r=4 k=3\n"
      "linear l < b out=10",
      "net.graph");
  std::vector<std::string> lines;
  for (const TensorSpec& spec : required_tensors(graph, {1, 3, 6, 9}))
    lines.push_back(spec.name + to_string(spec.shape));
  EXPECT_THAT(lines,
              ElementsAre("c.weight[8,3,3,5]", "enc.d.weight[16,1,1,1]", "enc.d.bias[16]", "n.weight[16]", "n.bias[16]",
                          "n.running_mean[16]", "n.running_var[16]", "s.squeeze.weight[3,16]", "s.squeeze.bias[3]",
                          "s.excite.weight[16,3]", "s.excite.bias[16]", "b.squeeze.weight[4,16]", "b.squeeze.bias[4]",
                          "b.excite.weight[16,4]", "b.excite.bias[16]", "b.spatial.conv.weight[1,2,3,3]",
                          "b.spatial.bn.weight[1]", "b.spatial.bn.bias[1]", "b.spatial.bn.running_mean[1]",
                          "b.spatial.bn.running_var[1]", "l.weight[10,320]", "l.bias[10]"));
}

TEST(RequiredTensors, AreListedOnceWhereNodesShareThem) {
  const GraphSpec shared = parse_graph("conv a < image out=3 k=3 pad=1\nconv b < a out=3 k=3 weights=a", "net.graph");
  EXPECT_EQ(required_tensors(shared, {1, 3, 8, 8}).size(), 2U);
  const std::vector<NodeCost> costs = node_costs(shared, {1, 3, 8, 8});
  EXPECT_EQ(costs[0].parameters, 3 * 3 * 9 + 3);
  EXPECT_EQ(costs[1].parameters, 0);
  EXPECT_EQ(costs[1].multiply_adds, 6 * 6 * 3 * 3 * 9);
  const GraphSpec clash = parse_graph("conv a < image out=3 k=3\nconv b < a out=3 k=1 weights=a", "net.graph");
  EXPECT_THAT(complaint([&] {
                required_tensors(clash, {1, 3, 8, 8});
              }),
              AllOf(HasSubstr("line 2, conv 'b'"), HasSubstr("'a.weight' as [3,3,1,1]"), HasSubstr("'a' in line 1"),
                    HasSubstr("[3,3,3,3]")));
}

TEST(NodeCosts, RefusesWhatIsBeyondReason) {
  const GraphSpec fat = parse_graph("conv a < image out=1024 k=1024 pad=512\n", "net.graph");
  EXPECT_THAT(complaint([&] { node_costs(fat, {1, 3, 8, 8}); }), HasSubstr("'a.weight' would be too large"));
  std::string slow = "conv a0 < image out=1024 k=1\n";
  for (int i = 1; i < 1000; ++i) {
    slow += "conv a" + std::to_string(i) + " < a" + std::to_string(i - 1) + " out=1024 k=15 pad=7\n";
  }
  EXPECT_THAT(complaint([&] {
                node_costs(parse_graph(slow, "net.graph"), {1, 3, 1024, 1000});
              }),
              HasSubstr("too many operations"));
}

/// The networks of models/graphs against the figures that torchvision documents for its own: parameters, and 10^9
/// multiply-adds of an image of 224×224, to three digits after the point; and the tensors of its state dicts
/// ("num_batches_tracked" aside).
struct KnownNetwork {
  std::string name;
  std::int64_t parameters;
  double giga_multiply_adds;
  std::size_t tensors;
  std::string feature_node;
  Shape features;
};

std::ostream& operator<<(std::ostream& out, const KnownNetwork& network) { return out << network.name; }

class TorchvisionGraph : public ::testing::TestWithParam<KnownNetwork> {};

TEST_P(TorchvisionGraph, HasThePublishedSize) {
  const KnownNetwork& known = GetParam();
  const GraphSpec graph = load_graph(known.name);
  const Shape input = {1, 3, 224, 224};
  NodeCost total;
  for (const NodeCost& cost : node_costs(graph, input)) {
    total.parameters += cost.parameters;
    total.multiply_adds += cost.multiply_adds;
  }
  EXPECT_EQ(total.parameters, known.parameters);
  EXPECT_EQ(std::round(static_cast<double>(total.multiply_adds) / 1e6) / 1e3, known.giga_multiply_adds);
  EXPECT_EQ(required_tensors(graph, input).size(), known.tensors);
  const std::vector<Shape> shapes = infer_shapes(graph, input);
  EXPECT_EQ(shapes[static_cast<std::size_t>(graph.output)], (Shape{1, 1000, 1, 1}));
  EXPECT_EQ(shapes[static_cast<std::size_t>(graph.find(known.feature_node))], known.features);
}

INSTANTIATE_TEST_SUITE_P(
    All, TorchvisionGraph,
    ::testing::Values(KnownNetwork{"resnet18", 11'689'512, 1.814, 102, "layer4.1", {1, 512, 7, 7}},
                      KnownNetwork{"resnet34", 21'797'672, 3.664, 182, "layer4.2", {1, 512, 7, 7}},
                      KnownNetwork{"resnet50", 25'557'032, 4.089, 267, "layer4.2", {1, 2048, 7, 7}},
                      KnownNetwork{"resnet101", 44'549'160, 7.801, 522, "layer4.2", {1, 2048, 7, 7}},
                      KnownNetwork{"resnet152", 60'192'808, 11.514, 777, "layer4.2", {1, 2048, 7, 7}},
                      KnownNetwork{"vgg16", 138'357'544, 15.47, 32, "features.29", {1, 512, 14, 14}},
                      KnownNetwork{"vgg19", 143'667'240, 19.632, 38, "features.35", {1, 512, 14, 14}},
                      KnownNetwork{"squeezenet1_1", 1'235'496, 0.349, 52, "features.12", {1, 512, 13, 13}},
                      KnownNetwork{"mobilenet_v2", 3'504'872, 0.301, 262, "features.18.1", {1, 1280, 7, 7}}),
    [](const auto& info) { return info.param.name; });

TEST(TorchvisionGraphs, HaveTheNamesOfItsStateDicts) {
  struct Case {
    std::string graph;
    std::vector<std::pair<std::string, Shape>> tensors;
  };
  const Case cases[] = {
      {"resnet50",
       {{"conv1.weight", {64, 3, 7, 7}},
        {"bn1.running_var", {64}},
        {"layer1.0.conv1.weight", {64, 64, 1, 1}},
        {"layer1.0.downsample.0.weight", {256, 64, 1, 1}},
        {"layer1.0.downsample.1.running_mean", {256}},
        {"layer2.0.conv2.weight", {128, 128, 3, 3}},
        {"layer4.2.bn3.bias", {2048}},
        {"fc.weight", {1000, 2048}},
        {"fc.bias", {1000}}}},
      {"resnet18", {{"layer2.0.downsample.0.weight", {128, 64, 1, 1}}, {"layer4.1.conv2.weight", {512, 512, 3, 3}}}},
      {"resnet101", {{"layer3.22.conv3.weight", {1024, 256, 1, 1}}}},
      {"resnet152", {{"layer3.35.bn1.weight", {256}}, {"layer2.7.conv2.weight", {128, 128, 3, 3}}}},
      {"vgg16",
       {{"features.0.weight", {64, 3, 3, 3}},
        {"features.28.bias", {512}},
        {"classifier.0.weight", {4096, 25088}},
        {"classifier.6.bias", {1000}}}},
      {"vgg19", {{"features.34.weight", {512, 512, 3, 3}}, {"classifier.3.weight", {4096, 4096}}}},
      {"squeezenet1_1",
       {{"features.0.weight", {64, 3, 3, 3}},
        {"features.3.squeeze.weight", {16, 64, 1, 1}},
        {"features.12.expand3x3.bias", {256}},
        {"classifier.1.weight", {1000, 512, 1, 1}}}},
      {"mobilenet_v2",
       {{"features.0.0.weight", {32, 3, 3, 3}},
        {"features.1.conv.0.0.weight", {32, 1, 3, 3}},
        {"features.1.conv.1.weight", {16, 32, 1, 1}},
        {"features.1.conv.2.running_var", {16}},
        {"features.17.conv.1.0.weight", {960, 1, 3, 3}},
        {"features.17.conv.3.bias", {320}},
        {"features.18.0.weight", {1280, 320, 1, 1}},
        {"classifier.1.weight", {1000, 1280}}}},
  };
  for (const Case& c : cases) {
    std::map<std::string, Shape> tensors;
    for (const TensorSpec& spec : required_tensors(load_graph(c.graph), {1, 3, 224, 224}))
      tensors[spec.name] = spec.shape;
    for (const auto& [name, shape] : c.tensors) EXPECT_EQ(tensors[name], shape) << c.graph << " " << name;
    EXPECT_FALSE(tensors.contains("conv1.bias")) << c.graph << ": a convolution before batch norm has no bias";
  }
}

}  // namespace
}  // namespace glimpse::net
