/// Turns a StepModel into captions: greedy and beam search with constraints, and sampling. Word ids in, word ids out:
/// no text here.
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "search/step_model.h"

namespace glimpse::search {

struct SamplingOptions {
  double temperature = 1;
  int top_k = 0;     ///< 0: all words
  double top_p = 1;  ///< nucleus: the smallest set of words whose probability reaches top_p
};

struct SearchOptions {
  int beam = 3;                 ///< 1 is greedy
  int top = 1;                  ///< captions wanted per image; at most beam (sampling: that many independent samples)
  double length_penalty = 0.7;  ///< score = log-probability / (words, end counted)^length_penalty
  int max_words = 20;           ///< end not counted
  int min_words = 1;
  int no_repeat_ngram = 3;    ///< no n-gram twice; 0: off
  std::vector<int> required;  ///< ids that must occur (each once at least) in every caption, as far as max_words allows
  std::vector<int> forbidden;  ///< ids that may not occur
  std::vector<int> prefix;     ///< forced first words
  std::optional<SamplingOptions> sampling;
  std::uint64_t seed =
      0;  ///< sampling only; image i of a batch draws from a stream of its own, so batches do not change results
};

/// One caption. Words and the spans beside them exclude the end marker; log_prob includes it where the hypothesis ended
/// by itself.
struct Hypothesis {
  std::vector<int> words;
  std::vector<float> log_probs;            ///< a word
  std::vector<float> gates;                ///< a word; empty without gate
  std::vector<std::vector<float>> alphas;  ///< a word, cells each
  double log_prob = 0;                     ///< sum, the end's included
  double end_log_prob = 0;                 ///< of the end marker; 0 where `ended` is false
  double score = 0;                        ///< length-normalised
  bool ended = true;                       ///< false: cut at max_words
};

/// Rows per image that these options need from the model.
int rows_needed(const SearchOptions& options);

/// Throws Error(kUsage) naming option and value where options contradict themselves or each other, or an id lies
/// outside the vocabulary.
void validate(const SearchOptions& options, int vocabulary_size);

/// Per image the best hypotheses, best first; never empty: where nothing ended, live ones stand in as they are.
std::vector<std::vector<Hypothesis>> search(StepModel& model, const SearchOptions& options);

}  // namespace glimpse::search
