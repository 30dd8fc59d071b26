#include "pipeline/cell_block.h"

#include <gtest/gtest.h>

#include <numeric>
#include <vector>

#include "core/random.h"

namespace glimpse {
namespace {

TEST(AttendedBlock, IsThePeakWhereThePeakHoldsEnough) {
  std::vector<float> alpha(12, 0.02F);
  alpha[1 * 4 + 2] = 0.78F;
  const CellBlock block = attended_block(alpha, 3, 4);
  EXPECT_EQ(block.row, 1);
  EXPECT_EQ(block.col, 2);
  EXPECT_EQ(block.rows, 1);
  EXPECT_EQ(block.cols, 1);
}

TEST(AttendedBlock, GrowsTowardsTheMass) {
  // Two rows of two bright cells at the right edge.
  const std::vector<float> alpha = {0,    0, 0.2F, 0.25F,  //
                                    0,    0, 0.2F, 0.25F,  //
                                    0.1F, 0, 0,    0};
  const CellBlock block = attended_block(alpha, 3, 4, 0.85);
  EXPECT_EQ(block.row, 0);
  EXPECT_EQ(block.col, 2);
  EXPECT_EQ(block.rows, 2);
  EXPECT_EQ(block.cols, 2);
}

TEST(AttendedBlock, AlwaysHoldsItsShareAndThePeakWithinTheMap) {
  Random random(5);
  for (int round = 0; round < 200; ++round) {
    const int rows = 1 + static_cast<int>(random.below(9));
    const int cols = 1 + static_cast<int>(random.below(9));
    std::vector<float> alpha(static_cast<std::size_t>(rows * cols));
    for (float& value : alpha) value = static_cast<float>(random.uniform() * random.uniform());
    const float total = std::accumulate(alpha.begin(), alpha.end(), 0.0F);
    for (float& value : alpha) value /= total;
    const double share = random.uniform();
    const CellBlock block = attended_block(alpha, rows, cols, share);
    ASSERT_GE(block.row, 0);
    ASSERT_GE(block.col, 0);
    ASSERT_LE(block.row + block.rows, rows);
    ASSERT_LE(block.col + block.cols, cols);
    double held = 0;
    float peak = 0;
    for (int row = block.row; row < block.row + block.rows; ++row) {
      for (int col = block.col; col < block.col + block.cols; ++col) {
        held += alpha[static_cast<std::size_t>(row * cols + col)];
        peak = std::max(peak, alpha[static_cast<std::size_t>(row * cols + col)]);
      }
    }
    EXPECT_GE(held, share - 1e-5);
    EXPECT_EQ(peak, *std::max_element(alpha.begin(), alpha.end()));
  }
}

}  // namespace
}  // namespace glimpse
