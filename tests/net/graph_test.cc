#include "net/graph.h"
#include "net/plain_attributes.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "core/error.h"
#include "core/random.h"
#include "core/text.h"
#include "net/shapes.h"
#include "net/tensors.h"

namespace glimpse::net {
namespace {

using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

/// The message of the error that parsing `text` as "net.graph" must give.
std::string complaint(std::string_view text) {
  try {
    parse_graph(text, "net.graph");
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ErrorCode::kModel) << text;
    return error.what();
  }
  return "(no error)";
}

TEST(ParseGraph, ReadsNodesInputsAndOutput) {
  const GraphSpec graph = parse_graph(
      "# a small network\n"
      "version 1\n"
      "\n"
      "conv a.0 < image out=8 k=3 s=2 pad=1 act=relu  # the stem\r\n"
      "\tconv\tb/1 < a.0 out=8 k=1\n"
      "output sum\n"
      "add sum < b/1 a.0 act=clip lo=-1.5 hi=6\n"
      "globalavgpool unread < sum",
      "net.graph");
  ASSERT_EQ(graph.nodes.size(), 4U);
  EXPECT_EQ(graph.file, "net.graph");
  EXPECT_EQ(graph.output, 2);
  EXPECT_TRUE(graph.nodes[0].is("conv"));
  EXPECT_EQ(graph.nodes[0].name, "a.0");
  EXPECT_EQ(graph.nodes[0].line, 4);
  EXPECT_THAT(graph.nodes[0].sources, ElementsAre(kImage));
  EXPECT_EQ(graph.nodes[1].name, "b/1");
  EXPECT_TRUE(graph.nodes[2].is("add"));
  EXPECT_THAT(graph.nodes[2].sources, ElementsAre(1, 0));
  EXPECT_EQ(plain(graph.nodes[2]).activation.kind, dnn::Activation::Kind::kClip);
  EXPECT_EQ(plain(graph.nodes[2]).activation.lo, -1.5F);
  EXPECT_EQ(plain(graph.nodes[2]).activation.hi, 6.0F);
  EXPECT_EQ(graph.find("unread"), 3);
}

TEST(ParseGraph, FillsInDefaults) {
  const GraphSpec graph = parse_graph(
      "conv c < image out=8 k=3\n"
      "batchnorm n < c\n"
      "maxpool m < n k=3,2\n"
      "avgpool v < m k=2 s=1\n"
      "linear l < v out=10\n"
      "cbam b < n\n"
      "se s < n",
      "net.graph");
  const PlainAttributes conv = plain(graph.nodes[0]);
  EXPECT_THAT(conv.kernel, ElementsAre(3, 3));
  EXPECT_THAT(conv.stride, ElementsAre(1, 1));
  EXPECT_THAT(conv.dilation, ElementsAre(1, 1));
  EXPECT_EQ(conv.padding.top + conv.padding.left + conv.padding.bottom + conv.padding.right, 0);
  EXPECT_EQ(conv.groups, 1);
  EXPECT_TRUE(conv.bias);
  EXPECT_EQ(conv.activation.kind, dnn::Activation::Kind::kNone);
  EXPECT_EQ(conv.weights, "c");
  EXPECT_EQ(plain(graph.nodes[1]).epsilon, 1e-5F);
  EXPECT_THAT(plain(graph.nodes[2]).stride, ElementsAre(3, 2)) << "a pool steps by its window";
  EXPECT_FALSE(plain(graph.nodes[2]).ceil_mode);
  EXPECT_THAT(plain(graph.nodes[3]).stride, ElementsAre(1, 1));
  EXPECT_TRUE(plain(graph.nodes[3]).count_padding);
  EXPECT_TRUE(plain(graph.nodes[4]).bias);
  EXPECT_THAT(plain(graph.nodes[5]).kernel, ElementsAre(7, 7));
  EXPECT_EQ(plain(graph.nodes[6]).reduction, 16);
  EXPECT_EQ(graph.output, 6) << "without an output line, the last node";
}

TEST(ParseGraph, ReadsEveryAttribute) {
  const GraphSpec graph = parse_graph(
      "conv c < image out=8 k=3,5 s=2,1 pad=1,2,3,4 dilation=2,3 groups=in bias=0 act=hardswish weights=enc.0\n"
      "batchnorm n < c eps=0.001 act=sigmoid\n"
      "avgpool v < n k=3 pad=1 ceil=1 count_pad=0\n"
      "adaptiveavgpool p < v size=3,4\n"
      "se s < p squeeze=2\n"
      "cbam b < s r=4 k=3\n"
      "act t < b act=tanh",
      "net.graph");
  const PlainAttributes conv = plain(graph.nodes[0]);
  EXPECT_EQ(conv.out, 8);
  EXPECT_THAT(conv.kernel, ElementsAre(3, 5));
  EXPECT_THAT(conv.stride, ElementsAre(2, 1));
  EXPECT_THAT(conv.dilation, ElementsAre(2, 3));
  const dnn::Padding& pad = conv.padding;
  EXPECT_THAT((std::array{pad.top, pad.left, pad.bottom, pad.right}), ElementsAre(1, 2, 3, 4));
  EXPECT_EQ(conv.groups, ops::kGroupPerChannel);
  EXPECT_FALSE(conv.bias);
  EXPECT_EQ(conv.activation.kind, dnn::Activation::Kind::kHardSwish);
  EXPECT_EQ(conv.weights, "enc.0");
  EXPECT_EQ(plain(graph.nodes[1]).epsilon, 0.001F);
  EXPECT_EQ(plain(graph.nodes[1]).activation.kind, dnn::Activation::Kind::kSigmoid);
  EXPECT_TRUE(plain(graph.nodes[2]).ceil_mode);
  EXPECT_FALSE(plain(graph.nodes[2]).count_padding);
  EXPECT_THAT(plain(graph.nodes[3]).size, ElementsAre(3, 4));
  EXPECT_EQ(plain(graph.nodes[4]).squeeze, 2);
  EXPECT_EQ(plain(graph.nodes[5]).reduction, 4);
  EXPECT_THAT(plain(graph.nodes[5]).kernel, ElementsAre(3, 3));
  EXPECT_EQ(plain(graph.nodes[6]).activation.kind, dnn::Activation::Kind::kTanh);
}

struct BadText {
  std::string_view text;
  std::vector<std::string> says;  ///< substrings of the message
};

TEST(ParseGraph, SaysWhatIsWrongAndWhere) {
  const BadText cases[] = {
      // words of a line
      {"", {"'net.graph'", "no node"}},
      {"# only a comment\n\n", {"no node"}},
      {"output a", {"no node"}},
      {"conv", {"'net.graph' line 1", "OP NAME < INPUTS"}},
      {"conv a image out=1 k=1", {"line 1", "OP NAME < INPUTS"}},
      {"\n\nconf a < image out=1 k=1", {"line 3", "unknown op 'conf'", "did you mean 'conv'?"}},
      {"transformer a < image", {"unknown op 'transformer'"}},
      {"conv image < image out=1 k=1", {"line 1", "cannot be called 'image'"}},
      {"conv a\x01z < image out=1 k=1", {"line 1", "'a\\x01z'", "characters"}},
      {"conv a < image out=1 k=1 image", {"line 1, conv 'a'", "'image'", "not key=value"}},
      {"conv a < image out=1 k=1\nconv a < image out=1 k=1", {"line 2, conv 'a'", "line 1 already"}},
      // version and output
      {"version 2\nact a < image act=relu", {"line 1", "version '2'", "reads 1"}},
      {"version\nact a < image act=relu", {"line 1", "version NUMBER"}},
      {"act a < image act=relu\nversion 1", {"line 2", "before everything else"}},
      {"version 1\nversion 1\nact a < image act=relu", {"line 2", "once"}},
      {"act relu1 < image act=relu\noutput relu", {"line 2", "output 'relu'", "did you mean 'relu1'?"}},
      {"act a < image act=relu\noutput a\noutput a", {"line 3", "second 'output'", "line 2"}},
      {"act a < image act=relu\noutput a b", {"line 2", "output NODE"}},
      // inputs
      {"act a < imag act=relu", {"line 1, act 'a'", "unknown input 'imag'", "did you mean 'image'?"}},
      {"act a < a act=relu", {"line 1, act 'a'", "reads itself"}},
      {"act a < b act=relu\nact b < image act=relu", {"line 1, act 'a'", "'b' comes only in line 2"}},
      {"act a < b act=relu\nact b < a act=relu", {"line 1, act 'a'", "'b' comes only in line 2"}},
      {"add a < image", {"line 1, add 'a'", "takes 2 inputs, 1 given"}},
      {"mul a < image image image", {"takes 2 inputs, 3 given"}},
      {"conv a < out=1 k=1", {"takes 1 input, 0 given"}},
      {"conv a < image image out=1 k=1", {"takes 1 input, 2 given"}},
      {"concat a <", {"takes 1 or more inputs, 0 given"}},
      // attributes
      {"conv a < image k=3", {"line 1, conv 'a'", "needs out="}},
      {"conv a < image out=3", {"needs k="}},
      {"linear a < image", {"needs out="}},
      {"act a < image", {"needs act="}},
      {"maxpool a < image s=2", {"needs k="}},
      {"adaptiveavgpool a < image", {"needs size="}},
      {"conv a < image out=1 k=1 pads=1", {"conv has no attribute 'pads'", "did you mean 'pad'?"}},
      {"conv a < image out=1 k=1 =1", {"no attribute ''"}},
      {"globalavgpool a < image k=2", {"globalavgpool has no attribute 'k', nor any other"}},
      {"add a < image image kernelsize=2", {"add has no attribute 'kernelsize'; it has act lo hi"}},
      {"conv a < image out=1 k=1 out=1", {"out= is given twice"}},
      {"conv a < image out= k=1", {"out= is ''", "whole number"}},
      {"conv a < image out=0 k=1", {"out= is '0'", "from 1"}},
      {"conv a < image out=-3 k=1", {"out= is '-3'"}},
      {"conv a < image out=3.5 k=1", {"out= is '3.5'"}},
      {"conv a < image out=1048577 k=1", {"out= is '1048577'", "1048576"}},
      {"conv a < image out=99999999999999999999999 k=1", {"out= is '99999999999999999999999'"}},
      {"conv a < image out=1 k=0", {"k= is '0'", "rows,cols"}},
      {"conv a < image out=1 k=1,2,3", {"k= is '1,2,3'"}},
      {"conv a < image out=1 k=1,", {"k= is '1,'"}},
      {"conv a < image out=1 k=1025", {"k= is '1025'"}},
      {"conv a < image out=1 k=3 s=0", {"s= is '0'"}},
      {"conv a < image out=1 k=3 dilation=0", {"dilation= is '0'"}},
      {"conv a < image out=1 k=3 pad=-1", {"pad= is '-1'"}},
      {"conv a < image out=1 k=3 pad=1,1", {"pad= is '1,1'", "top,left,bottom,right"}},
      {"conv a < image out=1 k=3 groups=all", {"groups= is 'all'", "'in'"}},
      {"conv a < image out=1 k=3 bias=yes", {"bias= is 'yes'", "0 or 1"}},
      {"conv a < image out=1 k=3 weights=", {"weights= is ''"}},
      {"conv a < image out=1 k=3 act=swish", {"act= is 'swish'", "hardswish"}},
      {"conv a < image out=1 k=3 act=clip lo=0", {"act=clip needs hi="}},
      {"conv a < image out=1 k=3 act=clip lo=1 hi=0", {"lo= is greater than hi="}},
      {"conv a < image out=1 k=3 act=clip lo=nan hi=0", {"lo= is 'nan'", "finite"}},
      {"conv a < image out=1 k=3 act=clip lo=0 hi=1e99", {"hi= is '1e99'", "finite"}},
      {"conv a < image out=1 k=3 act=relu lo=0", {"lo= belongs to act=clip"}},
      {"conv a < image out=1 k=3 hi=6", {"hi= belongs to act=clip"}},
      {"batchnorm a < image eps=0", {"eps= is '0'", "above 0"}},
      {"maxpool a < image k=2 pad=2", {"pad= must be less than k="}},
      {"avgpool a < image k=3,2 pad=0,2,0,0", {"pad= must be less than k="}},
      {"se a < image squeeze=2 r=2", {"exclude each other"}},
      {"se a < image r=0", {"r= is '0'"}},
      {"cbam a < image k=4", {"must be odd"}},
      {"selfattention a < image", {"needs heads="}},
  };
  for (const BadText& c : cases) {
    const std::string message = complaint(c.text);
    for (const std::string& part : c.says) EXPECT_THAT(message, HasSubstr(part)) << c.text;
    EXPECT_THAT(message, Not(HasSubstr("\n"))) << c.text;
    EXPECT_THAT(message, HasSubstr("'net.graph'")) << c.text;
  }
}

TEST(ParseGraph, RefusesWhatIsTooLong) {
  EXPECT_THAT(complaint("act a < image act=relu #" + std::string(70'000, 'x')),
              AllOf(HasSubstr("line 1"), HasSubstr("64 KiB")));
  EXPECT_THAT(complaint(std::string(17 << 20, '\n')), HasSubstr("16 MiB"));
  EXPECT_THAT(complaint("act " + std::string(257, 'a') + " < image act=relu"), HasSubstr("1 to 256"));
  std::string many;
  for (int i = 0; i < 20'001; ++i) many += "act n" + std::to_string(i) + " < image act=relu\n";
  EXPECT_THAT(complaint(many), AllOf(HasSubstr("line 20001"), HasSubstr("more than 20000 nodes")));
}

TEST(Extract, KeepsWhatTheOutputsNeedInOrder) {
  const GraphSpec graph = parse_graph(
      "act a < image act=relu\n"
      "act dead < a act=tanh\n"
      "act b < a act=relu\n"
      "add c < b a\n"
      "act tail < c act=relu",
      "net.graph");
  const auto names = [](const GraphSpec& part) {
    std::vector<std::string> result;
    for (const Node& node : part.nodes) result.push_back(node.name);
    return result;
  };
  const GraphSpec part = extract(graph, {"c"});
  EXPECT_THAT(names(part), ElementsAre("a", "b", "c"));
  EXPECT_THAT(part.nodes[1].sources, ElementsAre(0));
  EXPECT_THAT(part.nodes[2].sources, ElementsAre(1, 0));
  EXPECT_EQ(part.output, 2);
  EXPECT_THAT(names(extract(graph, {})), ElementsAre("a", "b", "c", "tail"));
  EXPECT_THAT(names(extract(graph, {"dead", "b"})), ElementsAre("a", "dead", "b"));
  try {
    extract(graph, {"tall"});
    FAIL() << "no error";
  } catch (const Error& error) {
    EXPECT_THAT(error.what(), AllOf(HasSubstr("'net.graph' has no node 'tall'"), HasSubstr("'tail'")));
  }
}

/// A random change to a text: bytes flipped, cut out or doubled, lines cut out, attributes and lines put in, numbers
/// changed.
std::string mutated(std::string text, Random& random) {
  static constexpr std::string_view kLineEnds[] = {
      " k=1024",      " out=1048576",    " s=1,1024",   " groups=in",         " act=clip",
      " act=sigmoid", " lo=-1e38",       " hi=1e38",    " pad=1,2,3",         " dilation=1024",
      " pad=1024",    " ceil=0",         " bias=1",     " weights=c0",        " image",
      " < image",     "\nversion 1",     "\noutput c1", "\ncbam q < image",   "\nlinear w < image out=1048576",
      " squeeze=7",   " size=1024,1024", " #",          "\nconcat q < image", "\nconv q < image out=1 k=9 pad=4"};
  static constexpr std::string_view kNumbers[] = {"0", "1", "2", "3", "5", "16", "1000", "-1", "99999999999999999999"};
  const std::uint64_t changes = 1 + random.below(3);
  for (std::uint64_t i = 0; i < changes && !text.empty(); ++i) {
    const std::size_t at = random.below(text.size());
    const std::size_t line_end = std::min(text.find('\n', at), text.size());
    const std::size_t length = std::min<std::size_t>(1 + random.below(24), text.size() - at);
    switch (random.below(6)) {
      case 0:
        text[at] = static_cast<char>(random.below(256));
        break;
      case 1:
        text.erase(at, length);
        break;
      case 2:
        text.insert(random.below(text.size()), text.substr(at, length));
        break;
      case 3:
        text.erase(text.rfind('\n', at) + 1, line_end - text.rfind('\n', at));
        break;
      case 4:
        text.insert(line_end, kLineEnds[random.below(std::size(kLineEnds))]);
        break;
      default:
        if (const std::size_t digit = text.find_first_of("0123456789", at); digit != std::string::npos) {
          text.replace(digit, 1, kNumbers[random.below(std::size(kNumbers))]);
        }
    }
  }
  return text;
}

TEST(ParseGraph, AnyTextGivesAGraphOrOneLineOfError) {
  const std::string seed =
      "version 1\n"
      "conv c0 < image out=8 k=3 s=2 pad=1,1,0,0 act=relu\n"
      "batchnorm n0 < c0 eps=1e-3\n"
      "conv c1 < n0 out=8 k=3 pad=2 dilation=2 groups=in bias=0\n"
      "add a0 < c1 n0 act=clip lo=0 hi=6\n"
      "maxpool p0 < a0 k=3 s=2 pad=1 ceil=1\n"
      "se s0 < p0 r=4\n"
      "cbam b0 < s0 squeeze=2 k=3\n"
      "concat j0 < b0 s0\n"
      "adaptiveavgpool v0 < j0 size=2,3\n"
      "globalavgpool g0 < v0\n"
      "mul m0 < v0 g0\n"
      "linear l0 < m0 out=10\n"
      "output l0\n";
  constexpr std::uint64_t kTexts = 20'000;
  std::uint64_t valid = 0;
  for (std::uint64_t i = 0; i < kTexts; ++i) {
    Random random(i);
    const std::string text = mutated(seed, random);
    SCOPED_TRACE("mutation with seed " + std::to_string(i) + ":\n" + text);
    try {
      const GraphSpec graph = parse_graph(text, "net.graph");
      for (const NodeCost& cost : node_costs(graph, {1, 3, 32, 32})) {
        EXPECT_GE(cost.parameters, 0);
        EXPECT_GE(cost.multiply_adds, 0);
      }
      ++valid;
    } catch (const Error& error) {
      EXPECT_EQ(error.code(), ErrorCode::kModel);
      EXPECT_EQ(split_lines(error.what()).size(), 1U);
      EXPECT_THAT(error.what(), HasSubstr("'net.graph'"));
    }
    if (HasFailure()) break;
  }
  EXPECT_GT(valid, kTexts / 50) << "the mutations are too wild to test what comes after parsing";
  EXPECT_LT(valid, kTexts / 2) << "the mutations are too tame";
}

}  // namespace
}  // namespace glimpse::net
