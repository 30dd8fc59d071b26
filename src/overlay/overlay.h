/// Draws what the model looked at, word by word, on the original picture. The map's true resolution is not faked.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "decoder/caption.h"
#include "image/animation.h"
#include "image/image.h"

namespace glimpse {

struct OverlayOptions {
  enum class Style {
    kHeat,       ///< colours over the picture, the more opaque the more attention
    kContour,    ///< lines at a quarter, a half and three quarters of the peak
    kBox,        ///< the glimpse's box: the cells around the peak that hold most of the attention
    kSpotlight,  ///< the picture lit where the model looked, dark elsewhere
  };
  enum class Layout {
    kSheet,      ///< the picture with its caption, then one tile a word
    kStrip,      ///< the picture and the words' tiles in one row; long captions take several
    kWords,      ///< a picture a word, in a file each
    kAnimation,  ///< the same, as the frames of one animated WebP
    kMatrix,     ///< words × cells in colours without the picture beneath: the alignment; has no style
  };
  enum class Scale { kPerWord, kGlobal };  ///< a tile's own peak is its brightest, or the caption's peak

  Style style = Style::kHeat;
  Layout layout = Layout::kSheet;
  std::string colormap = "inferno";  ///< any of OpenCV's
  double alpha = 0.6;                ///< opacity where attention peaks, 0..1; how dark it is beside a spotlight
  Scale scale = Scale::kPerWord;
  bool smooth = false;         ///< interpolate between cells (Gaussian, as the paper's pictures do)
  std::filesystem::path font;  ///< TrueType; empty: DejaVu Sans where installed, else OpenCV's stroke font
  int tile_width = 320;        ///< of one tile, 64..2048; all else is in proportion
};

/// What goes into one file.
struct Overlay {
  std::string suffix;         ///< of the file's name, after the picture's: ".glimpses.png", ".glimpses.01-dog.png"
  std::vector<Frame> frames;  ///< a still picture is one
  bool animated = false;
};

/// One caption's overlays: one, or one a word. `photo` may be smaller than the source that `transform` and the boxes
/// speak of. Throws Error(kUsage) naming an unknown colour map, a font that cannot be loaded, or an option out of
/// range.
std::vector<Overlay> draw_overlays(const Image& photo, const Caption& caption, int rows, int cols,
                                   const ViewTransform& transform, const OverlayOptions& options = {});

/// Throws the Error for which `draw_overlays` would fail with these options, whatever the picture.
void check_overlay_options(const OverlayOptions& options);

/// Writes to `stem` + suffix, atomically, and gives that path. Throws Error(kIo, kPermission).
std::filesystem::path write_overlay(const Overlay& overlay, const std::filesystem::path& stem);

}  // namespace glimpse
