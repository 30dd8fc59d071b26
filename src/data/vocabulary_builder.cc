#include "data/vocabulary_builder.h"

#include <algorithm>
#include <array>
#include <string_view>
#include <utility>

#include "core/error.h"

namespace glimpse::train {
namespace {

constexpr std::array<std::string_view, 4> kSpecial = {"<pad>", "<start>", "<end>", "<unk>"};

bool is_special(std::string_view word) { return std::find(kSpecial.begin(), kSpecial.end(), word) != kSpecial.end(); }

}  // namespace

void VocabularyBuilder::add(std::span<const std::string> words) {
  for (const std::string& word : words) {
    if (!is_special(word)) ++counts_[word];
  }
}

std::vector<std::string> VocabularyBuilder::build(int threshold) const {
  std::vector<std::pair<std::string, std::int64_t>> kept;
  for (const auto& entry : counts_) {
    if (entry.second >= threshold) kept.emplace_back(entry);
  }
  if (kept.size() < 2) {
    throw Error(ErrorCode::kUsage,
                "the captions have " + std::to_string(counts_.size()) + " different words, of which " +
                    std::to_string(kept.size()) + " stand there at least " + std::to_string(threshold) +
                    " times; a vocabulary takes two or more: give more captions or a lower vocabulary-threshold");
  }
  std::sort(kept.begin(), kept.end(), [](const auto& a, const auto& b) {
    return a.second != b.second ? a.second > b.second : a.first < b.first;
  });
  std::vector<std::string> words(kSpecial.begin(), kSpecial.end());
  for (auto& entry : kept) words.push_back(std::move(entry.first));
  return words;
}

std::vector<int> encode_caption(const Vocabulary& vocabulary, std::span<const std::string> words, int max_words) {
  std::vector<int> ids;
  for (const std::string& word : words.first(std::min(words.size(), static_cast<std::size_t>(max_words)))) {
    ids.push_back(is_special(word) ? kUnknownId : vocabulary.find(word).value_or(kUnknownId));
  }
  ids.push_back(kEndId);
  return ids;
}

}  // namespace glimpse::train
