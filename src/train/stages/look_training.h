/// Trains a glimpse model (RAM, DRAM) by a recipe with [digits] and [look].
#pragma once

#include "dnn/kernels/kernels.h"
#include "train/run/training_folder.h"

namespace glimpse::train {

/// Runs the recipe's stage look and writes the model, in F16. Throws as Trainer::run does.
void train_to_look(const Recipe& recipe, const TrainingFolder& folder, Trainer::Start start, dnn::Kernels& kernels,
                   Observer& observer);

}  // namespace glimpse::train
