/// Weights for channels on the tape, beside attention's for cells (attention_ops.h), and attention over a sequence's
/// own past.
#pragma once

#include <cstdint>
#include <vector>

#include "autograd/attention_ops.h"
#include "autograd/step_ops.h"
#include "autograd/tape.h"

namespace glimpse::train {

/// Scores of channels that one number each is known of (Chen et al. 2017, equation 4): values [rows, C], query [rows,
/// k], key [k, 1], weight [1, k] → [rows, C] = weight · tanh(key · value + query).
Variable channel_scores(Tape& tape, const Variable& values, const Piece& query, const Variable& key,
                        const Variable& weight);

/// memory [images · cells, D] → [rows · cells, D]: every row's own copy of its image's, channels times weights [rows,
/// D].
Variable scale_channels(Tape& tape, const Variable& memory, const Variable& weights, const Gaze& gaze);

/// memory and keys [images · cells, D], weights [rows, cells], query [rows, D] → [rows, D] = Σ over an image's cells of
/// weights · memory · σ(keys + query).
Variable element_read(Tape& tape, const Variable& memory, const Variable& keys, const Variable& weights,
                      const Variable& query, const Gaze& gaze);

/// states [Σ alive, n], keys and queries [Σ alive, A], weight [1, A] → [Σ alive, n], see dnn::past_attention; alive:
/// the rows of each step, not rising.
struct Past {
  Variable states;
  Variable keys;
  Variable queries;
  Variable weight;
};
Variable past_attention(Tape& tape, const Past& past, const std::vector<std::int64_t>& alive);

}  // namespace glimpse::train
