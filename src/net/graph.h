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
/// sigmoid, tanh, hardswish, gelu, or clip with lo= hi=. An op that has tensors takes weights=PREFIX in place of its own name
/// as what their names start with (each operation's file in ops lists them).
#pragma once

#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

#include "ops/operation.h"

namespace glimpse::net {

using ops::kImage;
using ops::kToken;
using ops::Node;
inline constexpr std::string_view kImageName = "image";

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
