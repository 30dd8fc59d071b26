#include "image/format.h"

#include <algorithm>
#include <array>
#include <cstring>

#include "core/error.h"

namespace glimpse::codec {
namespace {

constexpr std::string_view text(const char* bytes, std::size_t size) { return {bytes, size}; }

struct KnownFormat {
  std::size_t at;
  std::string_view signature;
  std::string_view name;
};

/// Common formats that are not supported.
constexpr std::array<KnownFormat, 9> kOthers = {{
    {4, "ftypavif", "an AVIF picture"},
    {4, "ftyphei", "a HEIF picture"},
    {4, "ftypmif1", "a HEIF picture"},
    {4, "jP  \r\n", "a JPEG 2000 picture"},
    {0, text("\xff\x0a", 2), "a JPEG XL picture"},
    {4, "JXL \r\n", "a JPEG XL picture"},
    {0, "8BPS", "a Photoshop file"},
    {0, "gimp xcf", "a GIMP file"},
    {0, "%PDF-", "a PDF file"},
}};

Header sized(std::int64_t width, std::int64_t height) {
  Header header;
  header.width = width;
  header.height = height;
  return header;
}

Header read_vp8_header(const ByteView& view, std::size_t at) {
  if (view.has(at, "VP8 ")) {
    if (view.u8(at + 11) != 0x9d || view.u8(at + 12) != 0x01 || view.u8(at + 13) != 0x2a) {
      throw Malformed("its WebP frame has no start code");
    }
    return sized(view.u16(at + 14) & 0x3fff, view.u16(at + 16) & 0x3fff);
  }
  if (view.has(at, "VP8L")) {
    if (view.u8(at + 8) != 0x2f) throw Malformed("its WebP frame has no signature");
    const std::uint32_t bits = view.u32(at + 9);
    return sized((bits & 0x3fffU) + 1, (bits >> 14 & 0x3fffU) + 1);
  }
  throw Malformed("its WebP frame is of an unknown kind");
}

}  // namespace

std::optional<Format> sniff(Bytes bytes) {
  const ByteView view(bytes);
  if (view.has(0, "\xff\xd8\xff")) return Format::kJpeg;
  if (view.has(0, "\x89PNG\r\n\x1a\n")) return Format::kPng;
  if (view.has(0, "RIFF") && view.has(8, "WEBP")) return Format::kWebp;
  if (view.has(0, text("II\x2a\0", 4)) || view.has(0, text("MM\0\x2a", 4)) || view.has(0, text("II\x2b\0", 4)) ||
      view.has(0, text("MM\0\x2b", 4))) {
    return Format::kTiff;
  }
  if (view.has(0, "GIF87a") || view.has(0, "GIF89a")) return Format::kGif;
  if (view.has(0, "BM") && bytes.size() >= 18 && view.u32(14) <= 124) return Format::kBmp;
  if (bytes.size() >= 3 && view.has(0, "P") && view.u8(1) >= '1' && view.u8(1) <= '6' &&
      (std::strchr(" \t\r\n\v\f#", view.u8(2)) != nullptr && view.u8(2) != 0)) {
    return Format::kPnm;
  }
  return std::nullopt;
}

std::string describe_unknown(Bytes bytes) {
  const ByteView view(bytes);
  for (const KnownFormat& other : kOthers) {
    if (view.has(other.at, other.signature)) {
      return "it is " + std::string(other.name) + "; convert it to JPEG or PNG";
    }
  }
  constexpr std::size_t kShown = 16;
  std::string start(reinterpret_cast<const char*>(bytes.data()), std::min(bytes.size(), kShown));
  start.resize(std::min(start.size(), start.find_first_of(" \t\r\n", 1)));
  start = quote(start);
  start.front() = start.back() = '"';
  return "not a picture (starts with " + start + ")";
}

Header read_webp_header(Bytes bytes) {
  const ByteView view(bytes);
  if (view.u32(4) > bytes.size() - 8) throw Malformed("the file is cut short");
  if (!view.has(12, "VP8X")) return read_vp8_header(view, 12);
  Header header;
  const auto u24 = [&](std::size_t at) { return view.u16(at) | view.u8(at + 2) << 16; };
  header.width = u24(24) + 1;
  header.height = u24(27) + 1;
  if ((view.u8(20) & 2U) != 0) throw Malformed("animated WebP is not supported; convert it to PNG");
  for (std::size_t at = 12; at + 8 <= bytes.size();) {
    const std::size_t length = view.u32(at + 4);
    if (view.has(at, "EXIF") && length <= bytes.size() - at - 8) {
      const std::size_t prefix = view.has(at + 8, text("Exif\0\0", 6)) ? 6 : 0;
      header.orientation = exif_orientation(view.slice(at + 8 + prefix, length - prefix));
    }
    at += 8 + length + length % 2;
  }
  return header;
}

Header read_gif_header(Bytes bytes) {
  const ByteView view(bytes);
  return sized(view.u16(6), view.u16(8));
}

}  // namespace glimpse::codec
