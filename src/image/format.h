/// Reads picture files before OpenCV sees them: format, size (checked against the limits before anything of that size
/// is allocated), orientation, and whether the file is whole. `prepare_*` then gives OpenCV only bytes that its
/// decoders take silently: on damage, they and the libraries under them write to standard error, which a library must
/// not do.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "image/bytes.h"

namespace glimpse::codec {

enum class Format { kJpeg, kPng, kWebp, kTiff, kBmp, kPnm, kGif };

/// Recognises a format by its first bytes, not by the file name. Nothing for an unknown format.
std::optional<Format> sniff(Bytes bytes);
/// Describes unknown bytes, for the message: 'a PDF file', or 'starts with "<!DOCTYPE"'.
std::string describe_unknown(Bytes bytes);

struct Header {
  std::int64_t width = 0;  ///< as stored, before orientation
  std::int64_t height = 0;
  int orientation = 1;     ///< EXIF's 1..8
  bool cut_short = false;  ///< the end of the file is missing, but a part may be decodable
};

/// How the colours are joined with the alpha channel, where there is one.
enum class Alpha { kStraight, kPremultiplied, kUnreliable };

/// The bytes for OpenCV: the file's own, or rewritten ones.
class Prepared {
 public:
  explicit Prepared(Bytes original) : original_(original) {}

  bool keep_format = false;  ///< decode alpha and 16 bits as stored (IMREAD_UNCHANGED), not as 8-bit colour
  Alpha alpha = Alpha::kStraight;

  /// An empty string to be filled with what stands in place of the file's bytes.
  std::string& rewrite() { return rewritten_.emplace(); }
  /// The same, starting from a copy of the first `count` bytes.
  std::string& rewrite(std::size_t count) {
    return rewritten_.emplace(reinterpret_cast<const char*>(original_.data()), count);
  }
  Bytes bytes() const { return rewritten_ ? as_bytes(*rewritten_) : original_; }

 private:
  Bytes original_;
  std::optional<std::string> rewritten_;
};

/// EXIF's orientation (tag 0x0112) of the TIFF structure that EXIF is; 1 where it is missing, damaged or out of range.
int exif_orientation(Bytes tiff);

/// Each throws Malformed.
Header read_jpeg_header(Bytes bytes);
Header read_png_header(Bytes bytes);
Header read_webp_header(Bytes bytes);
Header read_tiff_header(Bytes bytes);
Header read_bmp_header(Bytes bytes);
Header read_gif_header(Bytes bytes);

/// P1 to P6. Read here and not by OpenCV, which neither scales samples to the file's own maximum nor keeps what there
/// is of a file that is cut short.
struct PnmHeader : Header {
  int channels = 1;
  bool text = false;
  int maximum = 1;    ///< of a sample, up to 65535
  bool bits = false;  ///< a bit a pixel, 1 is black
  std::size_t pixels_at = 0;
};
PnmHeader read_pnm_header(Bytes bytes);
/// Samples scaled to 0..255, in dst [height, width, channels], which is white where the file ends too early.
void decode_pnm(Bytes bytes, const PnmHeader& header, std::span<std::uint8_t> dst);

/// After the limits were checked. Each throws Malformed.
Prepared prepare_jpeg(Bytes bytes);
Prepared prepare_png(Bytes bytes);
Prepared prepare_tiff(Bytes bytes);
Prepared prepare_bmp(Bytes bytes);

}  // namespace glimpse::codec
