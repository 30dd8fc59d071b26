/// Trains the models of a comparison.
#pragma once

#include "commands/training.h"

namespace glimpse::apps {

/// Trains as the recipe says, whose output stands in the comparison's folder; beside it the recipe itself, NAME.conf,
/// is written whole. kGoOn goes on where the training stopped, wherever that was, and does nothing that is done. Throws
/// Error: as train::Trainer, and kUsage where what is there was made by another recipe.
void train_variant(const train::Recipe& recipe, train::Trainer::Start start, train::Observer& observer);

}  // namespace glimpse::apps
