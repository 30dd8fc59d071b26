/// Results of a comparison as Markdown table, JSON and bar charts.
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

#include "eval/set_scores.h"

namespace glimpse::eval {

/// A variant trained with one seed.
struct VariantRun {
  std::uint64_t seed = 0;
  std::filesystem::path model;
  std::optional<SetScores> scores;  ///< none where it failed
  std::string failure;              ///< the error, if it failed
};

struct Variant {
  std::string name;
  std::string recipe;              ///< as the command line named it
  std::vector<VariantRun> runs;    ///< at least one
  std::int64_t parameters = 0;     ///< of encoder and decoder
  double pictures_per_second = 0;  ///< encoder and search; 0: not measured
};

struct Comparison {
  std::string captions;      ///< the set's file
  std::string how;           ///< a sentence or two on what all variants had in common
  std::size_t pictures = 0;  ///< test pictures
  std::vector<Variant> variants;
};

/// A table in Markdown and what it takes to read it: shares in per cent, means of the runs and, where there are
/// several, ± their standard deviation. Columns that no variant has are left out.
std::string as_markdown(const Comparison& comparison);
/// All numbers of all runs, as `glimpse eval --format json` names them.
std::string as_json(const Comparison& comparison);
/// A panel of bars a column, as SVG.
std::string as_bars(const Comparison& comparison);

}  // namespace glimpse::eval
