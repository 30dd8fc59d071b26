/// Captions a whole set, batch after batch, on all threads of a captioner.
#pragma once

#include <functional>
#include <span>
#include <stop_token>
#include <vector>

#include "core/error.h"
#include "data/captioned_set.h"
#include "io/results.h"
#include "pipeline/captioner.h"

namespace glimpse::eval {

struct SetCaptions {
  std::vector<io::CaptionResult> captions;  ///< the best of each picture, in the set's order
  int failed = 0;                           ///< pictures that could not be captioned
};

/// Progress callbacks of a run over a set, one call at a time; each may be empty.
struct SetEvents {
  std::function<void(const Error& error)> failed = {};  ///< a picture could not be captioned
  std::function<void()> advanced = {};                  ///< one more picture is done, failed or not
};

/// Called for each caption, with the rectangle in the picture that each cell of the map covers.
using CaptionListener =
    std::function<void(const io::CaptionResult& result, const Caption& caption, std::span<const Rect> cells)>;

/// Stops early when `stop` is requested, after what is in flight. Throws Error for what ends the whole run.
SetCaptions caption_set(std::span<const train::CaptionedPicture> pictures, const Captioner& captioner,
                        const CaptionOptions& options, const SetEvents& events = {}, const std::stop_token& stop = {},
                        const CaptionListener& listener = {});

}  // namespace glimpse::eval
