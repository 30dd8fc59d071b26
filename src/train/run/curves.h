/// Training curves as SVG: the loss of every stage and the validation scores.
#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "train/run/journal.h"

namespace glimpse::train {

/// A whole SVG file, complete in itself: a panel for each stage's loss (the first of a step's losses: pale as it was,
/// bold as the mean of neighbouring steps) and one for each score of the validations, over the epochs of the stages
/// that have it. The same journal gives the same text.
std::string draw_curves(const std::vector<JournalEntry>& journal, std::string_view title);

struct NamedJournal {
  std::string name;
  std::vector<JournalEntry> entries;
};

/// Several trainings in one picture: a panel for each stage's loss (the mean of neighbouring steps) and each score,
/// with a line a training.
std::string draw_curves_together(std::span<const NamedJournal> journals, std::string_view title);

}  // namespace glimpse::train
