#include <zlib.h>

#include "image/format.h"

namespace glimpse::codec {
namespace {

constexpr std::size_t kSignatureSize = 8;
constexpr std::uint32_t kLargestSide = 1'000'000;  // libpng's own limit

std::uint32_t crc(Bytes bytes) {
  return static_cast<std::uint32_t>(crc32_z(0, reinterpret_cast<const Bytef*>(bytes.data()), bytes.size()));
}

struct Chunk {
  std::string_view type;
  Bytes data;
  Bytes whole;  ///< length, type, data and check sum
};

/// Calls `visit(chunk)` for each chunk from the one at `at` up to and including IEND. With `check` the check sums of
/// critical chunks are verified.
template <typename Visit>
void for_each_chunk(Bytes bytes, bool check, const Visit& visit) {
  const ByteView view(bytes, true);
  for (std::size_t at = kSignatureSize;;) {
    if (at == bytes.size()) throw Malformed("the file is cut short: its end (IEND) is missing");
    const std::size_t length = view.u32(at);
    Chunk chunk;
    chunk.whole = view.slice(at, length + 12);
    chunk.data = chunk.whole.subspan(8, length);
    chunk.type = std::string_view(reinterpret_cast<const char*>(chunk.whole.data()) + 4, 4);
    const bool critical = (static_cast<unsigned char>(chunk.type[0]) & 0x20U) == 0;
    if (check && critical && crc(chunk.whole.subspan(4, length + 4)) != view.u32(at + 8 + length)) {
      throw Malformed("its chunk at byte " + std::to_string(at) + " is damaged (wrong check sum)");
    }
    visit(chunk);
    if (chunk.type == "IEND") return;
    at += length + 12;
  }
}

struct ImageHeader {
  std::uint32_t width = 0;
  std::uint32_t height = 0;
  int depth = 0;
  int colour = 0;
};

constexpr int kGrey = 0;
constexpr int kPalette = 3;

ImageHeader read_image_header(Bytes bytes) {
  const ByteView view(bytes, true);
  if (view.u32(kSignatureSize) != 13 || !view.has(kSignatureSize + 4, "IHDR")) {
    throw Malformed("its first chunk is not a PNG header");
  }
  ImageHeader header;
  header.width = view.u32(16);
  header.height = view.u32(20);
  header.depth = view.u8(24);
  header.colour = view.u8(25);
  const bool small_depth = header.depth == 1 || header.depth == 2 || header.depth == 4;
  const bool depth_fits = header.depth == 8 || (header.depth == 16 && header.colour != kPalette) ||
                          (small_depth && (header.colour == kGrey || header.colour == kPalette));
  const bool colour_fits = header.colour <= 6 && header.colour != 1 && header.colour != 5;
  if (!depth_fits || !colour_fits || view.u8(26) != 0 || view.u8(27) != 0 || view.u8(28) > 1) {
    throw Malformed("its PNG header has impossible values");
  }
  return header;
}

void check_palette(const Chunk& chunk, const ImageHeader& header) {
  const std::size_t most = std::size_t{3} << header.depth;
  if (chunk.data.empty() || chunk.data.size() % 3 != 0 || chunk.data.size() > most) {
    throw Malformed("its palette has " + std::to_string(chunk.data.size()) + " bytes");
  }
}

/// Whether transparency information has the size that the colour type asks for.
bool transparency_fits(const Chunk& chunk, const ImageHeader& header) {
  if (header.colour == kPalette) return !chunk.data.empty() && chunk.data.size() <= (std::size_t{1} << header.depth);
  return header.colour == 2 && chunk.data.size() == 6;
}

}  // namespace

Header read_png_header(Bytes bytes) {
  const ImageHeader image = read_image_header(bytes);
  if (image.width == 0 || image.height == 0 || image.width > kLargestSide || image.height > kLargestSide) {
    throw Malformed("its header says " + std::to_string(image.width) + "×" + std::to_string(image.height) + " pixels");
  }
  Header header;
  header.width = image.width;
  header.height = image.height;
  try {
    for_each_chunk(bytes, false, [&](const Chunk& chunk) {
      if (chunk.type == "eXIf") header.orientation = exif_orientation(chunk.data);
    });
  } catch (const Malformed&) {
    header.cut_short = true;
  }
  return header;
}

Prepared prepare_png(Bytes bytes) {
  const ImageHeader header = read_image_header(bytes);
  Prepared prepared(bytes);
  prepared.keep_format = true;
  std::string& out = prepared.rewrite(kSignatureSize);
  out.reserve(bytes.size());
  bool palette = false;
  bool transparency = false;
  bool data = false;
  // Only what the pixels need is passed on: libpng complains about much else (colour profiles above all).
  for_each_chunk(bytes, true, [&](const Chunk& chunk) {
    const bool first = chunk.whole.data() == bytes.data() + kSignatureSize;
    const bool useful_palette = chunk.type == "PLTE" && header.colour == kPalette;
    if (useful_palette) {
      if (palette || data) throw Malformed("it has a palette in the wrong place");
      check_palette(chunk, header);
      palette = true;
    }
    const bool useful_transparency = chunk.type == "tRNS" && transparency_fits(chunk, header) && !transparency &&
                                     !data && palette == (header.colour == kPalette);
    transparency = transparency || useful_transparency;
    const bool useful_data = chunk.type == "IDAT" && !chunk.data.empty();
    data = data || useful_data;
    if ((chunk.type == "IHDR" && first) || useful_data || chunk.type == "IEND" || useful_palette ||
        useful_transparency) {
      out.append(reinterpret_cast<const char*>(chunk.whole.data()), chunk.whole.size());
    }
  });
  if (!data) throw Malformed("it has no picture data");
  if (header.colour == kPalette && !palette) throw Malformed("its palette is missing");
  return prepared;
}

}  // namespace glimpse::codec
