/// Options of overlays, shared by all commands that draw them.
#pragma once

#include "cli/arguments.h"
#include "overlay/overlay.h"

namespace glimpse::apps {

/// --style, --layout, --animate, --colormap, --alpha, --scale, --smooth, --font.
OptionGroup overlay_option_group();

/// Throws Error(kUsage), also for an unknown colour map and a font that cannot be loaded: before any picture is read.
OverlayOptions read_overlay_options(const ParsedArguments& arguments);

}  // namespace glimpse::apps
