/// What the operations of a time step share. Internal to src/train.
#pragma once

#include <functional>
#include <vector>

#include "autograd/step_ops.h"
#include "autograd/tape.h"
#include "dnn/math/step_math.h"

namespace glimpse::train {

dnn::Part part_of(const Piece& piece);

/// Where the gradient of a piece is added to; scratch where none is needed.
dnn::Part gradient_part(Tape& tape, const Piece& piece);

/// A value that stands on the tape for what all steps share: whatever flows into it makes its backward run, after that
/// of all steps.
Variable anchor(Tape& tape, const std::vector<Variable>& inputs, const std::function<void()>& backward);

}  // namespace glimpse::train
