/// A node's attributes as one plain structure, for references and tests that look at many of them.
#pragma once

#include <array>
#include <cstdint>
#include <string>

#include "net/graph.h"

namespace glimpse::net {

struct PlainAttributes {
  std::int64_t out = 0;
  std::array<std::int64_t, 2> kernel = {1, 1};
  std::array<std::int64_t, 2> stride = {1, 1};
  std::array<std::int64_t, 2> dilation = {1, 1};
  std::array<std::int64_t, 2> size = {1, 1};
  dnn::Padding padding;
  std::int64_t groups = 1;
  bool bias = true;
  bool ceil_mode = false;
  bool count_padding = true;
  std::int64_t squeeze = 0;
  std::int64_t reduction = 16;
  std::int64_t heads = 1;
  float epsilon = 1e-5F;
  dnn::Activation activation;
  std::string weights;
};

inline PlainAttributes plain(const Node& node) {
  const ops::Attributes& a = node.attributes;
  PlainAttributes result;
  if (a.has("out")) result.out = a.count("out");
  if (a.has("k")) result.kernel = a.pair("k");
  if (a.has("s")) result.stride = a.pair("s");
  if (a.has("dilation")) result.dilation = a.pair("dilation");
  if (a.has("size")) result.size = a.pair("size");
  if (a.has("pad")) result.padding = a.padding();
  if (a.has("groups")) result.groups = a.count("groups");
  // Of a linear the name of a tensor, 0 or 1.
  if (a.has("bias")) result.bias = a.text("bias").empty() ? a.flag("bias") : a.text("bias") != "0";
  if (a.has("ceil")) result.ceil_mode = a.flag("ceil");
  if (a.has("count_pad")) result.count_padding = a.flag("count_pad");
  if (a.has("squeeze")) result.squeeze = a.count("squeeze");
  if (a.has("r")) result.reduction = a.count("r");
  if (a.has("heads")) result.heads = a.count("heads");
  if (a.has("eps")) result.epsilon = a.number("eps");
  result.activation = a.activation();
  result.weights = a.weights();
  return result;
}

}  // namespace glimpse::net
