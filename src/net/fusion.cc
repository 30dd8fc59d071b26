#include "net/fusion.h"

#include <algorithm>

#include "net/shapes.h"

namespace glimpse::net {
namespace {

using Kind = dnn::Activation::Kind;
using Part = ops::Fusion::Part;

class Fuser {
 public:
  Fuser(const GraphSpec& graph, const std::vector<Shape>& shapes, const Shape& input, const std::vector<int>& kept)
      : graph_(graph),
        shapes_(shapes),
        input_(input),
        readers_(graph.nodes.size()),
        kept_(graph.nodes.size(), false),
        taken_(graph.nodes.size(), false) {
    for (std::size_t i = 0; i < graph.nodes.size(); ++i) {
      for (const int source : graph.nodes[i].sources)
        if (source != kImage) readers_[static_cast<std::size_t>(source)].push_back(static_cast<int>(i));
    }
    for (const int index : kept) kept_[static_cast<std::size_t>(index)] = true;
  }

  std::vector<FusedStep> fuse() {
    std::vector<FusedStep> steps;
    for (int head = 0; head < static_cast<int>(graph_.nodes.size()); ++head) {
      if (taken_[static_cast<std::size_t>(head)]) continue;
      FusedStep step = start(head);
      while (const std::optional<int> next = only_reader(step.tail)) {
        if (!absorb(step, *next)) break;
        step.tail = *next;
        taken_[static_cast<std::size_t>(*next)] = true;
      }
      steps.push_back(step);
    }
    // A step runs where its last node stood: by then its residual, which stands before that node, is there.
    std::sort(steps.begin(), steps.end(), [](const FusedStep& a, const FusedStep& b) { return a.tail < b.tail; });
    return steps;
  }

 private:
  const Node& node(int index) const { return graph_.nodes[static_cast<std::size_t>(index)]; }

  FusedStep start(int head) const {
    FusedStep step;
    step.head = head;
    step.tail = head;
    step.activation = node(head).attributes.activation();
    return step;
  }

  /// The one node that reads `index`'s value, once, where nobody else needs to see that value.
  std::optional<int> only_reader(int index) const {
    const auto& readers = readers_[static_cast<std::size_t>(index)];
    if (kept_[static_cast<std::size_t>(index)] || readers.size() != 1) return std::nullopt;
    if (taken_[static_cast<std::size_t>(readers[0])]) return std::nullopt;
    return readers[0];
  }

  /// Takes `next` into `step` where the step's primitive can do its work.
  bool absorb(FusedStep& step, int next) const {
    if (step.activation.kind != Kind::kNone) return false;
    const ops::Fusion head = node(step.head).op->fusion();
    switch (node(next).op->fusion().is) {
      case Part::kNorm:
        if (!head.takes_norm || step.folded || step.residual) return false;
        step.folded = next;
        break;
      case Part::kResidual: {
        if (!head.takes_residual || step.residual) return false;
        const auto& sources = node(next).sources;
        const int other = sources[0] == step.tail ? sources[1] : sources[0];
        if (source_shape(other, shapes_, input_) != shapes_[static_cast<std::size_t>(step.tail)]) return false;
        step.residual = other;
        break;
      }
      case Part::kActivation:
        if (!head.takes_activation) return false;
        break;
      case Part::kNothing:
        return false;
    }
    step.activation = node(next).attributes.activation();
    return true;
  }

  const GraphSpec& graph_;
  const std::vector<Shape>& shapes_;
  const Shape& input_;
  std::vector<std::vector<int>> readers_;  // a node that reads a value twice stands here twice
  std::vector<bool> kept_;
  std::vector<bool> taken_;
};

}  // namespace

std::vector<FusedStep> fuse(const GraphSpec& graph, const std::vector<Shape>& shapes, const Shape& input,
                            const std::vector<int>& kept) {
  return Fuser(graph, shapes, input, kept).fuse();
}

}  // namespace glimpse::net
