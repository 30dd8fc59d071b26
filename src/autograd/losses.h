/// What distillation minimises, each a scalar variable of shape [1]; targets are constants.
#pragma once

#include <utility>
#include <vector>

#include "autograd/tape.h"

namespace glimpse::train {

/// Mean over all elements of (prediction − target)². `target` has the prediction's shape, in any layout.
Variable mean_squared_error(Tape& tape, const Variable& prediction, const dnn::Array& target);

/// Mean over rows of T² · KL(softmax(target / T) ‖ softmax(logits / T)) (Hinton et al. 2015); both [rows, classes] or
/// [rows, classes, 1, 1], plain.
Variable divergence(Tape& tape, const Variable& logits, const dnn::Array& target, double temperature);

/// Σ weight · term.
Variable weighted_sum(Tape& tape, const std::vector<std::pair<double, Variable>>& terms);

/// scale [C] · src + shift [C], a pair a channel of [N,C,H,W]; both constants.
Variable affine(Tape& tape, const Variable& src, const Tensor& scale, const Tensor& shift);

}  // namespace glimpse::train
