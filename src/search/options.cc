#include "search/options.h"

#include <algorithm>
#include <cmath>
#include <sstream>
#include <string>

#include "core/error.h"

namespace glimpse::search {
namespace {

constexpr int kMostRows = 1000;   ///< an image: beyond it the step's buffers run into gigabytes
constexpr int kMostWords = 1000;  ///< of a caption
constexpr int kMostRequired = 63;

template <typename T>
std::string text_of(T value) {
  std::ostringstream stream;
  stream << value;
  return stream.str();
}

template <typename T>
[[noreturn]] void fail(const std::string& option, T value, const std::string& wanted) {
  throw Error(ErrorCode::kUsage, option + " is " + text_of(value) + "; " + wanted);
}

template <typename T>
void check_range(const std::string& option, T value, T least, T most) {
  if (value >= least && value <= most) return;  // false for NaN too
  fail(option, value, "give " + text_of(least) + " to " + text_of(most));
}

bool contains(const std::vector<int>& ids, int id) { return std::find(ids.begin(), ids.end(), id) != ids.end(); }

void check_ids(const std::string& option, const std::vector<int>& ids, int vocabulary_size) {
  for (const int id : ids) {
    if (id < 0 || id >= vocabulary_size) {
      fail("a word id of " + option, id, "the vocabulary has 0 to " + std::to_string(vocabulary_size - 1));
    }
  }
}

void check_words(const SearchOptions& options, int vocabulary_size) {
  check_ids("required", options.required, vocabulary_size);
  check_ids("forbidden", options.forbidden, vocabulary_size);
  check_ids("prefix", options.prefix, vocabulary_size);
  for (const int id : options.forbidden) {
    const std::string word = name_of(options, id);
    if (contains(options.required, id)) throw Error(ErrorCode::kUsage, word + " is both required and forbidden");
    if (contains(options.prefix, id)) throw Error(ErrorCode::kUsage, word + " is forbidden but stands in the prefix");
  }
  const std::size_t needed = options.prefix.size() + words_to_say(options).size();
  if (needed > static_cast<std::size_t>(options.max_words)) {
    fail("max-words", options.max_words,
         "prefix and required words alone are " + std::to_string(needed) + " words: allow more words or require fewer");
  }
}

void check_sampling(const SearchOptions& options, int vocabulary_size) {
  const SamplingOptions& sampling = *options.sampling;
  check_range("temperature", sampling.temperature, 0.01, 100.0);
  check_range("top-k", sampling.top_k, 0, vocabulary_size);
  if (!(sampling.top_p > 0 && sampling.top_p <= 1)) fail("top-p", sampling.top_p, "give more than 0 and at most 1");
  if (!options.required.empty()) {
    throw Error(ErrorCode::kUsage, "required words need beam search: sampling cannot steer towards them");
  }
}

}  // namespace

std::vector<int> words_to_say(const SearchOptions& options) {
  std::vector<int> words;
  for (const int id : options.required) {
    if (!contains(options.prefix, id) && !contains(words, id)) words.push_back(id);
  }
  return words;
}

std::string name_of(const SearchOptions& options, int word) {
  return options.spell ? options.spell(word) : "word " + std::to_string(word);
}

void throw_never_said(const SearchOptions& options, const char* what, int word) {
  throw Error(ErrorCode::kUsage,
              std::string(what) + " has " + name_of(options, word) + ", which the model never says; take another word");
}

void check_numbers(std::span<const float> log_probs) {
  if (std::any_of(log_probs.begin(), log_probs.end(), [](float value) { return std::isnan(value); })) {
    throw Error(ErrorCode::kModel, "the model's log-probabilities are not numbers: its weights are damaged or unfit");
  }
}

int rows_needed(const SearchOptions& options) {
  if (options.sampling) return options.top;
  return options.beam * (static_cast<int>(words_to_say(options).size()) + 1);
}

void validate(const SearchOptions& options, int vocabulary_size) {
  check_range("beam", options.beam, 1, kMostRows);
  check_range("top", options.top, 1, kMostRows);
  check_range("max-words", options.max_words, 1, kMostWords);
  check_range("min-words", options.min_words, 0, options.max_words);
  check_range("no-repeat-ngram", options.no_repeat_ngram, 0, kMostWords);
  check_range("length-penalty", options.length_penalty, 0.0, 10.0);
  check_words(options, vocabulary_size);
  if (options.sampling) {
    check_sampling(options, vocabulary_size);
    return;
  }
  if (options.top > options.beam) {
    fail("top", options.top, "a beam of " + std::to_string(options.beam) + " finds no more than that: widen the beam");
  }
  const std::size_t required = words_to_say(options).size();
  if (required > kMostRequired) fail("the count of required words", required, "give 63 at most");
  if (rows_needed(options) > kMostRows) {
    fail("beam", options.beam,
         "with " + std::to_string(required) + " required words that needs " + std::to_string(rows_needed(options)) +
             " rows, and " + std::to_string(kMostRows) + " are the most: narrow the beam or require fewer");
  }
}

}  // namespace glimpse::search
