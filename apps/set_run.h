/// Captions a whole set: pictures in batches through the encoder and the search, the next batch decoded meanwhile.
#pragma once

#include <functional>
#include <span>
#include <vector>

#include "cli/options.h"
#include "data/captioned_set.h"
#include "results.h"

namespace glimpse::apps {

struct SetCaptions {
  std::vector<CaptionResult> captions;  ///< the best of each picture, in the set's order
  int failed = 0;                       ///< pictures that could not be read; each has been reported
};

/// Told of each caption as it is made, with the part of the picture, in its pixels, that each cell of the map sees.
using CaptionListener =
    std::function<void(const CaptionResult& result, const Caption& caption, std::span<const Rect> cells)>;

/// Stops early on Ctrl-C, after the batch in flight. Throws Error for what ends the whole run.
SetCaptions caption_set(const train::CaptionedSet& set, const ModelOptions& options, int batch,
                        const CaptionListener& listener = {});

}  // namespace glimpse::apps
