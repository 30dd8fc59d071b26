#include "overlay/overlay.h"

#include <array>
#include <cstdio>
#include <string_view>

#include "core/error.h"
#include "core/text.h"
#include "overlay/layouts.h"

namespace glimpse {
namespace {

using Layout = OverlayOptions::Layout;

/// How long an animation shows the picture with its whole caption, and each word.
constexpr int kCaptionTime = 1600;
constexpr int kWordTime = 900;

void check_ranges(const OverlayOptions& options) {
  constexpr int kNarrowest = 64;
  constexpr int kWidest = 2048;
  if (options.tile_width < kNarrowest || options.tile_width > kWidest) {
    throw Error(ErrorCode::kUsage, "a tile of " + std::to_string(options.tile_width) + " pixels; it may have " +
                                       std::to_string(kNarrowest) + " to " + std::to_string(kWidest));
  }
  if (!(options.alpha >= 0 && options.alpha <= 1)) {
    throw Error(ErrorCode::kUsage, "an opacity of " + std::to_string(options.alpha) + "; it may be 0 to 1");
  }
}

void check_attention(const Caption& caption, int rows, int cols) {
  for (const Glimpse& glimpse : caption.glimpses) {
    if (glimpse.alpha.size() != static_cast<std::size_t>(rows) * static_cast<std::size_t>(cols)) {
      throw Error(ErrorCode::kInternal, "attention of " + std::to_string(glimpse.alpha.size()) + " cells where " +
                                            std::to_string(rows) + "×" + std::to_string(cols) + " are expected");
    }
  }
}

/// The word as part of a file's name that no shell or file system minds: letters, digits, '-' and what is not ASCII;
/// cut where it is long.
std::string name_part(const std::string& word) {
  constexpr std::size_t kLongest = 40;
  const std::string text = to_valid_utf8(word);
  std::string name;
  for (std::string_view rest = text; !rest.empty();) {
    const std::size_t length = utf8_sequence_length(rest);
    if (name.size() + length > kLongest) break;
    const char c = rest.front();
    const bool plain = (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '-';
    if (length > 1 || plain) {
      name += rest.substr(0, length);
    } else {
      name += '_';
    }
    rest.remove_prefix(length);
  }
  return name.empty() ? "_" : name;
}

/// ".glimpses.01-dog.png"
std::string word_suffix(std::size_t index, const std::string& word) {
  std::array<char, 16> number = {};
  std::snprintf(number.data(), number.size(), "%02zu", index + 1);
  return ".glimpses." + std::string(number.data()) + "-" + name_part(word) + ".png";
}

Overlay still(std::string suffix, Image image) {
  Overlay overlay{std::move(suffix), {}, false};
  overlay.frames.push_back({std::move(image), 0});
  return overlay;
}

std::vector<Overlay> draw(const Scene& scene) {
  std::vector<Overlay> overlays;
  switch (scene.options().layout) {
    case Layout::kSheet:
      overlays.push_back(still(".glimpses.png", draw_sheet(scene)));
      break;
    case Layout::kStrip:
      overlays.push_back(still(".glimpses.png", draw_strip(scene)));
      break;
    case Layout::kMatrix:
      overlays.push_back(still(".glimpses.png", draw_matrix(scene)));
      break;
    case Layout::kWords: {
      std::vector<Image> pages = draw_words(scene, false);
      for (std::size_t i = 0; i < pages.size(); ++i) {
        overlays.push_back(still(word_suffix(i, scene.words()[i].word), std::move(pages[i])));
      }
      break;
    }
    case Layout::kAnimation: {
      overlays.push_back({".glimpses.webp", {}, true});
      for (Image& page : draw_words(scene, true)) {
        const int time = overlays[0].frames.empty() ? kCaptionTime : kWordTime;
        overlays[0].frames.push_back({std::move(page), time});
      }
      break;
    }
  }
  return overlays;
}

}  // namespace

void check_overlay_options(const OverlayOptions& options) {
  check_ranges(options);
  colour_table(options.colormap);
  const TextPainter opens_the_font(options.font);
}

std::vector<Overlay> draw_overlays(const Image& photo, const Caption& caption, int rows, int cols,
                                   const ViewTransform& transform, const OverlayOptions& options) {
  check_ranges(options);
  check_attention(caption, rows, cols);
  try {
    return draw(Scene(photo, caption, rows, cols, transform, options));
  } catch (const cv::Exception& error) {
    throw Error(ErrorCode::kInternal, "cannot draw the overlay: OpenCV: " + error.err);
  }
}

std::filesystem::path write_overlay(const Overlay& overlay, const std::filesystem::path& stem) {
  std::filesystem::path path = stem;
  path += overlay.suffix;
  if (overlay.animated) {
    write_animation(overlay.frames, path);
  } else {
    write_png(overlay.frames.front().image, path);
  }
  return path;
}

}  // namespace glimpse
