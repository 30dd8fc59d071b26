#include "overlay/text.h"

#include <algorithm>
#include <opencv2/freetype.hpp>
#include <opencv2/imgproc.hpp>
#include <system_error>

#include "core/error.h"
#include "core/text.h"

namespace glimpse {
namespace {

constexpr int kFilled = -1;
/// The stroke font's capitals are 21 units high at scale 1; a TrueType font's about 0.73 of its height.
constexpr double kStrokeScale = 0.73 / 21;

cv::Ptr<cv::freetype::FreeType2> open_font(const std::filesystem::path& path) {
  auto face = cv::freetype::createFreeType2();
  face->loadFontData(path.native(), 0);
  return face;
}

/// The first of `folders` that has the file, or nothing.
std::filesystem::path find_installed(const std::vector<std::filesystem::path>& folders, const char* name) {
  for (const std::filesystem::path& folder : folders) {
    std::error_code ignored;
    if (std::filesystem::is_regular_file(folder / name, ignored)) return folder / name;
  }
  return {};
}

/// The stroke font knows ASCII only: one '?' for each other character.
std::string to_ascii(std::string_view text) {
  std::string result;
  while (!text.empty()) {
    const std::size_t length = std::max<std::size_t>(utf8_sequence_length(text), 1);
    const char c = text.front();
    result += length == 1 && c >= ' ' && c <= '~' ? c : '?';
    text.remove_prefix(length);
  }
  return result;
}

double stroke_scale(const TextPainter::Style& style) { return kStrokeScale * style.height; }

int stroke_thickness(const TextPainter::Style& style) {
  return std::max(1, style.height / (style.weight == TextPainter::Weight::kBold ? 9 : 18));
}

}  // namespace

std::vector<std::filesystem::path> TextPainter::usual_folders() {
  return {"/usr/share/fonts/truetype/dejavu", "/usr/share/fonts/TTF", "/usr/share/fonts/dejavu-sans-fonts",
          "/usr/share/fonts/dejavu", "/usr/local/share/fonts"};
}

TextPainter::TextPainter(const std::filesystem::path& font, const std::vector<std::filesystem::path>& folders) {
  if (!font.empty()) {
    try {
      regular_ = bold_ = open_font(font);
    } catch (const cv::Exception&) {
      throw Error(ErrorCode::kUsage,
                  "cannot load the font " + quote(font.native()) + ": it is missing or no TrueType or OpenType font");
    }
    return;
  }
  try {
    const std::filesystem::path regular = find_installed(folders, "DejaVuSans.ttf");
    const std::filesystem::path bold = find_installed(folders, "DejaVuSans-Bold.ttf");
    if (!regular.empty()) regular_ = open_font(regular);
    if (!regular.empty()) bold_ = bold.empty() ? regular_ : open_font(bold);
  } catch (const cv::Exception&) {
    // A damaged installation is no reason not to draw: the stroke font is always there.
    regular_.release();
    bold_.release();
  }
}

TextPainter::~TextPainter() = default;

const cv::Ptr<cv::freetype::FreeType2>& TextPainter::face(Weight weight) const {
  return weight == Weight::kBold ? bold_ : regular_;
}

int TextPainter::width(const std::string& text, const Style& style) const {
  if (text.empty()) return 0;
  int baseline = 0;
  if (has_font()) return face(style.weight)->getTextSize(to_valid_utf8(text), style.height, kFilled, &baseline).width;
  return cv::getTextSize(to_ascii(text), cv::FONT_HERSHEY_SIMPLEX, stroke_scale(style), stroke_thickness(style),
                         &baseline)
      .width;
}

void TextPainter::draw(cv::Mat& canvas, const std::string& text, const cv::Point& origin, const Style& style) const {
  if (text.empty()) return;
  if (has_font()) {
    constexpr bool kOriginIsBaseline = true;
    face(style.weight)
        ->putText(canvas, to_valid_utf8(text), origin, style.height, style.colour, kFilled, cv::LINE_AA,
                  kOriginIsBaseline);
  } else {
    cv::putText(canvas, to_ascii(text), origin, cv::FONT_HERSHEY_SIMPLEX, stroke_scale(style), style.colour,
                stroke_thickness(style), cv::LINE_AA);
  }
}

std::vector<std::string> TextPainter::wrap(const std::string& text, int width, const Style& style) const {
  std::vector<std::string> lines;
  std::string line;
  for (const std::string_view word : split_words(text)) {
    const std::string longer = line.empty() ? std::string(word) : line + ' ' + std::string(word);
    if (!line.empty() && this->width(longer, style) > width) {
      lines.push_back(line);
      line = word;
    } else {
      line = longer;
    }
    while (this->width(line, style) > width) {
      std::string part;
      std::size_t length = std::max<std::size_t>(utf8_sequence_length(line), 1);
      do {
        part += line.substr(0, length);
        line.erase(0, length);
        length = std::max<std::size_t>(utf8_sequence_length(line), 1);
      } while (!line.empty() && this->width(part + line.substr(0, length), style) <= width);
      lines.push_back(part);
    }
  }
  if (!line.empty()) lines.push_back(line);
  return lines;
}

std::string TextPainter::shorten(const std::string& text, int width, const Style& style) const {
  if (this->width(text, style) <= width) return text;
  const std::string ellipsis = has_font() ? "…" : "...";
  std::string kept;
  for (std::string_view rest = text; !rest.empty();) {
    const std::size_t length = std::max<std::size_t>(utf8_sequence_length(rest), 1);
    const std::string longer = kept + std::string(rest.substr(0, length));
    if (this->width(longer + ellipsis, style) > width) break;
    kept = longer;
    rest.remove_prefix(length);
  }
  return kept.empty() ? kept : kept + ellipsis;
}

}  // namespace glimpse
