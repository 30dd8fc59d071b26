#include <algorithm>
#include <cstdlib>

#include "image/format.h"

namespace glimpse::codec {
namespace {

constexpr std::size_t kFileHeader = 14;
constexpr std::uint32_t kRle8 = 1;
constexpr std::uint32_t kRle4 = 2;
constexpr std::uint32_t kBitFields = 3;

struct Info {
  std::int64_t width = 0;
  std::int64_t height = 0;
  std::uint32_t bits = 0;
  std::uint32_t compression = 0;
  std::size_t pixels_at = 0;
};

Info read_info(Bytes bytes) {
  const ByteView view(bytes);
  Info info;
  info.pixels_at = view.u32(10);
  const std::uint32_t size = view.u32(kFileHeader);
  std::size_t colours = 0;
  std::size_t colour_size = 4;
  if (size == 12) {
    info.width = view.u16(18);
    info.height = view.u16(20);
    info.bits = view.u16(24);
    colour_size = 3;
  } else if (size >= 40) {
    info.width = static_cast<std::int32_t>(view.u32(18));
    info.height = std::abs(std::int64_t{static_cast<std::int32_t>(view.u32(22))});  // negative: top row first
    info.bits = view.u16(28);
    info.compression = view.u32(30);
    colours = view.u32(46);
  } else {
    throw Malformed("BMP with an information header of " + std::to_string(size) + " bytes is not supported");
  }
  if (info.width <= 0 || info.height <= 0) throw Malformed("its header says that it has no pixels");
  if (info.compression > kBitFields) {
    throw Malformed("BMP with compression " + std::to_string(info.compression) + " is not supported");
  }
  if (info.bits != 1 && info.bits != 4 && info.bits != 8 && info.bits != 16 && info.bits != 24 && info.bits != 32) {
    throw Malformed("BMP with " + std::to_string(info.bits) + " bits a pixel is not supported");
  }
  if (info.bits <= 8) {
    if (colours > 256) throw Malformed("its palette has " + std::to_string(colours) + " colours");
    if (colours == 0) colours = std::size_t{1} << info.bits;
    view.slice(kFileHeader + size, colours * colour_size);
  }
  if (info.pixels_at < kFileHeader + size || info.pixels_at >= bytes.size()) {
    throw Malformed("the file is cut short before its pixels");
  }
  return info;
}

}  // namespace

Header read_bmp_header(Bytes bytes) {
  const Info info = read_info(bytes);
  Header header;
  header.width = info.width;
  header.height = info.height;
  return header;
}

Prepared prepare_bmp(Bytes bytes) {
  const Info info = read_info(bytes);
  Prepared prepared(bytes);
  prepared.keep_format = info.bits == 32;
  prepared.alpha = Alpha::kUnreliable;
  const auto height = static_cast<std::size_t>(info.height);
  const std::size_t row = (static_cast<std::size_t>(info.width) * info.bits + 31) / 32 * 4;
  const std::size_t missing = row * height - std::min(row * height, bytes.size() - info.pixels_at);
  const bool run_lengths = info.compression == kRle8 || info.compression == kRle4;
  if (missing == 0 && !run_lengths) return prepared;
  // OpenCV gives up, loudly, where the pixels end too early: it gets rows of zeros, or ends of lines, to the end.
  constexpr std::size_t kLongestRun = 256;
  prepared.rewrite(bytes.size()).append(run_lengths ? kLongestRun + 4 * (height + 1) : missing, '\0');
  return prepared;
}

}  // namespace glimpse::codec
