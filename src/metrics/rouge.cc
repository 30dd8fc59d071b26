#include "metrics/rouge.h"

#include <algorithm>

namespace glimpse::metrics {
namespace {

/// Length of the longest common subsequence; a row of the table at a time.
int common_length(std::span<const int> a, std::span<const int> b) {
  std::vector<int> row(b.size() + 1);
  for (const int word : a) {
    int diagonal = 0;  // the row before, one to the left
    for (std::size_t j = 1; j <= b.size(); ++j) {
      const int above = row[j];
      row[j] = word == b[j - 1] ? diagonal + 1 : std::max(above, row[j - 1]);
      diagonal = above;
    }
  }
  return row.back();
}

}  // namespace

double rouge_l(std::span<const int> candidate, std::span<const Sentence> references) {
  constexpr double kBetaSquared = 1.2 * 1.2;
  double precision = 0;
  double recall = 0;
  for (const Sentence& reference : references) {
    const double common = common_length(candidate, reference);
    if (common == 0) continue;
    precision = std::max(precision, common / static_cast<double>(candidate.size()));
    recall = std::max(recall, common / static_cast<double>(reference.size()));
  }
  if (precision == 0) return 0;
  return (1 + kBetaSquared) * precision * recall / (recall + kBetaSquared * precision);
}

}  // namespace glimpse::metrics
