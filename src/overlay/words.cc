// The `words` layout, and an animation's frames: the picture as large as it is good, and the caption below.
#include <algorithm>
#include <optional>

#include "image/pixels.h"
#include "overlay/label.h"
#include "overlay/layouts.h"

namespace glimpse {
namespace {

using Weight = TextPainter::Weight;

/// A page's measures, and where each of the caption's words stands: alike on all pages, so that nothing moves when they
/// are shown one after the other.
class Pages {
 public:
  explicit Pages(const Scene& scene)
      : scene_(scene), plain_(scene.picture(picture_size(scene))), margin_(scene.units(24)) {
    width_ = std::max(plain_.cols, scene.units(480));
    place_words();
  }

  /// With one of the words set off, or none.
  Image draw(std::optional<std::size_t> word) const {
    Image page(2 * margin_ + width_, bar_y() + scene_.units(22) + lines_ * line() + scene_.units(36) + margin_);
    cv::Mat canvas = codec::view(page);
    canvas.setTo(kPaper);
    const cv::Rect place(cv::Point(margin_ + (width_ - plain_.cols) / 2, margin_), plain_.size());
    cv::Mat picture = canvas(place);
    plain_.copyTo(picture);
    draw_frame(canvas, place);
    if (word) scene_.paint(picture, scene_.words()[*word]);
    for (std::size_t i = 0; i < places_.size(); ++i) {
      TextPainter::Style style = this->style();
      if (word && *word != i) style.colour = kFaint;
      scene_.text().draw(canvas, shown(i), places_[i], style);
    }
    if (word) draw_numbers(canvas, scene_.words()[*word]);
    return page;
  }

 private:
  /// As large as three tiles; what is small is not blown up as far.
  static cv::Size picture_size(const Scene& scene) {
    const int side = std::clamp(scene.longer_side(), scene.units(480), scene.units(960));
    return scene.fit_into({side, side});
  }

  int line() const { return scene_.units(46); }
  int bar_y() const { return margin_ + plain_.rows + scene_.units(10); }
  std::string shown(std::size_t i) const { return scene_.text().shorten(scene_.words()[i].word, width_, style()); }
  TextPainter::Style style() const { return {scene_.units(34), Weight::kBold, kInk}; }

  void place_words() {
    const int space = scene_.units(12);
    int x = 0;
    for (std::size_t i = 0; i < scene_.words().size(); ++i) {
      const int needed = scene_.text().width(shown(i), style());
      if (x > 0 && x + needed > width_) {
        x = 0;
        ++lines_;
      }
      places_.emplace_back(margin_ + x, bar_y() + scene_.units(22) + lines_ * line() - scene_.units(10));
      x += needed + space;
    }
  }

  /// The bar below the picture, and the numbers below the caption.
  void draw_numbers(cv::Mat& canvas, const Glimpse& word) const {
    draw_likelihood(canvas, {margin_, bar_y(), width_, scene_.units(6)}, word.log_prob);
    const TextPainter::Style style{scene_.units(20), Weight::kRegular, kPale};
    const std::string beta = gate(word.beta, scene_.text());
    const std::string numbers = "probability " + percent(word.log_prob) + (beta.empty() ? "" : "     " + beta);
    scene_.text().draw(canvas, numbers, {margin_, canvas.rows - margin_}, style);
  }

  static inline const cv::Scalar kFaint{178, 182, 191};

  const Scene& scene_;
  cv::Mat plain_;
  int margin_;
  int width_ = 0;
  int lines_ = 1;
  std::vector<cv::Point> places_;  ///< of the words' base lines
};

}  // namespace

std::vector<Image> draw_words(const Scene& scene, bool plain) {
  const Pages pages(scene);
  std::vector<Image> result;
  if (plain) result.push_back(pages.draw(std::nullopt));
  for (std::size_t i = 0; i < scene.words().size(); ++i) result.push_back(pages.draw(i));
  return result;
}

}  // namespace glimpse
