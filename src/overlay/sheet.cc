#include <algorithm>
#include <array>
#include <cmath>
#include <cstdio>
#include <limits>
#include <opencv2/imgproc.hpp>
#include <vector>

#include "core/error.h"
#include "image/pixels.h"
#include "overlay/heat.h"
#include "overlay/overlay.h"
#include "overlay/text.h"

namespace glimpse {
namespace {

using Weight = TextPainter::Weight;

const cv::Scalar kPaper(255, 255, 255);
const cv::Scalar kInk(28, 30, 36);
const cv::Scalar kPale(118, 123, 134);
const cv::Scalar kTrack(232, 234, 238);

/// The tallest tile, and the most elongated picture that is drawn in its true shape, as ratios of the sides.
constexpr double kTallest = 1.5;
constexpr double kLongest = 12;

/// Everything's place on the page, in pixels. The picture takes two columns and two rows of the grid at the top left;
/// words fill the cells beside and below it, row by row.
struct Layout {
  int margin = 0;
  int gap = 0;
  int label = 0;  ///< height of a tile's label
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

/// The picture's shape in a box, near its true one.
cv::Size fit_into(const cv::Size& box, int width, int height) {
  const double aspect = std::clamp(double(width) / height, 1 / kLongest, kLongest);
  const double fitted = std::min<double>(box.width, box.height * aspect);
  return {std::max(1, cvRound(fitted)), std::max(1, cvRound(fitted / aspect))};
}

/// The number of columns that makes the page near 3:2 and leaves few cells empty.
void choose_grid(Layout& layout, int words) {
  constexpr double kGoodAspect = 1.5;
  constexpr double kCostOfEmptiness = 1.2;
  constexpr int kMostColumns = 8;
  double least = std::numeric_limits<double>::max();
  Layout tried = layout;
  for (tried.columns = words == 0 ? 2 : 3; tried.columns <= std::min(kMostColumns, 2 + words); ++tried.columns) {
    tried.rows = std::max(2, (words + 4 + tried.columns - 1) / tried.columns);
    const cv::Size page = tried.page();
    const int cells = tried.columns * tried.rows;
    const double cost = std::abs(std::log(double(page.width) / page.height / kGoodAspect)) +
                        kCostOfEmptiness * (cells - words - 4) / cells;
    if (cost < least) {
      least = cost;
      layout = tried;
    }
  }
}

Layout make_layout(const Image& photo, const Caption& caption, const TextPainter& text, int tile_width) {
  const auto units = [&](double at_320) { return std::max(1, cvRound(at_320 * tile_width / 320)); };
  Layout layout;
  layout.margin = units(36);
  layout.gap = units(22);
  layout.label = units(44);
  layout.tile = fit_into({tile_width, cvRound(kTallest * tile_width)}, photo.width, photo.height);
  // A slim picture's cell is wider than it, so that its label can be read.
  layout.cell = {std::max(layout.tile.width, cvRound(0.6 * tile_width)), layout.tile.height + layout.label};
  choose_grid(layout, static_cast<int>(caption.glimpses.size()));
  // A wide page is seen from further away: its headline grows with it.
  const double headline = 32 * std::clamp(layout.grid_width() / double(units(1700)), 0.7, 1.4);
  layout.title_style = {units(headline), Weight::kBold, kInk};
  layout.title = text.wrap(caption.text, layout.grid_width(), layout.title_style);
  layout.title_line = units(1.4 * headline);
  layout.title_height =
      static_cast<int>(layout.title.size()) * layout.title_line + (layout.title.empty() ? 0 : units(14));
  return layout;
}

std::string percent(double log_prob) {
  const double value = 100 * std::exp(log_prob);
  std::array<char, 32> buffer = {};
  if (value >= 0.95) {
    std::snprintf(buffer.data(), buffer.size(), "%.0f %%", value);
  } else if (value >= 0.05) {
    std::snprintf(buffer.data(), buffer.size(), "%.1f %%", value);
  } else {
    return "< 0.1 %";
  }
  return buffer.data();
}

/// "β 0.42", or nothing where the gate is open.
std::string gate(double beta, bool greek) {
  constexpr double kOpen = 0.995;
  if (!(beta < kOpen)) return {};
  std::array<char, 32> buffer = {};
  std::snprintf(buffer.data(), buffer.size(), "%s %.2f", greek ? "β" : "gate", beta);
  return buffer.data();
}

class Sheet {
 public:
  Sheet(const Image& photo, const Caption& caption, const OverlayOptions& options, HeatOptions heat,
        const ViewTransform& transform)
      : photo_(codec::view(photo)),
        caption_(caption),
        options_(options),
        heat_(heat),
        transform_(transform),
        colours_(colour_table(options.colormap)),
        text_(options.font),
        layout_(make_layout(photo, caption, text_, options.tile_width)),
        page_(layout_.page().width, layout_.page().height),
        canvas_(codec::view(page_)) {}

  Image draw() {
    canvas_.setTo(kPaper);
    draw_title();
    draw_picture();
    const cv::Mat small = codec::resize(photo_, layout_.tile);
    for (std::size_t i = 0; i < caption_.glimpses.size(); ++i) {
      draw_word(caption_.glimpses[i], small, layout_.word_at(static_cast<int>(i)));
    }
    if (!caption_.glimpses.empty()) draw_legend();
    return std::move(page_);
  }

 private:
  int units(double at_320) const { return std::max(1, cvRound(at_320 * options_.tile_width / 320)); }

  void draw_title() {
    int y = layout_.margin + layout_.title_style.height;
    for (const std::string& line : layout_.title) {
      text_.draw(canvas_, line, {layout_.margin, y}, layout_.title_style);
      y += layout_.title_line;
    }
  }

