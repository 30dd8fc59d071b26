#include "metrics/scores.h"

#include <algorithm>

#include "core/error.h"
#include "metrics/bleu.h"
#include "metrics/cider.h"
#include "metrics/rouge.h"
#include "metrics/sentence.h"

namespace glimpse::metrics {
namespace {

void check(std::span<const std::string> captions, std::span<const std::vector<std::string>> references) {
  if (captions.empty()) throw Error(ErrorCode::kUsage, "there are no captions to score");
  if (captions.size() != references.size()) {
    throw Error(ErrorCode::kUsage, std::to_string(captions.size()) + " captions, but references of " +
                                       std::to_string(references.size()) + " pictures");
  }
  const auto bare = std::find_if(references.begin(), references.end(), [](const auto& list) { return list.empty(); });
  if (bare == references.end()) return;
  throw Error(ErrorCode::kUsage, "picture " + std::to_string(bare - references.begin()) + " has no reference");
}

}  // namespace

Scores score_captions(std::span<const std::string> captions, std::span<const std::vector<std::string>> references) {
  check(captions, references);
  WordIds ids;
  std::vector<Sentence> candidates;
  Scores scores;
  for (const std::string& caption : captions) {
    candidates.push_back(ids.encode_caption(caption));
    scores.mean_length += static_cast<double>(candidates.back().size());
  }
  scores.distinct_words = ids.size();
  std::vector<References> encoded;
  for (const std::vector<std::string>& of_one : references) {
    References& sentences = encoded.emplace_back();
    for (const std::string& reference : of_one) sentences.push_back(ids.encode_caption(reference));
  }

  const CiderD cider(encoded);
  BleuCounts bleu;
  for (std::size_t i = 0; i < candidates.size(); ++i) {
    bleu.add(candidates[i], encoded[i]);
    scores.rouge_l += rouge_l(candidates[i], encoded[i]);
    scores.cider += cider.score(i, candidates[i]);
  }
  scores.images = candidates.size();
  scores.bleu = bleu.scores();
  const auto count = static_cast<double>(candidates.size());
  scores.rouge_l /= count;
  scores.cider /= count;
  scores.mean_length /= count;
  return scores;
}

}  // namespace glimpse::metrics
