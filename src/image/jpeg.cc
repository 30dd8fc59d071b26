#include <cstring>

#include "image/format.h"

namespace glimpse::codec {
namespace {

constexpr std::uint8_t kDefineHuffman = 0xc4;
constexpr std::uint8_t kStartOfFrameProgressive = 0xc2;
constexpr std::uint8_t kRestart0 = 0xd0;
constexpr std::uint8_t kRestart7 = 0xd7;
constexpr std::uint8_t kStartOfImage = 0xd8;
constexpr std::uint8_t kEndOfImage = 0xd9;
constexpr std::uint8_t kStartOfScan = 0xda;
constexpr std::uint8_t kApp1 = 0xe1;

bool is_start_of_frame(std::uint8_t marker) {
  return marker >= 0xc0 && marker <= 0xcf && marker != kDefineHuffman && marker != 0xc8 && marker != 0xcc;
}

bool has_no_length(std::uint8_t marker) { return marker <= 0x01 || (marker >= kRestart0 && marker <= kStartOfImage); }

/// The offset of the marker that ends the entropy-coded data from `at` on; the file's size where there is none.
std::size_t end_of_scan(Bytes bytes, std::size_t at) {
  while (at + 1 < bytes.size()) {
    const void* found = std::memchr(bytes.data() + at, 0xff, bytes.size() - 1 - at);
    if (found == nullptr) break;
    at = static_cast<std::size_t>(static_cast<const std::byte*>(found) - bytes.data());
    const auto next = std::to_integer<std::uint8_t>(bytes[at + 1]);
    if (next != 0 && next != 0xff && (next < kRestart0 || next > kRestart7)) return at;
    at += next == 0xff ? 1 : 2;
  }
  return bytes.size();
}

/// A walk over the markers, up to the end of the picture or of the file.
class Walk {
 public:
  explicit Walk(Bytes bytes) : bytes_(bytes), view_(bytes, true) {
    try {
      while (step()) {
      }
    } catch (const Malformed&) {
      // What is damaged after a scan began may still be decodable as far as there.
      if (scans_ == 0) throw;
      header.cut_short = true;
    }
  }

  Header header;
  bool several_scans = false;  ///< progressive, or a scan a component: OpenCV needs every scan whole
  std::size_t whole_end = 0;   ///< the end of the last scan that another marker follows; 0: there is none

 private:
  /// Over one marker and its segment. False at the end of the picture.
  bool step() {
    while (view_.u8(at_) != 0xff) ++at_;
    while (view_.u8(at_) == 0xff) ++at_;
    const std::uint8_t marker = view_.u8(at_++);
    if (marker == kEndOfImage) {
      if (scans_ == 0) throw Malformed("it has no picture data");
      return false;
    }
    if (has_no_length(marker)) return true;
    const std::size_t length = view_.u16(at_);
    if (length < 2) throw Malformed("a JPEG segment has a length below 2");
    segment(marker, view_.slice(at_, length));
    at_ += length;
    if (marker == kStartOfScan) skip_scan();
    return true;
  }

  void segment(std::uint8_t marker, Bytes content) {
    const ByteView view(content, true);
    if (is_start_of_frame(marker)) {
      if (components_ != 0) throw Malformed("it has two frame headers");
      if (view.u8(2) != 8) {
        throw Malformed("JPEG with " + std::to_string(view.u8(2)) + " bits a sample is not supported");
      }
      header.height = view.u16(3);
      header.width = view.u16(5);
      components_ = view.u8(7);
      if (components_ == 0) throw Malformed("it has no colour components");
      several_scans = marker == kStartOfFrameProgressive;
    } else if (marker == kApp1 && !exif_seen_ && view.has(2, std::string_view("Exif\0\0", 6))) {
      exif_seen_ = true;
      header.orientation = exif_orientation(content.subspan(8));
    } else if (marker == kStartOfScan) {
      if (components_ == 0) throw Malformed("its picture data comes before its frame header");
      if (view.u8(2) < components_) several_scans = true;
    }
  }

  void skip_scan() {
    ++scans_;
    at_ = end_of_scan(bytes_, at_);
    if (at_ < bytes_.size()) whole_end = at_;
  }

  Bytes bytes_;
  ByteView view_;
  std::size_t at_ = 2;
  std::size_t scans_ = 0;
  int components_ = 0;
  bool exif_seen_ = false;
};

}  // namespace

Header read_jpeg_header(Bytes bytes) { return Walk(bytes).header; }

Prepared prepare_jpeg(Bytes bytes) {
  const Walk walk(bytes);
  Prepared prepared(bytes);
  // Cut off within a single scan, libjpeg gives the rows it has and stays silent. With several scans OpenCV gives
  // nothing unless the picture ends properly, so it is ended after the last whole scan.
  if (walk.header.cut_short && walk.several_scans) {
    if (walk.whole_end == 0) throw Malformed("the file is cut short within its first scan");
    prepared.rewrite(walk.whole_end) += "\xff\xd9";
  }
  return prepared;
}

}  // namespace glimpse::codec
