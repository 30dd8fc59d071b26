#include "reference_search.h"

#include <algorithm>
#include <cmath>
#include <set>

namespace glimpse::search::testing {
namespace {

double score_of(const ReferenceCaption& caption, double penalty) {
  const double length = static_cast<double>(caption.words.size()) + (caption.ended ? 1 : 0);
  return caption.log_prob / std::pow(length, penalty);
}

void sort_by_score(std::vector<ReferenceCaption>& captions, double penalty) {
  for (ReferenceCaption& caption : captions) caption.score = score_of(caption, penalty);
  std::stable_sort(captions.begin(), captions.end(), [](const auto& a, const auto& b) { return a.score > b.score; });
}

bool contains(const std::vector<int>& words, int word) {
  return std::find(words.begin(), words.end(), word) != words.end();
}

/// Constraints that every caption must satisfy.
bool allowed(const ReferenceCaption& caption, const SearchOptions& options) {
  const std::vector<int>& words = caption.words;
  if (caption.ended && words.size() < static_cast<std::size_t>(options.min_words)) return false;
  if (words.size() < options.prefix.size()) return false;
  if (!std::equal(options.prefix.begin(), options.prefix.end(), words.begin())) return false;
  if (std::any_of(options.forbidden.begin(), options.forbidden.end(), [&](int w) { return contains(words, w); })) {
    return false;
  }
  if (!std::all_of(options.required.begin(), options.required.end(), [&](int w) { return contains(words, w); })) {
    return false;
  }
  return options.no_repeat_ngram == 0 || !repeats(words, options.no_repeat_ngram);
}

void extend(const TableModel& model, int image, const SearchOptions& options, const ReferenceCaption& start,
            std::vector<ReferenceCaption>& found) {
  if (start.words.size() == static_cast<std::size_t>(options.max_words)) {
    if (allowed(start, options)) found.push_back(start);
    return;
  }
  const Entry entry = model.entry(image, start.words);
  for (int word = 0; word < model.vocabulary_size(); ++word) {
    if (word == kStart) continue;
    ReferenceCaption next = start;
    next.log_prob += static_cast<double>(entry.log_probs[static_cast<std::size_t>(word)]);
    if (word == kEnd) {
      next.ended = true;
      if (allowed(next, options)) found.push_back(next);
    } else {
      next.words.push_back(word);
      extend(model, image, options, next, found);
    }
  }
}

}  // namespace

bool repeats(const std::vector<int>& words, int n) {
  std::set<std::vector<int>> seen;
  for (std::size_t i = 0; i + static_cast<std::size_t>(n) <= words.size(); ++i) {
    const auto begin = words.begin() + static_cast<std::ptrdiff_t>(i);
    if (!seen.insert(std::vector<int>(begin, begin + n)).second) return true;
  }
  return false;
}

std::vector<ReferenceCaption> enumerate(const TableModel& model, int image, const SearchOptions& options) {
  std::vector<ReferenceCaption> found;
  extend(model, image, options, {}, found);
  sort_by_score(found, options.length_penalty);
  return found;
}

std::vector<ReferenceCaption> plain_beam_search(const TableModel& model, int image, const SearchOptions& options) {
  const auto beam = static_cast<std::size_t>(options.beam);
  std::vector<ReferenceCaption> live(1);
  std::vector<ReferenceCaption> finished;
  for (int step = 0; step < options.max_words && finished.size() < beam && !live.empty(); ++step) {
    std::vector<ReferenceCaption> all;
    for (const ReferenceCaption& hypothesis : live) {
      const Entry entry = model.entry(image, hypothesis.words);
      for (int word = kEnd; word < model.vocabulary_size(); ++word) {
        ReferenceCaption next = hypothesis;
        next.log_prob += static_cast<double>(entry.log_probs[static_cast<std::size_t>(word)]);
        next.words.push_back(word);
        all.push_back(next);
      }
    }
    std::stable_sort(all.begin(), all.end(), [](const auto& a, const auto& b) { return a.log_prob > b.log_prob; });
    all.resize(std::min(all.size(), 2 * beam));
    live.clear();
    for (std::size_t i = 0; i < all.size(); ++i) {
      ReferenceCaption& next = all[i];
      if (next.words.back() != kEnd) {
        if (live.size() < beam) live.push_back(next);
      } else if (i < beam) {
        next.words.pop_back();
        next.ended = true;
        finished.push_back(next);
      }
    }
  }
  if (finished.size() < beam) finished.insert(finished.end(), live.begin(), live.end());
  sort_by_score(finished, options.length_penalty);
  return finished;
}

}  // namespace glimpse::search::testing
