/// Compares the speed of models.
#pragma once

#include <filesystem>
#include <stop_token>
#include <vector>

#include "data/captioned_set.h"
#include "pipeline/captioner.h"

namespace glimpse::eval {

/// Pictures a second through encoder and search, of each model, with the pictures in memory: the median of several
/// rounds, in which the models take turns. Fewer rounds after a stop; a model without one has 0.
std::vector<double> measure_speeds(const std::vector<std::filesystem::path>& models, const train::CaptionedSet& set,
                                   const CaptionerOptions& captioner, const CaptionOptions& options,
                                   const std::stop_token& stop = {});

}  // namespace glimpse::eval
