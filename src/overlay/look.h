/// Draws a model's way of looking on the picture: numbered boxes where it looked, joined by a line, beside them the
/// patches as it saw them, and what it said.
#pragma once

#include <filesystem>

#include "glimpses/looker.h"
#include "image/image.h"

namespace glimpse {

struct LookDrawing {
  int side = 480;              ///< of the picture's longer side as it is drawn, 64..4096; all else is in proportion
  std::filesystem::path font;  ///< TrueType; empty: DejaVu Sans where installed, else OpenCV's stroke font
};

/// `look` of a picture by a model of `config`; `picture` may be smaller than the source that the boxes speak of. Throws
/// Error(kUsage) for a font that cannot be loaded.
Image draw_look(const Image& picture, const Look& look, const LookConfig& config, const LookDrawing& options = {});

}  // namespace glimpse
