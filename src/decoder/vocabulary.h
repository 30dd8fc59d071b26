/// Words and their ids.
#pragma once

#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

namespace glimpse {

/// The words of a caption as they are trained on and looked up: lower-cased, hyphens to spaces, of the rest only
/// letters, digits and apostrophes kept. Bytes outside ASCII stay as they are. None where `text` has no word.
std::vector<std::string> tokenise_caption(std::string_view text);

class Vocabulary {
 public:
  /// id = index. Throws Error(kModel) naming the id for words that are empty, stand there twice, or cannot be printed:
  /// control characters, white space, bytes that are not UTF-8.
  explicit Vocabulary(std::vector<std::string> words);

  int size() const { return static_cast<int>(words_.size()); }
  const std::string& word(int id) const { return words_[static_cast<std::size_t>(id)]; }
  std::optional<int> find(std::string_view word) const;
  /// Ids of the words of a user's text, by tokenise_caption. Throws Error(kUsage) naming a word that the model does not
  /// know, with the nearest one that it does, and for text that is nothing but punctuation.
  std::vector<int> encode(std::string_view text) const;
  std::string decode(std::span<const int> ids) const;  ///< joined by spaces

 private:
  std::vector<std::string> words_;
  std::unordered_map<std::string, int> ids_;
};

}  // namespace glimpse
