#include <algorithm>
#include <array>
#include <vector>

#include "image/format.h"

namespace glimpse::codec {
namespace {

enum Tag : std::uint16_t {
  kWidth = 256,
  kHeight = 257,
  kBitsPerSample = 258,
  kPhotometric = 262,
  kStripOffsets = 273,
  kOrientation = 274,
  kSamplesPerPixel = 277,
  kRowsPerStrip = 278,
  kPlanarConfiguration = 284,
  kTileWidth = 322,
  kTileHeight = 323,
  kTileOffsets = 324,
  kExtraSamples = 338,
  kSampleFormat = 339
};

/// A tag whose values are whole numbers, or any other (`size` 0).
struct Entry {
  std::uint16_t tag = 0;
  std::size_t size = 0;  ///< bytes a value
  std::uint64_t count = 0;
  std::size_t at = 0;  ///< of the first value
};

constexpr std::uint64_t kMostEntries = 4096;

/// The first directory of a TIFF or BigTIFF structure. Throws Malformed.
class Directory {
 public:
  explicit Directory(Bytes bytes) : view_(bytes, !ByteView(bytes).has(0, "II")) {
    if (!view_.has(0, "II") && !view_.has(0, "MM")) throw Malformed("it has no TIFF header");
    const std::uint16_t version = view_.u16(2);
    if (version != 42 && version != 43) throw Malformed("it has no TIFF header");
    const bool big = version == 43;
    const std::uint64_t start = big ? view_.u64(8) : view_.u32(4);
    if (start > view_.size()) throw Malformed("the file is cut short: its directory is missing");
    const std::uint64_t count = big ? view_.u64(start) : view_.u16(start);
    if (count == 0 || count > kMostEntries) throw Malformed("its directory is damaged");
    const std::size_t stride = big ? 20 : 12;
    for (std::uint64_t i = 0; i < count; ++i) add(start + (big ? 8 : 2) + i * stride, big);
  }

  const Entry* find(Tag tag) const {
    const auto entry = std::find_if(entries_.begin(), entries_.end(), [&](const Entry& e) { return e.tag == tag; });
    return entry == entries_.end() ? nullptr : &*entry;
  }

  /// The first value of a tag that is there once; `fallback` where it is not there.
  std::uint64_t number(Tag tag, std::uint64_t fallback) const {
    const Entry* entry = find(tag);
    return entry == nullptr ? fallback : value(*entry, 0);
  }

  /// Value `index` of a tag.
  std::uint64_t value(const Entry& entry, std::uint64_t index) const {
    if (std::count_if(entries_.begin(), entries_.end(), [&](const Entry& e) { return e.tag == entry.tag; }) > 1) {
      throw Malformed("its TIFF tag " + std::to_string(entry.tag) + " is there twice");
    }
    if (index >= entry.count) throw Malformed("its TIFF tag " + std::to_string(entry.tag) + " has too few values");
    if (index > view_.size()) throw Malformed("the file is cut short");
    const std::size_t at = entry.at + static_cast<std::size_t>(index) * entry.size;
    switch (entry.size) {
      case 1:
        return view_.u8(at);
      case 2:
        return view_.u16(at);
      case 4:
        return view_.u32(at);
      case 8:
        return view_.u64(at);
      default:
        throw Malformed("its TIFF tag " + std::to_string(entry.tag) + " is not a whole number");
    }
  }

  /// Overwrites the first value of a tag, where it is there, in a copy of the file.
  void patch(Tag tag, std::uint64_t value, std::string& file) const {
    const Entry* entry = find(tag);
    if (entry == nullptr || entry->size > view_.size() || entry->at > view_.size() - entry->size) return;
    for (std::size_t i = 0; i < entry->size; ++i) {
      const std::size_t shift = 8 * (view_.has(0, "MM") ? entry->size - 1 - i : i);
      file[entry->at + i] = static_cast<char>(value >> shift & 0xffU);
    }
  }

 private:
  void add(std::size_t at, bool big) {
    constexpr std::array<std::uint8_t, 17> kSizes = {0, 1, 0, 2, 4, 0, 0, 0, 0, 0, 0, 0, 0, 4, 0, 0, 8};
    Entry entry;
    entry.tag = view_.u16(at);
    const std::uint16_t type = view_.u16(at + 2);
    entry.size = type < kSizes.size() ? kSizes[type] : 0;
    entry.count = big ? view_.u64(at + 4) : view_.u32(at + 4);
    entry.at = at + (big ? 12 : 8);
    const std::size_t room = big ? 8 : 4;
    if (entry.size != 0 && entry.count > room / entry.size) {
      const std::uint64_t offset = big ? view_.u64(entry.at) : view_.u32(entry.at);
      // Beyond the end the value cannot be read, which `number` says if anybody asks for it.
      entry.at = static_cast<std::size_t>(std::min<std::uint64_t>(offset, view_.size()));
    }
    entries_.push_back(entry);
  }

