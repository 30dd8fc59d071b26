/// Additive attention of a sequence over its own past, for all steps of a batch of sequences at once (Ke et al. 2019),
/// as training runs it. Forward and backward, on plain Arrays; the result does not depend on the number of threads.
#pragma once

#include <cstdint>
#include <vector>

#include "dnn/kernels/array.h"

namespace glimpse::dnn {

/// All rows of a step stand after those of the step before; a step may have fewer rows, the first ones.
struct PastInputs {
  Array states;                     ///< [Σ rows, n]
  Array keys;                       ///< [Σ rows, A]
  Array queries;                    ///< [Σ rows, A]
  Array weight;                     ///< [1, A]
  std::vector<std::int64_t> alive;  ///< rows of each step, not rising
};
/// dst [Σ rows, n]: of each row at each step t the sum of its states of the steps before, weighted by the softmax of
/// weight · tanh(key + query of t); zeros at the first step.
void past_attention(const PastInputs& in, const Array& dst, int threads);
/// All are added to.
struct PastGradients {
  Array states;
  Array keys;
  Array queries;
  Array weights;  ///< [rows of the first step, A], each sequence's part
};
void past_attention_backward(const PastInputs& in, const Array& d_dst, const PastGradients& gradients, int threads);

}  // namespace glimpse::dnn
