/// From the loader's pixels to a network's input.
#pragma once

#include "model/model.h"
#include "train/loader.h"
#include "train/tape.h"

namespace glimpse::train {

/// The batch's pictures normalised, [pictures, 3, height, width].
Variable picture_batch(Tape& tape, const Batch& batch, const Preprocess& preprocess);

}  // namespace glimpse::train