  ByteView view_;
  std::vector<Entry> entries_;
};

int valid_orientation(std::uint64_t value) { return value >= 1 && value <= 8 ? static_cast<int>(value) : 1; }

/// Refuses what OpenCV would refuse with a message of its own on standard error.
void check_supported(const Directory& directory) {
  const std::uint64_t samples = directory.number(kSamplesPerPixel, 1);
  const std::uint64_t bits = directory.number(kBitsPerSample, 1);
  const std::uint64_t format = directory.number(kSampleFormat, 1);
  constexpr std::uint64_t kNone = 0xffff;
  if (directory.number(kPhotometric, kNone) == kNone) throw Malformed("it does not say what its samples mean");
  if (samples < 1 || samples > 4) {
    throw Malformed("TIFF with " + std::to_string(samples) + " samples a pixel is not supported");
  }
  constexpr std::array<std::uint64_t, 8> kBits = {1, 8, 10, 12, 14, 16, 32, 64};
  const bool real = format == 3 && bits >= 32;
  const bool whole = format == 1 && bits <= 16;
  const bool planes = directory.number(kPlanarConfiguration, 1) == 2 && bits > 8 && bits != 16;
  if (std::find(kBits.begin(), kBits.end(), bits) == kBits.end() || (!real && !whole) || planes) {
    throw Malformed("TIFF with " + std::to_string(bits) + " bits a sample (sample format " + std::to_string(format) +
                    ") is not supported");
  }
  constexpr std::uint64_t kLargestTile = 4096;
  if (directory.number(kTileWidth, 0) > std::max(directory.number(kWidth, 0) + 15, kLargestTile) ||
      directory.number(kTileHeight, 0) > std::max(directory.number(kHeight, 0) + 15, kLargestTile)) {
    throw Malformed("its tiles are larger than the picture");
  }
}

/// Where the data of a strip or tile begins beyond the file's end nothing can be decoded.
void check_data(const Directory& directory, std::size_t file_size) {
  const bool tiles = directory.find(kTileWidth) != nullptr;
  const Entry* offsets = directory.find(tiles ? kTileOffsets : kStripOffsets);
  if (offsets == nullptr) throw Malformed("it has no picture data");
  if (offsets->count > file_size) throw Malformed("its directory is damaged");
  for (std::uint64_t i = 0; i < offsets->count; ++i) {
    if (directory.value(*offsets, i) >= file_size) throw Malformed("the file is cut short: picture data is missing");
  }
}

}  // namespace

int exif_orientation(Bytes tiff) {
  try {
    return valid_orientation(Directory(tiff).number(kOrientation, 1));
  } catch (const Malformed&) {
    return 1;
  }
}

Header read_tiff_header(Bytes bytes) {
  const Directory directory(bytes);
  constexpr std::uint64_t kLargest = std::uint64_t{1} << 31;
  Header header;
  header.width = static_cast<std::int64_t>(std::min(directory.number(kWidth, 0), kLargest));
  header.height = static_cast<std::int64_t>(std::min(directory.number(kHeight, 0), kLargest));
  header.orientation = exif_orientation(bytes);
  return header;
}

Prepared prepare_tiff(Bytes bytes) {
  const Directory directory(bytes);
  check_supported(directory);
  check_data(directory, bytes.size());
  const std::uint64_t samples = directory.number(kSamplesPerPixel, 1);
  const std::uint64_t bits = directory.number(kBitsPerSample, 1);
  Prepared prepared(bytes);
  // Samples of up to 8 bits go through libtiff's own conversion to RGBA, which multiplies colours with alpha. So do
  // 16-bit ones where no alpha would be lost, since it also knows planes, inverted grey and damage.
  const bool planes = directory.number(kPlanarConfiguration, 1) == 2;
  prepared.keep_format = bits != 1 && (bits != 16 || (samples == 4 && !planes));
  prepared.alpha = bits == 8 || directory.number(kExtraSamples, 0) == 1 ? Alpha::kPremultiplied : Alpha::kStraight;

  std::string& file = prepared.rewrite(bytes.size());
  // OpenCV turns some orientations itself, others not: with the tag set to 1 glimpse turns them all.
  directory.patch(kOrientation, 1, file);
  // OpenCV allocates whole strips, however few rows the picture has.
  const std::uint64_t height = directory.number(kHeight, 0);
  if (directory.number(kRowsPerStrip, 0) > height) directory.patch(kRowsPerStrip, height, file);
  return prepared;
}

}  // namespace glimpse::codec
