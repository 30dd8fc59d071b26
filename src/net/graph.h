/// Networks as text: one node a line, `op name < inputs  key=value …`, `#` comments, `output name`. The input is called
/// `image`. `parse_graph` gives a GraphSpec whose ops, attributes and references are valid; `infer_shapes` checks that
/// shapes and weights fit. Every error is an Error(kModel) that says file, line and node.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/tensor.h"

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
  kCbam
};

struct Node {
  Op op;
  std::string name;
  std::vector<std::string> inputs;
  std::map<std::string, std::string, std::less<>> attributes;
  int line = 0;
};

struct GraphSpec {
  std::string file;         ///< what messages call it
  std::vector<Node> nodes;  ///< in an order in which every input stands before its use
  std::string output;       ///< the last `output` line, or the last node
};

GraphSpec parse_graph(std::string_view text, const std::string& file);

}  // namespace glimpse::net
