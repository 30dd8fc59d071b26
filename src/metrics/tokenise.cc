#include "metrics/tokenise.h"

#include <algorithm>
#include <array>
#include <utility>

namespace glimpse::metrics {
namespace {

using namespace std::string_view_literals;

bool is_letter(char c) { return (c >= 'a' && c <= 'z') || static_cast<unsigned char>(c) >= 0x80; }
bool is_digit(char c) { return c >= '0' && c <= '9'; }
bool is_word(char c) { return is_letter(c) || is_digit(c) || c == '_'; }

/// Lower-cased, and with typographic quotes and dashes as ASCII has them.
std::string normalised(std::string_view text) {
  constexpr std::array kPlain = {std::pair{"‘"sv, "'"sv},    std::pair{"’"sv, "'"sv},   std::pair{"“"sv, "\""sv},
                                 std::pair{"”"sv, "\""sv},   std::pair{"–"sv, " - "sv}, std::pair{"—"sv, " - "sv},
                                 std::pair{"…"sv, " ... "sv}};
  std::string result;
  while (!text.empty()) {
    const auto found = std::find_if(kPlain.begin(), kPlain.end(),
                                    [&](const auto& pair) { return text.substr(0, pair.first.size()) == pair.first; });
    if (found != kPlain.end()) {
      result += found->second;
      text.remove_prefix(found->first.size());
    } else {
      const char c = text.front();
      result += c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
      text.remove_prefix(1);
    }
  }
  return result;
}

bool is_abbreviation(std::string_view word) {
  constexpr std::array kAbbreviations = {"mr"sv, "mrs"sv, "ms"sv, "dr"sv, "st"sv, "jr"sv, "sr"sv, "vs"sv, "etc"sv};
  if (std::find(kAbbreviations.begin(), kAbbreviations.end(), word) != kAbbreviations.end()) return true;
  if (word.size() < 3) return false;
  for (std::size_t i = 0; i < word.size(); ++i) {
    if (i % 2 == 0 ? !is_letter(word[i]) : word[i] != '.') return false;  // "u.s"
  }
  return word.size() % 2 == 1;
}

/// Whether the sign at `i`, between two characters of words, holds them together.
bool joins(std::string_view text, std::size_t i) {
  if (i == 0 || i + 1 >= text.size()) return false;
  const char before = text[i - 1];
  const char after = text[i + 1];
  if (!is_word(before) || !is_word(after)) return false;
  switch (text[i]) {
    case '-':
    case '\'':
    case '&':
    case '@':
      return true;
    case ',':
    case ':':
      return is_digit(before) && is_digit(after);
    case '.':
      return !is_digit(before) || is_digit(after);
    default:
      return false;
  }
}

/// Where the second part of a contraction begins; the word's end where it is none.
std::size_t contraction(std::string_view word) {
  for (const std::string_view end : {"n't"sv, "'s"sv, "'m"sv, "'d"sv, "'re"sv, "'ve"sv, "'ll"sv}) {
    if (word.size() > end.size() && word.ends_with(end)) return word.size() - end.size();
  }
  if (word == "cannot" || word == "gonna" || word == "gotta") return 3;
  if (word == "wanna") return 3;
  return word.size();
}

/// The clitic that begins at an apostrophe, as in "dog 's"; empty where it is a quote.
std::string_view clitic(std::string_view text) {
  std::size_t end = 1;
  while (end < text.size() && is_word(text[end])) ++end;
  const std::string_view word = text.substr(0, end);
  for (const std::string_view known : {"'s"sv, "'m"sv, "'d"sv, "'re"sv, "'ve"sv, "'ll"sv}) {
    if (word == known) return word;
  }
  return {};
}

}  // namespace

std::vector<std::string> tokenise(std::string_view caption) {
  constexpr std::string_view kDropped = "\"'`.,;:?!-";
  const std::string text = normalised(caption);
  const std::string_view view = text;
  std::vector<std::string> words;
  std::size_t i = 0;
  while (i < text.size()) {
    const char c = text[i];
    std::size_t end = i + 1;
    if (is_word(c)) {
      while (end < text.size() && (is_word(text[end]) || joins(view, end))) ++end;
      if (end < text.size() && text[end] == '.' && is_abbreviation(view.substr(i, end - i))) ++end;
      const std::string_view word = view.substr(i, end - i);
      const std::size_t second = contraction(word);
      words.emplace_back(word.substr(0, second));
      if (second < word.size()) words.emplace_back(word.substr(second));
    } else if (c == '\'' && !clitic(view.substr(i)).empty()) {
      words.emplace_back(clitic(view.substr(i)));
      end = i + words.back().size();
    } else if (static_cast<unsigned char>(c) > 0x20 && c != 0x7F && kDropped.find(c) == std::string_view::npos) {
      words.emplace_back(1, c);
    }
    i = end;
  }
  return words;
}

}  // namespace glimpse::metrics
