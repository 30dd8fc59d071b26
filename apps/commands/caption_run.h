/// Implementation of `caption` and `overlay`: one picture at a time on all threads, each record written as soon as it
/// is known. A failed picture is reported; the others are done.
#pragma once

#include <filesystem>

#include "cli/command.h"
#include "cli/options.h"
#include "overlay/overlay.h"

namespace glimpse::apps {

/// The overlays to draw.
struct OverlayCommand {
  std::filesystem::path folder;
  OverlayOptions options;
};

/// `overlays` may be null. Throws Error for what ends the whole run.
ExitCode caption_pictures(const SharedOptions& options, const OverlayCommand* overlays);

}  // namespace glimpse::apps
