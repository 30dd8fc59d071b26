/// Small text helpers that several levels share.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

namespace glimpse {

/// Length in bytes of the well-formed UTF-8 sequence at the start of `text`, or 0 where there is none (RFC 3629: no
/// overlong forms, no surrogates).
std::size_t utf8_sequence_length(std::string_view text);

/// `text` with every byte that is not part of well-formed UTF-8 replaced by U+FFFD, so that JSON can hold it.
std::string to_valid_utf8(std::string_view text);

/// The words of `text` between runs of ASCII white space.
std::vector<std::string_view> split_words(std::string_view text);

/// The lines of `text`, without their '\n' (and '\r' before it); a last line without '\n' counts, an empty rest does
/// not.
std::vector<std::string_view> split_lines(std::string_view text);

/// `text` on one line and without anything that moves a terminal's cursor: control characters as \n, \t or \xNN, and
/// backslashes doubled so that the original can be had back. Bytes that are not UTF-8 stay as they are.
std::string one_line(std::string_view text);

/// The candidate nearest to `name` by edit distance, or empty where none is near enough to be meant. For "did you mean"
/// messages.
std::string_view nearest(std::string_view name, const std::vector<std::string_view>& candidates);

}  // namespace glimpse
