/// Writing on pictures: TrueType through OpenCV's FreeType module, or OpenCV's stroke font where no font file is there.
#pragma once

#include <filesystem>
#include <opencv2/core.hpp>
#include <string>
#include <string_view>
#include <vector>

namespace cv::freetype {
class FreeType2;
}

namespace glimpse {

class TextPainter {
 public:
  enum class Weight { kRegular, kBold };
  struct Style {
    int height = 16;  ///< of the font, in pixels
    Weight weight = Weight::kRegular;
    cv::Scalar colour;
  };

  /// `font` for everything; empty: DejaVu Sans from the first of `folders` that has it, else the stroke font. Throws
  /// Error(kUsage) for a font that cannot be loaded.
  explicit TextPainter(const std::filesystem::path& font,
                       const std::vector<std::filesystem::path>& folders = usual_folders());
  ~TextPainter();
  TextPainter(const TextPainter&) = delete;
  TextPainter& operator=(const TextPainter&) = delete;

  /// Where distributions put DejaVu Sans.
  static std::vector<std::filesystem::path> usual_folders();

  /// False: with the stroke font, which knows ASCII only.
  bool has_font() const { return !regular_.empty(); }

  int width(const std::string& text, const Style& style) const;
  /// From `origin`, the left end of the base line. `canvas` is 8-bit, of three channels; what falls outside is left
  /// out.
  void draw(cv::Mat& canvas, const std::string& text, const cv::Point& origin, const Style& style) const;

  /// `text` in lines of at most `width` pixels, broken between words, and within a word that is longer than a line.
  std::vector<std::string> wrap(const std::string& text, int width, const Style& style) const;
  /// `text`, or as much of it as fits with an ellipsis after it.
  std::string shorten(const std::string& text, int width, const Style& style) const;

 private:
  const cv::Ptr<cv::freetype::FreeType2>& face(Weight weight) const;

  cv::Ptr<cv::freetype::FreeType2> regular_;
  cv::Ptr<cv::freetype::FreeType2> bold_;
};

}  // namespace glimpse
