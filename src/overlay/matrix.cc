// The `matrix` layout: the alignment of words and cells.
#include <algorithm>
#include <opencv2/imgproc.hpp>

#include "image/pixels.h"
#include "overlay/label.h"
#include "overlay/layouts.h"

namespace glimpse {
namespace {

using Weight = TextPainter::Weight;

/// The matrix on its page. Columns are the map's cells row by row, with a gap between the map's rows; each row of the
/// map has its strip of the picture above its columns, and is numbered there and on the small picture at the top left.
class Matrix {
 public:
  explicit Matrix(const Scene& scene)
      : scene_(scene),
        word_{scene.units(22), Weight::kBold, kInk},
        number_{scene.units(18), Weight::kRegular, kInk},
        small_{scene.units(14), Weight::kRegular, kPale},
        title_{scene.units(32), Weight::kBold, kInk} {
    constexpr int kColumnsWidth = 1400;
    const int cells = scene.rows() * scene.cols();
    cell_ = std::clamp(scene.units(double(kColumnsWidth) / cells), scene.units(2), scene.units(40));
    for (const Glimpse& word : scene.words()) {
      words_width_ = std::max(words_width_, scene.text().width(word.word, word_));
      percent_width_ = std::max(percent_width_, scene.text().width(percent(word.log_prob), number_));
      gate_width_ = std::max(gate_width_, scene.text().width(gate(word.beta, scene.text()), small_));
    }
    words_width_ = std::clamp(words_width_, scene.units(60), scene.units(260));
    thumbnail_ = scene.picture(scene.fit_into({scene.units(300), scene.units(200)}));
    title_lines_ = scene.text().wrap(scene.caption().text, width() - 2 * margin(), title_);
  }

  Image draw() const {
    Image page(width(), height());
    cv::Mat canvas = codec::view(page);
    canvas.setTo(kPaper);
    int baseline = margin() + title_.height;
    for (const std::string& line : title_lines_) {
      scene_.text().draw(canvas, line, {margin(), baseline}, title_);
      baseline += title_line();
    }
    draw_key(canvas);
    draw_bands(canvas);
    for (std::size_t i = 0; i < scene_.words().size(); ++i) draw_word(canvas, i);
    return page;
  }

 private:
  int margin() const { return scene_.units(36); }
  int gap() const { return scene_.units(5); }
  int space() const { return scene_.units(14); }
  int title_line() const { return scene_.units(44); }
  int row_height() const { return scene_.units(30); }
  int row_step() const { return row_height() + scene_.units(4); }
  int band_height() const { return scene_.units(34); }
  int key_top() const { return margin() + static_cast<int>(title_lines_.size()) * title_line() + scene_.units(6); }
  int bands_top() const { return key_top() + thumbnail_.rows + scene_.units(44); }
  int rows_top() const { return bands_top() + band_height() + scene_.units(8); }
  int left() const { return margin() + words_width_ + space(); }
  int column(int row, int col) const { return left() + row * (scene_.cols() * cell_ + gap()) + col * cell_; }
  int right() const { return column(scene_.rows(), 0) - gap() + space(); }
  int width() const {
    const int numbers = percent_width_ + (gate_width_ > 0 ? space() + gate_width_ : 0);
    return std::max(right() + numbers + margin(), scene_.units(900));
  }
  int height() const { return rows_top() + static_cast<int>(scene_.words().size()) * row_step() + margin(); }

  /// The small picture with the map's rows on it, what the columns are, and the colours.
  void draw_key(cv::Mat& canvas) const {
    cv::Mat picture = canvas(cv::Rect(cv::Point(margin(), key_top()), thumbnail_.size()));
    thumbnail_.copyTo(picture);
    mark_rows(canvas);
    const int x = margin() + thumbnail_.cols + scene_.units(60);
    const int line = scene_.units(26);
    int y = key_top() + line;
    const TextPainter::Style style{scene_.units(17), Weight::kRegular, kPale};
    const bool global = scene_.options().scale == OverlayOptions::Scale::kGlobal;
    const std::string lines[] = {
        "A column is a cell of the map of " + map_size(scene_) + ";",
        "its " + std::to_string(scene_.rows()) + " rows stand side by side, below what they see.",
        std::string("The colours go from no attention to ") +
            (global ? "the caption's peak:" : "each word's own peak:")};
    for (const std::string& text : lines) {
      scene_.text().draw(canvas, text, {x, y}, style);
      y += line;
    }
    const cv::Rect ramp(x, y - scene_.units(10), scene_.units(256), scene_.units(14));
    for (int i = 0; i < ramp.width; ++i) {
      const cv::Vec3b& colour = scene_.colours()[static_cast<std::size_t>(i * 255 / std::max(1, ramp.width - 1))];
      canvas(cv::Rect(ramp.x + i, ramp.y, 1, ramp.height)).setTo(colour);
    }
  }

