/// What is behind `caption` and `overlay`: one picture after the other, all threads on each, a record out as soon as it
/// is known. A picture that fails is reported and the others are done.
#pragma once

#include <filesystem>

#include "cli/command.h"
#include "cli/options.h"
#include "overlay/overlay.h"

namespace glimpse::apps {

/// Overlays that are wanted: where, and how they are drawn.
struct OverlayCommand {
  std::filesystem::path folder;
  OverlayOptions options;
};

/// `overlays` may be null. Throws Error for what ends the whole run.
ExitCode caption_pictures(const SharedOptions& options, const OverlayCommand* overlays);

}  // namespace glimpse::apps
