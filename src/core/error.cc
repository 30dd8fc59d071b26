#include "core/error.h"

#include <array>

#include "core/text.h"

namespace glimpse {

std::string_view to_string(ErrorCode code) {
  constexpr std::array<std::string_view, 10> kNames = {"internal", "usage",     "missing", "permission", "io",
                                                       "decode",   "too-large", "model",   "diverged",   "interrupted"};
  return kNames[static_cast<std::size_t>(code)];
}

namespace {

constexpr std::size_t kLongestName = 300;

void append_escaped(std::string& out, unsigned char byte) {
  constexpr std::string_view kHex = "0123456789abcdef";
  switch (byte) {
    case '\n':
      out += "\\n";
      return;
    case '\r':
      out += "\\r";
      return;
    case '\t':
      out += "\\t";
      return;
    default:
      out += "\\x";
      out += kHex[byte >> 4];
      out += kHex[byte & 15];
  }
}

void append_visible(std::string& out, std::string_view text) {
  while (!text.empty()) {
    const auto byte = static_cast<unsigned char>(text.front());
    std::size_t length = utf8_sequence_length(text);
    // U+0080..U+009F are control characters too, and terminals obey some of them.
    const bool c1_control = length == 2 && byte == 0xc2 && static_cast<unsigned char>(text[1]) < 0xa0;
    if (length == 0 || byte < 0x20 || byte == 0x7f || c1_control) {
      length = std::max<std::size_t>(length, 1);
      for (std::size_t i = 0; i < length; ++i) append_escaped(out, static_cast<unsigned char>(text[i]));
    } else {
      out += text.substr(0, length);
    }
    text.remove_prefix(length);
  }
}

}  // namespace

std::string quote(std::string_view name) {
  std::string result = "'";
  if (name.size() <= kLongestName) {
    append_visible(result, name);
  } else {
    append_visible(result, name.substr(0, kLongestName / 2));
    result += "…";
    append_visible(result, name.substr(name.size() - kLongestName / 2));
  }
  return result + "'";
}

}  // namespace glimpse
