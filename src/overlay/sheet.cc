// The `sheet` layout.
#include <algorithm>
#include <cmath>
#include <limits>
#include <vector>

#include "image/pixels.h"
#include "overlay/layouts.h"
#include "overlay/tiles.h"

namespace glimpse {
namespace {

/// Everything's place on the page, in pixels. The picture takes two columns and two rows of the grid at the top left;
/// words fill the cells beside and below it, row by row.
struct Places {
  int margin = 0;
  int gap = 0;
  cv::Size tile;  ///< the picture in a word's tile
  cv::Size cell;  ///< tile and label, without the gap
  int columns = 2;
  int rows = 2;
  std::vector<std::string> title;
  TextPainter::Style title_style;
  int title_line = 0;
  int title_height = 0;

  int grid_width() const { return columns * (cell.width + gap) - gap; }
  int grid_height() const { return rows * (cell.height + gap) - gap; }
  cv::Size page() const { return {2 * margin + grid_width(), 2 * margin + title_height + grid_height()}; }
  cv::Point cell_at(int row, int column) const {
    return {margin + column * (cell.width + gap), margin + title_height + row * (cell.height + gap)};
  }
  /// The picture's box: two cells each way, down to the lower edge of the second tile.
  cv::Rect picture() const { return {cell_at(0, 0), cv::Size(2 * cell.width + gap, cell.height + gap + tile.height)}; }
  cv::Point word_at(int index) const {
    const int beside = 2 * (columns - 2);
    if (index < beside) return cell_at(index / (columns - 2), 2 + index % (columns - 2));
    return cell_at(2 + (index - beside) / columns, (index - beside) % columns);
  }
};

/// The number of columns that makes the page near 3:2 and leaves few cells empty.
void choose_grid(Places& places, int words) {
  constexpr double kGoodAspect = 1.5;
  constexpr double kCostOfEmptiness = 1.2;
  constexpr int kMostColumns = 8;
  double least = std::numeric_limits<double>::max();
  Places tried = places;
  for (tried.columns = words == 0 ? 2 : 3; tried.columns <= std::min(kMostColumns, 2 + words); ++tried.columns) {
    tried.rows = std::max(2, (words + 4 + tried.columns - 1) / tried.columns);
    const cv::Size page = tried.page();
    const int cells = tried.columns * tried.rows;
    const double cost = std::abs(std::log(double(page.width) / page.height / kGoodAspect)) +
                        kCostOfEmptiness * (cells - words - 4) / cells;
    if (cost < least) {
      least = cost;
      places = tried;
    }
  }
}

Places make_places(const Scene& scene, const Tiles& tiles) {
  Places places;
  places.margin = scene.units(36);
  places.gap = scene.units(22);
  places.tile = tiles.picture();
  places.cell = tiles.cell();
  choose_grid(places, static_cast<int>(scene.words().size()));
  // A wide page is seen from further away: its headline grows with it.
  const double headline = 32 * std::clamp(places.grid_width() / double(scene.units(1700)), 0.7, 1.4);
  places.title_style = {scene.units(headline), TextPainter::Weight::kBold, kInk};
  places.title = scene.text().wrap(scene.caption().text, places.grid_width(), places.title_style);
  places.title_line = scene.units(1.4 * headline);
  places.title_height =
      static_cast<int>(places.title.size()) * places.title_line + (places.title.empty() ? 0 : scene.units(14));
  return places;
}

}  // namespace

Image draw_sheet(const Scene& scene) {
  const Tiles tiles(scene, scene.options().tile_width);
  const Places places = make_places(scene, tiles);
  Image page(places.page().width, places.page().height);
  cv::Mat canvas = codec::view(page);
  canvas.setTo(kPaper);

  int baseline = places.margin + places.title_style.height;
  for (const std::string& line : places.title) {
    scene.text().draw(canvas, line, {places.margin, baseline}, places.title_style);
    baseline += places.title_line;
  }
  const cv::Rect box = places.picture();
  const cv::Size size = scene.fit_into(box.size());
  scene.picture(size).copyTo(canvas(cv::Rect(box.tl(), size)));
  draw_frame(canvas, {box.tl(), size});

  for (std::size_t i = 0; i < scene.words().size(); ++i) {
    tiles.draw_word(canvas, scene.words()[i], places.word_at(static_cast<int>(i)));
  }
  if (!scene.words().empty()) draw_legend(canvas, scene, {box.x, box.br().y + scene.units(30)}, box.width);
  return page;
}

}  // namespace glimpse
