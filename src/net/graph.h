/// Networks as text: one node a line, `op name < inputs  key=value …`, `#` comments, `output name`, optionally
/// `version 1` first. The input is called `image`. `parse_graph` gives a GraphSpec whose ops, attributes and references
/// are valid, whatever the text was; shapes.h checks that shapes fit, tensors.h that weights do. Every error is one
/// line of Error(kModel) that says file, line and node.
///
/// | op               | inputs | attributes (required ones first)                                                   |
/// |------------------|--------|------------------------------------------------------------------------------------|
/// | conv             | 1      | out= k= · s=1 pad=0 dilation=1 groups=1 (or `in`: one a channel) bias=1 act=       |
/// | batchnorm        | 1      | eps=1e-5 act=                                                                      |
/// | act              | 1      | act=                                                                               |
/// | maxpool          | 1      | k= · s=k pad=0 ceil=0                                                              |
/// | avgpool          | 1      | k= · s=k pad=0 ceil=0 count_pad=1 (padding counts as zeros, as torch has it)       |
/// | globalavgpool    | 1      |                                                                                    |
/// | adaptiveavgpool  | 1      | size=                                                                              |
/// | add, mul         | 2      | act= (one input may be [N,C,1,1] or [N,1,H,W] and broadcasts)                      |
/// | concat           | 1..    | (along channels)                                                                   |
/// | linear           | 1      | out= · bias=1 act= (flattens [N,C,H,W]; gives [N,out,1,1])                         |
/// | se               | 1      | squeeze=N or r=16: x · sigmoid(excite(relu(squeeze(mean(x)))))                     |
/// | cbam             | 1      | squeeze=N or r=16, k=7: channel attention, then spatial attention                  |
/// | selfattention    | 1      | heads= · eps=1e-5: what every cell reads of all others, added to it; layer norm    |
///
/// k, s, dilation and size take one number or rows,cols; pad one number or top,left,bottom,right; act is none, relu,
/// sigmoid, tanh, hardswish, or clip with lo= hi=. An op that has tensors takes weights=PREFIX in place of its own name
/// as what their names start with (tensors.h lists them).
#pragma once

#include <array>
#include <cstdint>
#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

#include "core/tensor.h"
#include "dnn/plan/plan.h"

namespace glimpse::net {

enum class Op {
  kConv,
  kBatchNorm,
  kAct,
  kMaxPool,
  kAvgPool,
  kGlobalAvgPool,
  kAdaptiveAvgPool,
  kAdd,
  kMul,
  kConcat,
  kLinear,
  kSe,
  kCbam,
  kSelfAttention
};

std::string_view op_name(Op op);  ///< as the text spells it: "conv"

/// A node's attributes with defaults filled in. Each op uses those that its row in the table above names.
struct Attributes {
  std::int64_t out = 0;                           ///< channels of the result
  std::array<std::int64_t, 2> kernel = {1, 1};    ///< rows, columns
  std::array<std::int64_t, 2> stride = {1, 1};    ///< rows, columns
  std::array<std::int64_t, 2> dilation = {1, 1};  ///< rows, columns; 1: none
  std::array<std::int64_t, 2> size = {1, 1};      ///< of an adaptive pool's result: rows, columns
  dnn::Padding padding;
  std::int64_t groups = 1;  ///< kGroupPerChannel: as many as the input has channels
  bool bias = true;
  bool ceil_mode = false;
  bool count_padding = true;
  std::int64_t squeeze = 0;  ///< hidden units of se and cbam; 0: channels / reduction
  std::int64_t reduction = 16;
  std::int64_t heads = 1;  ///< of self-attention
  float epsilon = 1e-5F;
  dnn::Activation activation;
  std::string weights;  ///< what the node's tensors' names start with; its own name unless given
};

inline constexpr std::int64_t kGroupPerChannel = 0;
inline constexpr int kImage = -1;  ///< stands for the network's input among a node's sources
inline constexpr std::string_view kImageName = "image";

struct Node {
  Op op = Op::kConv;
  std::string name;
  std::vector<int> sources;  ///< indices of earlier nodes, or kImage
  Attributes attributes;
  int line = 0;
};

struct GraphSpec {
  std::string file;         ///< what messages call it
  std::vector<Node> nodes;  ///< in an order in which every input stands before its use
  int output = 0;           ///< index of the `output` line's node; without one, of the last

  /// The node called `name`; throws Error(kModel) with the nearest name there is.
  int find(std::string_view name) const;
};

GraphSpec parse_graph(std::string_view text, const std::string& file);
/// The same of a file. Throws also as read_file does.
GraphSpec read_graph(const std::filesystem::path& path);

/// The nodes that `outputs` (names; empty: the graph's own output) need, and no others. Its `output` is the first of
/// them. Throws Error(kModel) for a name that is not there.
GraphSpec extract(const GraphSpec& graph, const std::vector<std::string>& outputs);

/// Throws Error(kModel): 'FILE' line N, OP 'NODE': WHAT.
[[noreturn]] void fail(const GraphSpec& graph, const Node& node, const std::string& what);

}  // namespace glimpse::net
