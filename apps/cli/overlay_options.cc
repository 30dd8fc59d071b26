#include "cli/overlay_options.h"

namespace glimpse::apps {
namespace {

using Layout = OverlayOptions::Layout;
using Scale = OverlayOptions::Scale;
using Style = OverlayOptions::Style;

Layout read_layout(const ParsedArguments& arguments) {
  const bool animate = arguments.has("animate");
  const std::string name = arguments.text("layout").value_or(animate ? "words" : "sheet");
  const auto layout = choose<Layout>(
      "layout", name,
      {{"sheet", Layout::kSheet}, {"strip", Layout::kStrip}, {"words", Layout::kWords}, {"matrix", Layout::kMatrix}});
  if (!animate) return layout;
  if (layout != Layout::kWords) {
    throw Error(ErrorCode::kUsage,
                "--animate shows one word after the other; it goes with --layout words, not " + name);
  }
  return Layout::kAnimation;
}

}  // namespace

OptionGroup overlay_option_group() {
  return {"How overlays are drawn",
          {{"style", "STYLE",
            "heat: colours over the picture (default); contour: lines at a quarter, a half and three quarters of the "
            "peak; box: a frame around half of the attention; spotlight: the picture lit where the model looked"},
           {"layout", "LAYOUT",
            "sheet: the picture, then one tile a word (default); strip: all in one row; words: a file a word, "
            "photo.glimpses.01-a.png and so on; matrix: words × cells of the map"},
           {"animate", "", "the words one after the other in an animated WebP, photo.glimpses.webp"},
           {"colormap", "NAME",
            "any of OpenCV's; inferno (default), magma, plasma, viridis and cividis are even to the eye"},
           {"alpha", "A", "opacity where attention peaks, 0 to 1 (default: 0.6)"},
           {"scale", "SCALE",
            "per-word: each tile's own peak is its brightest; global: the caption's peak (default: per-word)"},
           {"smooth", "", "soft edges between the map's cells, as the paper's pictures have them"},
           {"font", "FILE", "TrueType font for the labels (default: DejaVu Sans where it is installed)"}}};
}

OverlayOptions read_overlay_options(const ParsedArguments& arguments) {
  OverlayOptions options;
  options.layout = read_layout(arguments);
  for (const char* name : {"style", "alpha", "smooth"}) {
    if (options.layout == Layout::kMatrix && arguments.has(name)) {
      throw Error(ErrorCode::kUsage, "--" + std::string(name) +
                                         " has no meaning with --layout matrix, which shows cells without the picture");
    }
  }
  options.style = choose<Style>(
      "style", arguments.text("style").value_or("heat"),
      {{"heat", Style::kHeat}, {"contour", Style::kContour}, {"box", Style::kBox}, {"spotlight", Style::kSpotlight}});
  options.colormap = arguments.text("colormap").value_or(options.colormap);
  options.alpha = arguments.real("alpha", options.alpha, 0, 1);
  options.scale = choose<Scale>("scale", arguments.text("scale").value_or("per-word"),
                                {{"per-word", Scale::kPerWord}, {"global", Scale::kGlobal}});
  options.smooth = arguments.has("smooth");
  options.font = arguments.text("font").value_or("");
  check_overlay_options(options);
  return options;
}

}  // namespace glimpse::apps
