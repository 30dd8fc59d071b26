#include <algorithm>
#include <cctype>
#include <limits>

#include "image/format.h"

namespace glimpse::codec {
namespace {

/// Decimal numbers between white space and comments.
class NumberReader {
 public:
  NumberReader(Bytes bytes, std::size_t at) : bytes_(bytes), at_(at) {}

  /// The next number, of at most `most_digits` digits (P1 writes its digits without spaces between them).
  int next(int most_digits) {
    skip_space();
    if (at_ == bytes_.size()) throw Malformed("the file is cut short");
    if (std::isdigit(peek()) == 0) throw Malformed("it has a letter where a number should stand");
    std::int64_t value = 0;
    for (int digits = 0; digits < most_digits && at_ < bytes_.size() && std::isdigit(peek()) != 0; ++digits, ++at_) {
      value = std::min<std::int64_t>(10 * value + (peek() - '0'), std::numeric_limits<int>::max());
    }
    return static_cast<int>(value);
  }
  std::size_t at() const { return at_; }

 private:
  int peek() const { return std::to_integer<int>(bytes_[at_]); }
  void skip_space() {
    for (bool comment = false; at_ < bytes_.size(); ++at_) {
      if (peek() == '#') comment = true;
      if (!comment && std::isspace(peek()) == 0) return;
      if (peek() == '\n') comment = false;
    }
  }

  Bytes bytes_;
  std::size_t at_;
};

constexpr int kManyDigits = 100;

void decode_text(Bytes bytes, const PnmHeader& header, std::span<std::uint8_t> dst) {
  NumberReader reader(bytes, header.pixels_at);
  try {
    for (std::uint8_t& sample : dst) {
      const int value = std::min(reader.next(header.bits ? 1 : kManyDigits), header.maximum);
      sample = static_cast<std::uint8_t>((value * 255 + header.maximum / 2) / header.maximum);
      if (header.bits) sample = static_cast<std::uint8_t>(255 - sample);
    }
  } catch (const Malformed&) {
    // The rest stays white.
  }
}

void decode_bits(Bytes bytes, const PnmHeader& header, std::span<std::uint8_t> dst) {
  const auto width = static_cast<std::size_t>(header.width);
  const std::size_t stride = (width + 7) / 8;
  for (std::size_t i = 0; i < dst.size(); ++i) {
    const std::size_t at = header.pixels_at + i / width * stride + i % width / 8;
    if (at >= bytes.size()) return;
    const bool black = (std::to_integer<unsigned>(bytes[at]) << i % width % 8 & 0x80U) != 0;
    dst[i] = black ? 0 : 255;
  }
}

void decode_binary(Bytes bytes, const PnmHeader& header, std::span<std::uint8_t> dst) {
  const std::size_t sample_size = header.maximum > 255 ? 2 : 1;
  const std::size_t count = std::min(dst.size(), (bytes.size() - header.pixels_at) / sample_size);
  const Bytes samples = bytes.subspan(header.pixels_at);
  for (std::size_t i = 0; i < count; ++i) {
    int value = std::to_integer<int>(samples[i * sample_size]);
    if (sample_size == 2) value = value << 8 | std::to_integer<int>(samples[2 * i + 1]);
    value = std::min(value, header.maximum);
    dst[i] = static_cast<std::uint8_t>((value * 255 + header.maximum / 2) / header.maximum);
  }
}

}  // namespace

PnmHeader read_pnm_header(Bytes bytes) {
  const int kind = ByteView(bytes).u8(1) - '0';
  PnmHeader header;
  header.bits = kind == 1 || kind == 4;
  header.text = kind <= 3;
  header.channels = kind == 3 || kind == 6 ? 3 : 1;
  NumberReader reader(bytes, 2);
  header.width = reader.next(kManyDigits);
  header.height = reader.next(kManyDigits);
  if (!header.bits) header.maximum = reader.next(kManyDigits);
  if (header.maximum < 1 || header.maximum > 65535) {
    throw Malformed("its largest sample is said to be " + std::to_string(header.maximum));
  }
  header.pixels_at = reader.at() + 1;  // one white space, then the samples
  if (header.pixels_at >= bytes.size()) throw Malformed("the file is cut short before its pixels");
  return header;
}

void decode_pnm(Bytes bytes, const PnmHeader& header, std::span<std::uint8_t> dst) {
  std::fill(dst.begin(), dst.end(), 255);
  if (header.text) return decode_text(bytes, header, dst);
  if (header.bits) return decode_bits(bytes, header, dst);
  decode_binary(bytes, header, dst);
}

}  // namespace glimpse::codec
