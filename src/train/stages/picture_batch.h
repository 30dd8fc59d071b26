/// Converts the loader's pixels to a network's input.
#pragma once

#include <vector>

#include "model/model.h"
#include "data/loader.h"
#include "autograd/tape.h"

namespace glimpse::train {

/// The batch's pictures normalised, [pictures, 3, height, width].
Variable picture_batch(Tape& tape, const Batch& batch, const Preprocess& preprocess);

/// Appends the mask of a picture of that size in pixels: how much each cell of the map counts, 0 to 1, row by row.
/// Appends nothing if preprocessing never pads. `mirrored`: mirrors the padding too.
void add_mask(const Preprocess& input, Grid grid, int width, int height, bool mirrored, std::vector<float>& masks);

}  // namespace glimpse::train
