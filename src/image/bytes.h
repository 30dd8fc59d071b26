/// Reads untrusted bytes: every access is bounds-checked and throws Malformed, which decode_image turns into an Error
/// with the file's name.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <stdexcept>
#include <string>
#include <string_view>

namespace glimpse::codec {

using Bytes = std::span<const std::byte>;

/// Why a picture cannot be decoded, without the file's name.
class Malformed : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

/// Numbers at byte offsets, in either byte order. Throws Malformed beyond the end.
class ByteView {
 public:
  explicit ByteView(Bytes bytes, bool big_endian = false) : bytes_(bytes), big_endian_(big_endian) {}

  std::size_t size() const { return bytes_.size(); }
  std::uint8_t u8(std::size_t at) const { return static_cast<std::uint8_t>(number(at, 1)); }
  std::uint16_t u16(std::size_t at) const { return static_cast<std::uint16_t>(number(at, 2)); }
  std::uint32_t u32(std::size_t at) const { return static_cast<std::uint32_t>(number(at, 4)); }
  std::uint64_t u64(std::size_t at) const { return number(at, 8); }

  Bytes slice(std::size_t at, std::size_t count) const {
    if (at > bytes_.size() || count > bytes_.size() - at) throw Malformed("the file is cut short");
    return bytes_.subspan(at, count);
  }
  bool has(std::size_t at, std::string_view text) const {
    return at <= bytes_.size() && text.size() <= bytes_.size() - at &&
           std::string_view(reinterpret_cast<const char*>(bytes_.data()) + at, text.size()) == text;
  }

 private:
  std::uint64_t number(std::size_t at, std::size_t count) const {
    const Bytes part = slice(at, count);
    std::uint64_t value = 0;
    for (std::size_t i = 0; i < count; ++i) {
      value = value << 8 | std::to_integer<std::uint64_t>(part[big_endian_ ? i : count - 1 - i]);
    }
    return value;
  }

  Bytes bytes_;
  bool big_endian_;
};

inline Bytes as_bytes(std::string_view text) { return std::as_bytes(std::span(text)); }

}  // namespace glimpse::codec
