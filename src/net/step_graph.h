/// A decoder as text: one step, in the language of graph.h with these lines beside it.
///
///   state NAME < INIT          a value that lives from step to step, of the row's parent: INIT (a value of the
///   next NAME < NODE           picture) before the first word, then what NODE gave; `state NAME size=N` starts at 0
///   memory NAME < NODE         the node's value, which must be the picture's: it is computed once a picture
///   output ROLE < NODE         what a step gives: `words` (scores of the vocabulary; needed), `glimpse` (weights of
///   the
///                              cells), `gate` (what the context is multiplied by), `channels` (weights of the
///                              channels)
///   lstm h,c < …               an operation of two values has two names
///   repeat N … end             the lines between, N times, with {i} in them counted from 0
///
/// Inputs are `features`, the encoder's map as [cells, channels], and `token`, the word that the step is fed. What
/// depends on neither a state nor the token is computed once a picture.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "net/graph.h"

namespace glimpse::net {

struct StepGraph {
  struct State {
    int node = 0;
    int next = 0;  ///< the node whose value it takes on
    int line = 0;
  };
  struct Output {
    std::string role;
    int node = 0;
  };
  GraphSpec graph;
  std::vector<State> states;
  std::vector<Output> outputs;
  std::vector<bool> in_step;  ///< a node: whether it depends on a state or the token

  /// The node of an output, or −1.
  int output(std::string_view role) const;
};

/// Throws Error(kModel) with file, line and node: unknown words, a state that nothing sets, a memory that depends on a
/// state, a start that depends on a step, a repeat of zero or without its end, an output that is missing.
StepGraph parse_step(std::string_view text, const std::string& file);

/// The shape of each node's value, [1, D] or [1, cells, D], for a map of [cells, channels]. Throws Error(kModel) where
/// something does not fit, also a state and what it takes on.
std::vector<Shape> infer_step_shapes(const StepGraph& graph, std::int64_t cells, std::int64_t channels);

/// Every tensor that the step needs, once, in the order of the nodes.
std::vector<ops::TensorSpec> step_tensors(const StepGraph& graph, std::int64_t cells, std::int64_t channels);

}  // namespace glimpse::net