  void draw_picture() {
    const cv::Rect box = layout_.picture();
    const cv::Size size = fit_into(box.size(), photo_.cols, photo_.rows);
    codec::resize(photo_, size).copyTo(canvas_(cv::Rect(box.tl(), size)));
  }

  double peak(const Glimpse& glimpse) const {
    double result = 0;
    const auto raise = [&](const Glimpse& g) {
      for (const float value : g.alpha) result = value > result ? value : result;
    };
    if (options_.scale == OverlayOptions::Scale::kPerWord) {
      raise(glimpse);
    } else {
      for (const Glimpse& other : caption_.glimpses) raise(other);
    }
    return result;
  }

  void draw_word(const Glimpse& glimpse, const cv::Mat& small, const cv::Point& corner) {
    cv::Mat tile = canvas_(cv::Rect(corner, layout_.tile));
    small.copyTo(tile);
    HeatOptions heat = heat_;
    heat.peak = peak(glimpse);
    blend_heat(tile, heat_map(glimpse.alpha, heat, transform_, layout_.tile), colours_, options_.alpha);
    draw_label(glimpse, {corner.x, corner.y + layout_.tile.height});
  }

  /// A bar as long as the word is likely, then the word at the left, its probability and gate at the right.
  void draw_label(const Glimpse& glimpse, const cv::Point& corner) {
    const int width = layout_.cell.width;
    const int bar = units(4);
    const double likely = std::exp(glimpse.log_prob);
    const double probability = likely > 0 ? std::min(likely, 1.0) : 0;  // not a number: none
    cv::rectangle(canvas_, cv::Rect(corner, cv::Size(width, bar)), kTrack, cv::FILLED);
    cv::rectangle(canvas_, cv::Rect(corner, cv::Size(cvRound(width * probability), bar)), kInk, cv::FILLED);

    const TextPainter::Style number{units(18), Weight::kRegular, kInk};
    const TextPainter::Style small{units(14), Weight::kRegular, kPale};
    const int baseline = corner.y + bar + units(26);
    int right = corner.x + width;
    const auto put_right = [&](const std::string& text, const TextPainter::Style& style) {
      if (text.empty()) return;
      right -= text_.width(text, style);
      text_.draw(canvas_, text, {right, baseline}, style);
      right -= units(12);
    };
    put_right(percent(glimpse.log_prob), number);
    put_right(gate(glimpse.beta, text_.has_font()), small);
    const TextPainter::Style word{units(23), Weight::kBold, kInk};
    text_.draw(canvas_, text_.shorten(glimpse.word, right - corner.x, word), {corner.x, baseline}, word);
  }

  /// What the colours mean, below the picture on the base line of the labels beside it.
  void draw_legend() {
    const TextPainter::Style style{units(14), Weight::kRegular, kPale};
    const cv::Rect box = layout_.picture();
    const int baseline = box.br().y + units(30);
    int x = box.x;
    const auto put = [&](const std::string& text) {
      const int width = text_.width(text, style);
      if (x + width > box.br().x) return;
      text_.draw(canvas_, text, {x, baseline}, style);
      x += width + units(10);
    };
    put("attention  0");
    cv::Mat ramp = canvas_(cv::Rect(cv::Point(x, baseline - units(10)), cv::Size(units(110), units(10))));
    cv::Mat heat(ramp.size(), CV_32FC1);
    for (int i = 0; i < heat.cols; ++i) heat.col(i).setTo((i + 0.5) / heat.cols);
    ramp.setTo(cv::Scalar::all(160));
    blend_heat(ramp, heat, colours_, options_.alpha);
    x += ramp.cols + units(10);
    const bool global = options_.scale == OverlayOptions::Scale::kGlobal;
    put(global ? percent(std::log(peak(caption_.glimpses.front()))) : "the word's peak");
    put((text_.has_font() ? "·  " : "|  ") + std::to_string(heat_.rows) + (text_.has_font() ? " × " : " x ") +
        std::to_string(heat_.cols) + " cells");
  }

  cv::Mat photo_;
  const Caption& caption_;
  const OverlayOptions& options_;
  HeatOptions heat_;
  ViewTransform transform_;
  ColourTable colours_;
  TextPainter text_;
  Layout layout_;
  Image page_;
  cv::Mat canvas_;
};

}  // namespace

Image draw_sheet(const Image& photo, const Caption& caption, int rows, int cols, const ViewTransform& transform,
                 const OverlayOptions& options) {
  constexpr int kNarrowest = 64;
  constexpr int kWidest = 2048;
  if (options.tile_width < kNarrowest || options.tile_width > kWidest) {
    throw Error(ErrorCode::kUsage, "a tile of " + std::to_string(options.tile_width) + " pixels; it may have " +
                                       std::to_string(kNarrowest) + " to " + std::to_string(kWidest));
  }
  if (!(options.alpha >= 0 && options.alpha <= 1)) {
    throw Error(ErrorCode::kUsage, "an opacity of " + std::to_string(options.alpha) + "; it may be 0 to 1");
  }
  for (const Glimpse& glimpse : caption.glimpses) {
    if (glimpse.alpha.size() != static_cast<std::size_t>(rows) * static_cast<std::size_t>(cols)) {
      throw Error(ErrorCode::kInternal, "attention of " + std::to_string(glimpse.alpha.size()) + " cells where " +
                                            std::to_string(rows) + "×" + std::to_string(cols) + " are expected");
    }
  }
  try {
    return Sheet(photo, caption, options, {.rows = rows, .cols = cols, .smooth = options.smooth}, transform).draw();
  } catch (const cv::Exception& error) {
    throw Error(ErrorCode::kInternal, "cannot draw the sheet: OpenCV: " + error.err);
  }
}

}  // namespace glimpse
