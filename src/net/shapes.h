/// Shape inference: what every node of a graph makes of an input of a given shape. It refuses what does not fit (with
/// file, line and node) and what would be absurdly large, so that products of the shapes it returns cannot overflow.
#pragma once

#include <vector>

#include "core/tensor.h"
#include "net/graph.h"

namespace glimpse::net {

/// [N,C,H,W] of each node's result, in the order of graph.nodes. Throws Error(kModel) for a graph that does not fit,
/// Error(kUsage) for an `input` that is no shape of images.
std::vector<Shape> infer_shapes(const GraphSpec& graph, const Shape& input);

/// The shape that `source`, as it stands in Node::sources, has.
inline const Shape& source_shape(int source, const std::vector<Shape>& shapes, const Shape& input) {
  return source < 0 ? input : shapes[static_cast<std::size_t>(source)];
}

/// The node `index` with the shapes of what it reads and of its result.
ops::NodeView view_of(const GraphSpec& graph, std::size_t index, const std::vector<Shape>& shapes, const Shape& input);

}  // namespace glimpse::net
