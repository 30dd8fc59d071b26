#include "metrics/sentence.h"

#include "metrics/tokenise.h"

namespace glimpse::metrics {

Sentence WordIds::encode(std::span<const std::string> words) {
  Sentence sentence;
  sentence.reserve(words.size());
  for (const std::string& word : words) sentence.push_back(ids_.emplace(word, size()).first->second);
  return sentence;
}

Sentence WordIds::encode_caption(const std::string& caption) { return encode(tokenise(caption)); }

}  // namespace glimpse::metrics
