#include "net/shapes.h"

#include <algorithm>

#include "core/error.h"

namespace glimpse::net {
namespace {

// 4 GiB of floats in one map: more than any machine this runs on would want, and far from overflow.
constexpr std::int64_t kMaxElements = std::int64_t{1} << 30;

/// Whether the product of `shape` is at most kMaxElements; dimensions are ≥ 1, so no product overflows before it is
/// found too large.
bool is_small_enough(const Shape& shape) {
  std::int64_t count = 1;
  for (const std::int64_t dim : shape) {
    if (dim > kMaxElements / count) return false;
    count *= dim;
  }
  return true;
}

}  // namespace

std::vector<Shape> infer_shapes(const GraphSpec& graph, const Shape& input) {
  const bool positive = std::all_of(input.begin(), input.end(), [](std::int64_t dim) { return dim > 0; });
  if (input.size() != 4 || !positive || !is_small_enough(input)) {
    throw Error(ErrorCode::kUsage, "a network's input must be [images,channels,height,width], not " + to_string(input));
  }
  std::vector<Shape> shapes;
  for (const Node& node : graph.nodes) {
    ops::NodeView view{graph.file, node, {}, {}};
    for (const int source : node.sources) view.srcs.push_back(source_shape(source, shapes, input));
    Shape shape = node.op->shape(view);
    if (!is_small_enough(shape)) view.fail("its result " + to_string(shape) + " is too large");
    shapes.push_back(std::move(shape));
  }
  return shapes;
}

ops::NodeView view_of(const GraphSpec& graph, std::size_t index, const std::vector<Shape>& shapes, const Shape& input) {
  const Node& node = graph.nodes[index];
  ops::NodeView view{graph.file, node, {}, shapes[index]};
  for (const int source : node.sources) view.srcs.push_back(source_shape(source, shapes, input));
  return view;
}

}  // namespace glimpse::net
