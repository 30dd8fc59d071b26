/// Checks that two trainings are comparable.
#pragma once

#include <string>

#include "train/recipe/recipe.h"

namespace glimpse::train {

/// Empty where the recipes train on equal terms: the same data, seed, threads and start, and the same stages with as
/// many epochs over batches of the same size. Else the first thing that differs, with both values: "'finetune.epochs'
/// is '20' in one and '30' in the other". Network and learning rate are a variant's own.
std::string unequal_terms(const Recipe& a, const Recipe& b);

}  // namespace glimpse::train
