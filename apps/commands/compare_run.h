/// The work of a comparison: trainings, captions, times.
#pragma once

#include <filesystem>
#include <vector>

#include "commands/training.h"
#include "compare_report.h"

namespace glimpse::apps {

/// Trains as the recipe says, whose output stands in the comparison's folder; beside it the recipe itself, NAME.conf,
/// is written whole. kGoOn goes on where the training stopped, wherever that was, and does nothing that is done. Throws
/// Error: as train::Trainer, and kUsage where what is there was made by another recipe.
void train_variant(const train::Recipe& recipe, train::Trainer::Start start, train::Observer& observer);

/// Pictures a second through encoder and search, of each model, with the pictures in memory: the median of several
/// rounds, in which the models take turns. Fewer rounds on Ctrl-C; a model without one has 0.
std::vector<double> measure_speeds(const std::vector<std::filesystem::path>& models, const train::CaptionedSet& set,
                                   const ModelOptions& options, int batch);

/// Of encoder and decoder together.
std::int64_t count_parameters(const std::filesystem::path& model);

}  // namespace glimpse::apps
