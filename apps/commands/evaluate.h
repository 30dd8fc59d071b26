/// A set captioned and scored, with the progress shown.
#pragma once

#include "cli/options.h"
#include "eval/set_scores.h"

namespace glimpse::apps {

/// `eval::evaluate` with the model that `options` name, `batch` pictures at a time. Reports each picture that fails.
/// Stops early on Ctrl-C.
eval::Evaluation evaluate_set(const train::CaptionedSet& set, const train::CaptionedSet& all,
                              const ModelOptions& options, int batch);

}  // namespace glimpse::apps