  /// On the small picture the map's outline and rows, and beside it their numbers; of many rows only some.
  void mark_rows(cv::Mat& canvas) const {
    cv::Mat picture = canvas(cv::Rect(cv::Point(margin(), key_top()), thumbnail_.size()));
    const auto map_rows = [&](int first, int last) {
      return scene_.cell_on_tile(first, 0, picture.size()) |
             scene_.cell_on_tile(last, scene_.cols() - 1, picture.size());
    };
    const int last_row = scene_.rows() - 1;
    const cv::Rect map = map_rows(0, last_row);
    cv::rectangle(picture, map, kPaper, 1);
    // As many as there is room for numbers.
    const int step = cvCeil(double(small_.height) * scene_.rows() / std::max(1, map.height));
    for (int row = 0; row <= last_row; row += step) {
      const cv::Rect rows = map_rows(row, std::min(row + step - 1, last_row));
      cv::line(picture, rows.tl(), {rows.br().x - 1, rows.y}, kPaper, 1);
      const cv::Rect numbered = map_rows(row, row);
      const cv::Point beside(margin() + thumbnail_.cols + scene_.units(6),
                             key_top() + numbered.y + (numbered.height + cvRound(0.73 * small_.height)) / 2);
      scene_.text().draw(canvas, std::to_string(row + 1), beside, small_);
    }
  }

  /// Above its columns each row of the map as the picture shows it, and its number.
  void draw_bands(cv::Mat& canvas) const {
    for (int row = 0; row < scene_.rows(); ++row) {
      const std::string name = std::to_string(row + 1);
      const int middle = (column(row, 0) + column(row, scene_.cols())) / 2;
      scene_.text().draw(canvas, name, {middle - scene_.text().width(name, small_) / 2, bands_top() - scene_.units(8)},
                         small_);
      for (int col = 0; col < scene_.cols(); ++col) {
        const cv::Mat pixels = scene_.cell(row, col);
        const cv::Rect place(column(row, col), bands_top(), cell_, band_height());
        if (pixels.empty()) {
          canvas(place).setTo(kTrack);
        } else {
          codec::resize(pixels, place.size()).copyTo(canvas(place));
        }
      }
    }
  }

  void draw_word(cv::Mat& canvas, std::size_t index) const {
    const Glimpse& word = scene_.words()[index];
    const TextPainter& text = scene_.text();
    const int top = rows_top() + static_cast<int>(index) * row_step();
    const int baseline = top + scene_.units(22);
    const std::string name = text.shorten(word.word, words_width_, word_);
    text.draw(canvas, name, {margin() + words_width_ - text.width(name, word_), baseline}, word_);
    const double peak = scene_.peak(word);
    for (int row = 0; row < scene_.rows(); ++row) {
      for (int col = 0; col < scene_.cols(); ++col) {
        const double value = word.alpha[static_cast<std::size_t>(row * scene_.cols() + col)];
        const double share = value > 0 && peak > 0 ? std::min(value / peak, 1.0) : 0;
        canvas(cv::Rect(column(row, col), top, cell_, row_height()))
            .setTo(scene_.colours()[static_cast<std::size_t>(255 * share + 0.5)]);
      }
    }
    const std::string likely = percent(word.log_prob);
    text.draw(canvas, likely, {right() + percent_width_ - text.width(likely, number_), baseline}, number_);
    text.draw(canvas, gate(word.beta, text), {right() + percent_width_ + space(), baseline}, small_);
  }

  const Scene& scene_;
  TextPainter::Style word_;
  TextPainter::Style number_;
  TextPainter::Style small_;
  TextPainter::Style title_;
  int cell_ = 1;  ///< a column's width
  int words_width_ = 0;
  int percent_width_ = 0;
  int gate_width_ = 0;
  cv::Mat thumbnail_;
  std::vector<std::string> title_lines_;
};

}  // namespace

Image draw_matrix(const Scene& scene) { return Matrix(scene).draw(); }

}  // namespace glimpse
