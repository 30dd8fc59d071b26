#include "overlay/label.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdio>
#include <opencv2/imgproc.hpp>

namespace glimpse {
namespace {

using Weight = TextPainter::Weight;

constexpr double kBar = 4;
constexpr double kLine = 26;   // from the bar to the base line, and from line to line
constexpr double kBelow = 14;  // below the last base line
constexpr double kApart = 12;  // between texts of a line

}  // namespace

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

std::string gate(double beta, const TextPainter& text) {
  constexpr double kOpen = 0.995;
  if (!(beta < kOpen)) return {};
  std::array<char, 32> buffer = {};
  std::snprintf(buffer.data(), buffer.size(), "%s %.2f", text.has_font() ? "β" : "gate", beta);
  return buffer.data();
}

std::string map_size(const Scene& scene) {
  return std::to_string(scene.rows()) + (scene.text().has_font() ? " × " : " x ") + std::to_string(scene.cols()) +
         " cells";
}

void draw_frame(cv::Mat& canvas, const cv::Rect& picture) {
  cv::rectangle(canvas, {picture.x - 1, picture.y - 1, picture.width + 2, picture.height + 2}, kTrack);
}

void draw_likelihood(cv::Mat& canvas, const cv::Rect& bar, double log_prob) {
  const double likely = std::exp(log_prob);
  const double probability = likely > 0 ? std::min(likely, 1.0) : 0;  // not a number: none
  cv::rectangle(canvas, bar, kTrack, cv::FILLED);
  cv::rectangle(canvas, cv::Rect(bar.tl(), cv::Size(cvRound(bar.width * probability), bar.height)), kInk, cv::FILLED);
}

Labels::Labels(const Scene& scene, int width)
    : scene_(scene),
      width_(width),
      word_{scene.units(23), Weight::kBold, kInk},
      number_{scene.units(18), Weight::kRegular, kInk},
      gate_{scene.units(14), Weight::kRegular, kPale} {
  two_lines_ = std::any_of(scene.words().begin(), scene.words().end(), [&](const Glimpse& word) {
    return scene.text().width(word.word, word_) + numbers_width(word) > width;
  });
}

int Labels::numbers_width(const Glimpse& word) const {
  const TextPainter& text = scene_.text();
  int width = scene_.units(kApart) + text.width(percent(word.log_prob), number_);
  const std::string beta = gate(word.beta, text);
  if (!beta.empty()) width += scene_.units(kApart) + text.width(beta, gate_);
  return width;
}

int Labels::height() const { return scene_.units(kBar + kLine * (two_lines_ ? 2 : 1) + kBelow); }

void Labels::draw(cv::Mat& canvas, const Glimpse& word, const cv::Point& corner) const {
  const TextPainter& text = scene_.text();
  draw_likelihood(canvas, {corner, cv::Size(width_, scene_.units(kBar))}, word.log_prob);
  const int first_line = corner.y + scene_.units(kBar + kLine);
  const int last_line = two_lines_ ? first_line + scene_.units(kLine) : first_line;

  const std::string likely = percent(word.log_prob);
  const int likely_width = text.width(likely, number_);
  const std::string beta = gate(word.beta, text);
  const int beta_width = text.width(beta, gate_);
  if (two_lines_) {
    text.draw(canvas, likely, {corner.x, last_line}, number_);
    const int after = corner.x + likely_width + scene_.units(kApart);
    if (after + beta_width <= corner.x + width_) text.draw(canvas, beta, {after, last_line}, gate_);
  } else {
    const int right = corner.x + width_ - likely_width;
    text.draw(canvas, likely, {right, last_line}, number_);
    text.draw(canvas, beta, {right - scene_.units(kApart) - beta_width, last_line}, gate_);
  }

  // A long word is written smaller before any of it is left out.
  constexpr double kSmallest = 0.7;
  TextPainter::Style style = word_;
  const int room = two_lines_ ? width_ : width_ - numbers_width(word);
  const int wanted = std::max(1, text.width(word.word, style));
  style.height = std::clamp(style.height * room / wanted, cvRound(kSmallest * word_.height), word_.height);
  text.draw(canvas, text.shorten(word.word, room, style), {corner.x, first_line}, style);
}

void draw_legend(cv::Mat& canvas, const Scene& scene, const cv::Point& origin, int width) {
  const TextPainter& text = scene.text();
  const TextPainter::Style style{scene.units(14), Weight::kRegular, kPale};
  const bool box = scene.options().style == OverlayOptions::Style::kBox;
  const bool global = scene.options().scale == OverlayOptions::Scale::kGlobal;
  int x = origin.x;
  const auto put = [&](const std::string& part) {
    const int part_width = text.width(part, style);
    if (x + part_width > origin.x + width) return false;
    text.draw(canvas, part, {x, origin.y}, style);
    x += part_width + scene.units(10);
    return true;
  };
  if (!box) put("attention  0");
  const cv::Rect place(x, origin.y - scene.units(10), box ? scene.units(24) : std::min(scene.units(110), width / 3),
                       scene.units(10));
  cv::Mat ramp = canvas(place & cv::Rect(cv::Point(), canvas.size()));
  if (!ramp.empty()) scene.paint_ramp(ramp);
  x += place.width + scene.units(10);
  if (box) {
    put("half of the attention");
  } else if (global) {
    put(scene.words().empty() ? "" : percent(std::log(scene.peak(scene.words().front()))));
  } else if (!put("the word's peak")) {
    put("peak");
  }
  put((text.has_font() ? "·  " : "|  ") + map_size(scene));
}

}  // namespace glimpse
