/// Captions as the metrics take them: words as numbers. Which number stands for which word does not matter, so that a
/// model's own word ids do as well as those made here.
#pragma once

#include <span>
#include <string>
#include <unordered_map>
#include <vector>

namespace glimpse::metrics {

using Sentence = std::vector<int>;
using References = std::vector<Sentence>;  ///< of one picture; at least one

/// Gives words numbers, each new one the next.
class WordIds {
 public:
  Sentence encode(std::span<const std::string> words);
  /// The same of the words that `tokenise` finds in a caption.
  Sentence encode_caption(const std::string& caption);
  int size() const { return static_cast<int>(ids_.size()); }

 private:
  std::unordered_map<std::string, int> ids_;
};

}  // namespace glimpse::metrics
