/// Option handling shared by beam search and sampling. Internal to this level.
#pragma once

#include <span>
#include <string>
#include <vector>

#include "search/search.h"

namespace glimpse::search {

/// The required words that remain to be said after the prefix, each once.
std::vector<int> words_to_say(const SearchOptions& options);

/// The name of `word` in messages.
std::string name_of(const SearchOptions& options, int word);

/// Throws Error(kUsage): the model gives `word`, of the option `what`, no probability at all.
[[noreturn]] void throw_never_said(const SearchOptions& options, const char* what, int word);

/// Throws Error(kModel) if one of them is NaN.
void check_numbers(std::span<const float> log_probs);

std::vector<std::vector<Hypothesis>> beam_search(StepModel& model, const SearchOptions& options);
std::vector<std::vector<Hypothesis>> sample(StepModel& model, const SearchOptions& options);

}  // namespace glimpse::search
