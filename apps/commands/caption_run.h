/// The loop behind `caption` and `overlay`: one picture after the other, all threads on each, a record out as soon as
/// it is known. A picture that fails is reported and the others are done.
#pragma once

#include <functional>
#include <span>
#include <string>
#include <vector>

#include "cli/command.h"
#include "cli/options.h"
#include "commands/picture_reader.h"

namespace glimpse::apps {

/// Draws the captions of one picture, whose `full` is there; gives each caption's files back. Throws Error where a
/// file cannot be written, which counts as a failure of that picture.
using DrawOverlays =
    std::function<std::vector<std::vector<std::string>>(const Picture&, std::span<const Caption>, const ModelConfig&)>;

/// `draw` may be empty. Throws Error for what ends the whole run.
ExitCode caption_pictures(const SharedOptions& options, const DrawOverlays& draw);

}  // namespace glimpse::apps
