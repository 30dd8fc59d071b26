/// Runs the graphs of inference (net/graph.h) on the tape, the training counterpart of net/compile.h: no fusion, batch
/// norm with the batch's statistics.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "autograd/parameters.h"
#include "net/graph.h"
#include "ops/tape_context.h"

namespace glimpse::train {

/// Adds the tensors that `graph` needs for pictures of shape `input` [N,C,H,W] to `parameters`, with random numbers:
/// convolutions and linear maps normal with He's variance (He et al. 2015; 2 / inputs), scales 1, biases, shifts and
/// running means 0, variances 1. Throws Error(kModel) for a graph that does not fit.
void add_parameters(const net::GraphSpec& graph, const Shape& input, std::uint64_t seed, ParameterSet& parameters);

/// A network whose tensors stand in a ParameterSet, or are constants. Holds references to both arguments.
class Network {
 public:
  Network(net::GraphSpec graph, ParameterSet& parameters);

  using Mode = ops::TapeMode;
  /// The graph's output for `image` [N,C,H,W].
  Variable forward(Tape& tape, const Variable& image, const Mode& mode) const;
  /// The outputs of the nodes called `outputs`.
  std::vector<Variable> forward(Tape& tape, const Variable& image, const Mode& mode,
                                const std::vector<std::string>& outputs) const;

  const net::GraphSpec& graph() const { return graph_; }

 private:
  net::GraphSpec graph_;
  ParameterSet& parameters_;
};

/// The subgraph downstream of `from`, which becomes its input. Throws Error(kModel) where a node of that part reads
/// something in front of `from`.
net::GraphSpec tail_of(const net::GraphSpec& graph, const std::string& from);

/// `graph` with a map of twice the rows and columns: the last stride of 2 becomes 1 and all that follow it reach twice
/// as far (Yu and Koltun 2016), so that every second cell is what it was. Throws Error(kModel) where no convolution has
/// such a stride.
net::GraphSpec dilate_last_stride(const net::GraphSpec& graph);

}  // namespace glimpse::train
