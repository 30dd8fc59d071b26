/// What learning where to look needs on the tape beside the operations of a decoder: the density of the places that
/// were drawn. The patches themselves are outside the gradient.
#pragma once

#include <vector>

#include "autograd/tape.h"

namespace glimpse::train {

/// [1]: Σ_r weights[r] · log N(drawn[r]; means[r], deviation² I), without the terms that do not depend on the means.
/// means, drawn [rows, dimensions]. With a row's advantage for its weight, REINFORCE's estimate (Williams 1992).
Variable log_density(Tape& tape, const Variable& means, const dnn::Array& drawn, double deviation,
                     const std::vector<float>& weights);

}  // namespace glimpse::train
