#include "pipeline/cell_block.h"

#include <algorithm>
#include <array>
#include <numeric>

namespace glimpse {
namespace {

double sum(std::span<const float> alpha, int cols, const CellBlock& block) {
  double total = 0;
  for (int row = block.row; row < block.row + block.rows; ++row) {
    const auto begin = alpha.begin() + static_cast<std::ptrdiff_t>(row) * cols + block.col;
    total = std::accumulate(begin, begin + block.cols, total);
  }
  return total;
}

}  // namespace

CellBlock attended_block(std::span<const float> alpha, int rows, int cols, double share) {
  const auto peak = static_cast<int>(std::max_element(alpha.begin(), alpha.end()) - alpha.begin());
  CellBlock block = {peak / cols, peak % cols, 1, 1};
  double held = alpha[static_cast<std::size_t>(peak)];
  const double wanted = share * std::accumulate(alpha.begin(), alpha.end(), 0.0);
  while (held < wanted && (block.rows < rows || block.cols < cols)) {
    // Each candidate: the strip that would be added, and the block with it.
    struct Step {
      CellBlock strip;
      CellBlock grown;
    };
    const auto [row, col, height, width] = block;
    const std::array<Step, 4> steps = {{{{row - 1, col, 1, width}, {row - 1, col, height + 1, width}},
                                        {{row + height, col, 1, width}, {row, col, height + 1, width}},
                                        {{row, col - 1, height, 1}, {row, col - 1, height, width + 1}},
                                        {{row, col + width, height, 1}, {row, col, height, width + 1}}}};
    double best_density = -1;
    double best_sum = 0;
    for (const auto& [strip, grown] : steps) {
      if (strip.row < 0 || strip.col < 0 || strip.row >= rows || strip.col >= cols) continue;
      const double strip_sum = sum(alpha, cols, strip);
      const double density = strip_sum / (strip.rows * strip.cols);
      if (density > best_density) {
        best_density = density;
        best_sum = strip_sum;
        block = grown;
      }
    }
    held += best_sum;
  }
  return block;
}

}  // namespace glimpse
