#include "decoder/vocabulary.h"

#include <algorithm>
#include <utility>

#include "core/error.h"
#include "core/text.h"

namespace glimpse {
namespace {

bool is_space_or_control(char c) {
  const auto byte = static_cast<unsigned char>(c);
  return byte <= 0x20 || byte == 0x7F;
}

bool is_utf8(std::string_view text) {
  while (!text.empty()) {
    const std::size_t length = utf8_sequence_length(text);
    if (length == 0) return false;
    text.remove_prefix(length);
  }
  return true;
}

[[noreturn]] void fail(std::size_t id, const std::string& what) {
  throw Error(ErrorCode::kModel, "vocabulary: word " + std::to_string(id) + ' ' + what);
}

}  // namespace

std::vector<std::string> tokenise_caption(std::string_view text) {
  std::string clean;
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    if (c >= 'A' && c <= 'Z') {
      clean += static_cast<char>(c - 'A' + 'a');
    } else if ((c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '\'' ||
               byte >= 0x80) {  // outside ASCII: letters, if anything
      clean += c;
    } else if (c == '-' || is_space_or_control(c)) {
      clean += ' ';
    }
  }
  const std::vector<std::string_view> words = split_words(clean);
  return {words.begin(), words.end()};
}

Vocabulary::Vocabulary(std::vector<std::string> words) : words_(std::move(words)) {
  ids_.reserve(words_.size());
  for (std::size_t id = 0; id < words_.size(); ++id) {
    const std::string& word = words_[id];
    if (word.empty()) fail(id, "is empty");
    if (std::any_of(word.begin(), word.end(), is_space_or_control)) {
      fail(id, quote(word) + " has white space or control characters");
    }
    if (!is_utf8(word)) fail(id, quote(word) + " is not UTF-8");
    const auto [found, is_new] = ids_.emplace(word, static_cast<int>(id));
    if (!is_new) fail(id, quote(word) + " is word " + std::to_string(found->second) + " too");
  }
}

std::optional<int> Vocabulary::find(std::string_view word) const {
  const auto found = ids_.find(std::string(word));
  if (found == ids_.end()) return std::nullopt;
  return found->second;
}

std::vector<int> Vocabulary::encode(std::string_view text) const {
  std::vector<int> ids;
  for (const std::string& word : tokenise_caption(text)) {
    const std::optional<int> id = find(word);
    if (!id) {
      const std::string_view near = nearest(word, {words_.begin(), words_.end()});
      throw Error(ErrorCode::kUsage, "the model does not know the word " + quote(word) +
                                         (near.empty() ? std::string() : "; did you mean " + quote(near) + "?"));
    }
    ids.push_back(*id);
  }
  if (ids.empty() && !split_words(text).empty()) throw Error(ErrorCode::kUsage, "there is no word in " + quote(text));
  return ids;
}

std::string Vocabulary::decode(std::span<const int> ids) const {
  std::string text;
  for (const int id : ids) {
    if (!text.empty()) text += ' ';
    text += word(id);
  }
  return text;
}

}  // namespace glimpse
