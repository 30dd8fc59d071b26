/// Turns a StepModel into captions: greedy and beam search with constraints, and sampling. Word ids in, word ids out:
/// no text here.
///
/// Beam search: live hypotheses hold the sum of their words' log-probabilities. Each step takes the 2 · beam best
/// continuations of all of them. One that ends is finished if it is among the first `beam`; of the others the first
/// `beam` live on. The search stops when `beam` have finished, or at max_words; if fewer finished by then, the live
/// ones join them as they are. Constraints take continuations out before they are ranked; log-probabilities are the
/// model's own, not renormalised.
///
/// Required words: hypotheses compete only with those that have said as many of the required words, in a bank of `beam`
/// rows of its own (grid beam search, Hokamp and Liu 2017), so that one that says a required word early is not crowded
/// out. Only the last bank may end a caption, and a hypothesis with no more words left than it still must say can only
/// say those: every caption has all of them. The search goes on past `beam` finished captions while a live one could
/// still score better.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
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
  int no_repeat_ngram = 3;     ///< no n-gram twice; 0: off
  std::vector<int> required;   ///< ids that every caption has, each once at least; not with sampling
  std::vector<int> forbidden;  ///< ids that may not occur
  std::vector<int> prefix;     ///< forced first words; n-gram blocking does not apply to them
  std::optional<SamplingOptions> sampling;
  /// Sampling only. Sample s of every image draws from the stream that (seed, s) starts, so that a picture's captions
  /// do not depend on the batch it stands in.
  std::uint64_t seed = 0;
  /// Sampling only: a seed an image instead, so that images of a batch draw independently. Empty: `seed` for all.
  std::vector<std::uint64_t> image_seeds;
  std::function<std::string(int)> spell;  ///< how messages call a word; none: "word 17"
};

/// One caption. Words and the spans beside them exclude the end marker; log_prob includes it where the hypothesis ended
/// by itself.
struct Hypothesis {
  std::vector<int> words;
  std::vector<float> log_probs;              ///< a word
  std::vector<float> gates;                  ///< a word; empty without gate
  std::vector<std::vector<float>> alphas;    ///< a word, cells each
  std::vector<std::vector<float>> channels;  ///< a word, the channels' weights; empty where the model has none
  double log_prob = 0;                       ///< sum, the end's included
  double end_log_prob = 0;                   ///< of the end marker; 0 where `ended` is false
  double score = 0;                          ///< length-normalised
  bool ended = true;                         ///< false: cut at max_words
};

/// Rows per image that these options need from the model: beam × (required words + 1), or `top` samples.
int rows_needed(const SearchOptions& options);

/// Throws Error(kUsage) naming option and value where options contradict themselves or each other, or an id lies
/// outside the vocabulary.
void validate(const SearchOptions& options, int vocabulary_size);

/// Per image the best hypotheses, best first; never empty: where nothing ended, live ones stand in as they are. Throws
/// what `validate` throws, also for a prefix or required word that the model never says, for a model with fewer rows
/// than `rows_needed`, and for another number of image seeds than images.
std::vector<std::vector<Hypothesis>> search(StepModel& model, const SearchOptions& options);

}  // namespace glimpse::search
