/// A picture's entry in a report: quantised attention, JPEGs in two sizes.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>

#include "core/error.h"
#include "decoder/caption.h"
#include "image/image.h"

namespace glimpse {

/// Attention in a byte a cell: alpha ≈ values · peak / 255, to within peak / 510. Cells that are no numbers, or below
/// 0, are 0.
struct QuantisedMap {
  double peak = 0;  ///< the largest alpha; 0 where there is none
  std::string values;
};

QuantisedMap quantise(std::span<const float> alpha);

/// RFC 4648, padded.
std::string to_base64(std::string_view bytes);

/// A picture's data in the gallery: members of a JSON object, to follow its path's.
std::string report_summary(const ViewTransform& transform, const Caption& best, bool has_thumb);
/// The same of a failure.
std::string report_summary(const Error& error);

/// JSON: rows, cols, the part of the picture that the map covers ("frame": left, top, width, height as shares of the
/// picture's, beyond 0..1 where the input was padded), and the captions with their words. Throws Error(kInternal) for
/// alphas that are not [rows, cols].
std::string report_details(const ViewTransform& transform, std::span<const Caption> captions, int rows, int cols);

/// The geometric mean of the words' probabilities, 0..1; NaN for a caption without words.
double confidence(const Caption& caption);

/// JPEGs of a picture for the page, none larger than it.
struct ReportPictures {
  std::string picture;  ///< sides of at most 1280 pixels, which fills most windows
  std::string thumb;  ///< of at most 480, a gallery's picture on a fine screen; empty where `picture` is hardly larger
};

/// Throws Error(kInternal).
ReportPictures report_pictures(const Image& picture);

}  // namespace glimpse
