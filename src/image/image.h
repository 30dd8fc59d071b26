/// Pictures from files: decoded, upright, 8-bit RGB, within limits; made into the encoder's input; and the way back
/// from map cells to source pixels.
#pragma once

#include <cstdint>
#include <filesystem>
#include <span>
#include <string>

#include "core/buffer.h"
#include "core/geometry.h"
#include "core/preprocess.h"

namespace glimpse {

/// 8-bit RGB, interleaved, rows dense, upright. Movable, not copyable.
struct Image {
  int width = 0;  ///< of the pixels held here
  int height = 0;
  int source_width = 0;  ///< of the upright original: larger where the decoder scaled down
  int source_height = 0;
  AlignedBuffer pixels;  ///< [height, width, 3]

  Image() = default;
  Image(int width, int height);  ///< uninitialised pixels, source size = own size
  std::uint8_t* row(int y);
  const std::uint8_t* row(int y) const;
};

struct LoadOptions {
  std::size_t max_bytes = std::size_t{256} << 20;     ///< of the file
  std::size_t max_pixels = std::size_t{200'000'000};  ///< of the header's width × height, checked before decoding
  /// Decode no larger than needed: a JPEG whose upright sides are at least twice these is scaled inside its DCT (to
  /// 1/2, 1/4, 1/8), never below them. 0: full size.
  int min_width = 0;
  int min_height = 0;
};

/// JPEG, PNG, WebP, TIFF, BMP, PNM; by the bytes, not by the name. EXIF orientation applied, grey widened, alpha
/// composited on white, 16-bit and real samples scaled to 8 bits, CMYK converted. Throws Error naming the file:
/// kMissing, kPermission, kIo, kTooLarge (by the header, before decoding), kDecode ("not a picture (starts with …)";
/// GIF, which OpenCV 4.6 does not read; animated WebP). A JPEG, BMP or PNM that is cut short is returned as far as it
/// goes, the rest grey, black or white; other formats must be whole. Nothing is printed, except by libjpeg and OpenCV
/// themselves on damage inside JPEG's and TIFF's compressed data; OpenCV's log level is as before when the
/// call returns.
Image load_image(const std::filesystem::path& path, const LoadOptions& options = {});
/// The same from memory; `name` stands for the file in messages.
Image decode_image(std::span<const std::byte> bytes, const std::string& name, const LoadOptions& options = {});

/// PNG, atomically. Throws Error(kIo, kPermission).
void write_png(const Image& image, const std::filesystem::path& path);

/// The affine way from the model's input pixels to the upright source's: source = offset + scale · input, an axis each.
struct ViewTransform {
  double offset_x = 0, offset_y = 0;
  double scale_x = 1, scale_y = 1;
  int source_width = 0, source_height = 0;
  int input_width = 0, input_height = 0;

  /// The source rectangle that cells [row, row + row_count) × [col, col + col_count) of a rows × cols map cover,
  /// clipped to the picture.
  Rect cells_to_source(int row, int col, int row_count, int col_count, int rows, int cols) const;
};

/// Where the input's pixels come from for a picture of this size. Throws Error(kUsage) for a side without pixels.
ViewTransform view_transform(const Preprocess& preprocess, int source_width, int source_height);

/// Resizes with anti-aliasing (area when shrinking), normalises, and writes dst [3, height, width]. Throws
/// Error(kUsage) for a picture without pixels and for a `dst` of another size.
ViewTransform to_input(const Image& image, const Preprocess& preprocess, std::span<float> dst);

/// The last part of `to_input` alone, for pixels that have the input's size already: 8-bit RGB [height, width, 3] → dst
/// [3, height, width], normalised, in the model's channel order. Throws Error(kUsage) for other sizes.
void normalise(std::span<const std::uint8_t> pixels, const Preprocess& preprocess, std::span<float> dst);

}  // namespace glimpse
