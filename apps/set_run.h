/// Captions a whole set: pictures in batches through the encoder and the search, the next batch decoded meanwhile.
#pragma once

#include <vector>

#include "options.h"
#include "results.h"
#include "train/captioned_set.h"

namespace glimpse::apps {

struct SetCaptions {
  std::vector<CaptionResult> captions;  ///< the best of each picture, in the set's order
  int failed = 0;                       ///< pictures that could not be read; each has been reported
};

/// Stops early on Ctrl-C, after the batch in flight. Throws Error for what ends the whole run.
SetCaptions caption_set(const train::CaptionedSet& set, const ModelOptions& options, int batch);

}  // namespace glimpse::apps
