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

class ShapeInference {
 public:
  ShapeInference(const GraphSpec& graph, const Shape& input) : graph_(graph), input_(input) {}

  std::vector<Shape> infer() {
    for (const Node& node : graph_.nodes) {
      Shape shape = infer(node);
      if (!is_small_enough(shape)) fail(graph_, node, "its result " + to_string(shape) + " is too large");
      shapes_.push_back(std::move(shape));
    }
    return std::move(shapes_);
  }

 private:
  const Shape& source(const Node& node, std::size_t index) const {
    return source_shape(node.sources[index], shapes_, input_);
  }

  Shape infer(const Node& node) const {
    const Shape& src = source(node, 0);
    switch (node.op) {
      case Op::kConv:
        return convolution(node, src);
      case Op::kMaxPool:
      case Op::kAvgPool:
        return {src[0], src[1], window_count(node, src, 0), window_count(node, src, 1)};
      case Op::kGlobalAvgPool:
        return {src[0], src[1], 1, 1};
      case Op::kAdaptiveAvgPool:
        return {src[0], src[1], node.attributes.size[0], node.attributes.size[1]};
      case Op::kAdd:
      case Op::kMul:
        return broadcast(node, src, source(node, 1));
      case Op::kConcat:
        return concat(node);
      case Op::kLinear:
        return {src[0], node.attributes.out, 1, 1};
      case Op::kBatchNorm:
      case Op::kAct:
      case Op::kSe:
      case Op::kCbam:
        return src;
      case Op::kSelfAttention:
        if (src[1] % node.attributes.heads != 0) {
          fail(graph_, node,
               "heads=" + std::to_string(node.attributes.heads) + " must divide its " + std::to_string(src[1]) +
                   " input channels");
        }
        // Every cell's scores of every other stand in memory at once.
        if (!is_small_enough({src[0], node.attributes.heads, src[2] * src[3], src[2] * src[3]})) {
          fail(graph_, node, "a map of " + to_string(src) + " has too many cells to look at each other");
        }
        return src;
    }
    fail(graph_, node, "has no shape rule");
  }

  Shape convolution(const Node& node, const Shape& src) const {
    const std::int64_t groups = group_count(node, src[1]);
    const std::int64_t out = node.attributes.out;
    if (src[1] % groups != 0 || out % groups != 0) {
      fail(graph_, node,
           "groups=" + std::to_string(groups) + " must divide both its " + std::to_string(src[1]) +
               " input channels and out=" + std::to_string(out));
    }
    return {src[0], out, window_count(node, src, 0), window_count(node, src, 1)};
  }

  /// Positions of the window along rows (axis 0) or columns (axis 1).
  std::int64_t window_count(const Node& node, const Shape& src, std::size_t axis) const {
    const Attributes& a = node.attributes;
    const std::int64_t before = axis == 0 ? a.padding.top : a.padding.left;
    const std::int64_t after = axis == 0 ? a.padding.bottom : a.padding.right;
    const std::int64_t extent = src[2 + axis];
    const std::int64_t window = a.dilation[axis] * (a.kernel[axis] - 1) + 1;
    const std::int64_t stride = a.stride[axis];
    const std::int64_t room = extent + before + after - window;
    if (room < 0) {
      fail(graph_, node,
           std::string("its window of ") + std::to_string(window) + (axis == 0 ? " rows" : " columns") +
               " is larger than its padded input of " + std::to_string(extent + before + after));
    }
    if (!a.ceil_mode) return room / stride + 1;
    const std::int64_t count = (room + stride - 1) / stride + 1;
    // As torch has it: the last window must start inside the input or the padding before it.
    return (count - 1) * stride >= extent + before ? count - 1 : count;
  }

  Shape broadcast(const Node& node, const Shape& a, const Shape& b) const {
    const auto fits = [](const Shape& large, const Shape& small) {
      const bool per_channel = small[1] == large[1] && small[2] == 1 && small[3] == 1;
      const bool per_cell = small[1] == 1 && small[2] == large[2] && small[3] == large[3];
      return small == large || (small[0] == large[0] && (per_channel || per_cell));
    };
    if (fits(a, b)) return a;
    if (fits(b, a)) return b;
    fail(graph_, node,
         "its inputs " + to_string(a) + " and " + to_string(b) +
             " have neither the same shape nor is one [N,C,1,1] or [N,1,H,W] of the other");
  }

  Shape concat(const Node& node) const {
    Shape shape = source(node, 0);
    for (std::size_t i = 1; i < node.sources.size(); ++i) {
      const Shape& next = source(node, i);
      if (next[2] != shape[2] || next[3] != shape[3]) {
        fail(graph_, node,
             "its inputs " + to_string(source(node, 0)) + " and " + to_string(next) + " differ in rows or columns");
      }
      shape[1] += next[1];
      if (!is_small_enough(shape)) fail(graph_, node, "its result " + to_string(shape) + " is too large");
    }
    return shape;
  }

  const GraphSpec& graph_;
  const Shape& input_;
  std::vector<Shape> shapes_;
};

}  // namespace

std::vector<Shape> infer_shapes(const GraphSpec& graph, const Shape& input) {
  const bool positive = std::all_of(input.begin(), input.end(), [](std::int64_t dim) { return dim > 0; });
  if (input.size() != 4 || !positive || !is_small_enough(input)) {
    throw Error(ErrorCode::kUsage, "a network's input must be [images,channels,height,width], not " + to_string(input));
  }
  return ShapeInference(graph, input).infer();
}

std::int64_t group_count(const Node& node, std::int64_t channels) {
  return node.attributes.groups == kGroupPerChannel ? channels : node.attributes.groups;
}

std::int64_t squeeze_count(const Node& node, std::int64_t channels) {
  if (node.attributes.squeeze > 0) return node.attributes.squeeze;
  return std::max<std::int64_t>(1, channels / node.attributes.reduction);
}

}  // namespace glimpse::net
