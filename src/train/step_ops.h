/// Operations that a recurrent decoder runs at every time step. What all steps share, weights and memory, gets its
/// gradient once, after the walk back is through all steps: one product of all rows instead of one a step.
///
/// Objects of this file are recorded where they are made, so they must be made before the steps that use them; they may
/// die before `backward`.
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include "dnn/step_math.h"
#include "train/tape.h"

namespace glimpse::train {

/// A linear layer: see `linear` in row_ops.h.
class RepeatedLinear {
 public:
  RepeatedLinear(Tape& tape, Variable weight, Variable bias);
  Variable operator()(const Variable& src) const;

 private:
  struct Shared;
  std::shared_ptr<Shared> shared_;
};

/// A matrix that is part of a variable, from `corner` on.
struct Piece {
  Variable matrix;
  dnn::Corner corner = {};
};

struct LstmState {
  Variable h;  ///< [rows, n]
  Variable c;
};
/// i, f, g, o [rows, 4n] = Σ pieces; c = σ(f) · c_before + σ(i) · tanh(g); h = σ(o) · tanh(c) (Hochreiter and
/// Schmidhuber 1997, with forget gates). c_before may have more rows, of which the first are taken.
LstmState lstm_cell(Tape& tape, const std::vector<Piece>& pieces, const Variable& c_before, std::int64_t rows);

/// Additive attention (Bahdanau et al. 2015) of rows to the cells of their images.
class RepeatedAttention {
 public:
  struct Options {
    std::int64_t cells = 0;
    bool relu = false;       ///< between key + query and the score; else tanh
    dnn::RowsOfImages rows;  ///< of the longest step
  };
  /// keys [images · cells, A], memory [images · cells, D], score [1, A].
  RepeatedAttention(Tape& tape, Variable keys, Variable memory, Variable score, Options options);

  struct Glance {
    Variable alphas;   ///< [rows, cells] = softmax of score · f(key + query)
    Variable context;  ///< [rows, D] = Σ alphas · memory
  };
  /// query [rows, A]; a step may have fewer rows than the one before, the first ones.
  Glance operator()(const Piece& query, std::int64_t rows) const;

 private:
  struct Shared;
  std::shared_ptr<Shared> shared_;
};

/// src · σ(gate): gate [rows, 1], or as wide as src.
Variable gated(Tape& tape, const Variable& src, const Piece& gate, std::int64_t gate_columns);

/// [1]: Σ over rows and cells of (1 − Σ_t alphas_t)², the doubly stochastic term of Xu et al. 2015. alphas_t [rows_t,
/// cells], rows_t not rising: a row that ended looks no longer.
Variable unseen(Tape& tape, const std::vector<Variable>& alphas);

}  // namespace glimpse::train
