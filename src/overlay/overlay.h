/// Draws what the model looked at: heat maps over the original picture, one tile a word. The map's true resolution is
/// not faked.
#pragma once

#include <filesystem>
#include <string>

#include "decoder/caption.h"
#include "image/image.h"

namespace glimpse {

struct OverlayOptions {
  enum class Scale { kPerWord, kGlobal };  ///< a tile's own peak is its brightest, or the caption's peak
  std::string colormap = "inferno";        ///< any of OpenCV's
  double alpha = 0.6;                      ///< opacity of the heat where attention peaks, 0..1
  Scale scale = Scale::kPerWord;
  bool smooth = false;         ///< interpolate between cells (Gaussian, as the paper's pictures do)
  std::filesystem::path font;  ///< TrueType; empty: DejaVu Sans where installed, else OpenCV's stroke font
  int tile_width = 320;        ///< of one tile; height follows the picture's aspect ratio
};

/// The `sheet` layout in `heat` style: the picture with its caption, then one tile a word, labelled with word and
/// probability. Throws Error(kUsage) naming an unknown colour map or a font that cannot be loaded.
Image draw_sheet(const Image& photo, const Caption& caption, int rows, int cols, const ViewTransform& transform,
                 const OverlayOptions& options = {});

}  // namespace glimpse
