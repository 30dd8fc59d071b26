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

#include "autograd/tape.h"
#include "dnn/math/step_math.h"

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

/// src [rows, D] · factor [rows, 1].
Variable scale_rows(Tape& tape, const Variable& src, const Variable& factor);

/// src · σ(gate): gate [rows, 1], or as wide as src.
Variable gated(Tape& tape, const Variable& src, const Piece& gate, std::int64_t gate_columns);

}  // namespace glimpse::train
