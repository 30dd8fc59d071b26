// The `strip` layout.
#include "image/pixels.h"
#include "overlay/layouts.h"
#include "overlay/tiles.h"

namespace glimpse {

Image draw_strip(const Scene& scene) {
  constexpr int kLongestRow = 12;
  constexpr double kTileWidth = 0.75;  // of the sheet's
  const Tiles tiles(scene, cvRound(kTileWidth * scene.options().tile_width));
  const int margin = scene.units(20);
  const int gap = scene.units(14);
  const int count = static_cast<int>(scene.words().size()) + 1;
  const int rows = (count + kLongestRow - 1) / kLongestRow;
  const int columns = (count + rows - 1) / rows;
  const cv::Size cell = tiles.cell();
  Image page(2 * margin + columns * (cell.width + gap) - gap, 2 * margin + rows * (cell.height + gap) - gap);
  cv::Mat canvas = codec::view(page);
  canvas.setTo(kPaper);
  const auto corner = [&](int index) {
    return cv::Point(margin + index % columns * (cell.width + gap), margin + index / columns * (cell.height + gap));
  };
  tiles.draw_picture(canvas, corner(0));
  for (int i = 1; i < count; ++i) {
    tiles.draw_word(canvas, scene.words()[static_cast<std::size_t>(i - 1)], corner(i));
  }
  if (count > 1)
    draw_legend(canvas, scene, corner(0) + cv::Point(0, tiles.picture().height + scene.units(30)), cell.width);
  return page;
}

}  // namespace glimpse
