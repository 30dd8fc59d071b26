#include "dnn/plan/arena.h"

#include <gtest/gtest.h>

#include <algorithm>

#include "core/buffer.h"
#include "core/random.h"

namespace glimpse::dnn {
namespace {

/// The most that is alive at any one step: no layout can need less.
std::size_t most_alive(const std::vector<Lifetime>& buffers, int steps) {
  std::size_t most = 0;
  for (int step = 0; step < steps; ++step) {
    std::size_t alive = 0;
    for (const Lifetime& buffer : buffers) {
      if (buffer.first <= step && step <= buffer.last) alive += buffer.bytes;
    }
    most = std::max(most, alive);
  }
  return most;
}

TEST(Arena, BuffersAliveTogetherNeverOverlap) {
  constexpr int kSteps = 40;
  for (std::uint64_t seed = 0; seed < 200; ++seed) {
    Random random(seed);
    std::vector<Lifetime> buffers(1 + random.below(60));
    for (Lifetime& buffer : buffers) {
      buffer.bytes = random.below(5) == 0 ? random.below(3) : random.below(100000);
      buffer.first = static_cast<int>(random.below(kSteps));
      buffer.last = buffer.first + static_cast<int>(random.below(6) == 0 ? random.below(kSteps) : random.below(4));
    }
    const ArenaLayout layout = lay_out_arena(buffers);
    ASSERT_EQ(layout.offsets.size(), buffers.size());
    for (std::size_t i = 0; i < buffers.size(); ++i) {
      ASSERT_EQ(layout.offsets[i] % AlignedBuffer::kAlignment, 0U);
      ASSERT_LE(layout.offsets[i] + buffers[i].bytes, layout.bytes);
      for (std::size_t j = 0; j < i; ++j) {
        const bool together = buffers[i].first <= buffers[j].last && buffers[j].first <= buffers[i].last;
        const bool overlap = layout.offsets[i] < layout.offsets[j] + buffers[j].bytes &&
                             layout.offsets[j] < layout.offsets[i] + buffers[i].bytes;
        const bool empty = buffers[i].bytes == 0 || buffers[j].bytes == 0;
        ASSERT_FALSE(together && overlap && !empty) << "seed " << seed << ", buffers " << j << " and " << i;
      }
    }
    // Not a law of the greedy rule, but these cases stay well within it: a layout that shares nothing would not.
    ASSERT_LE(static_cast<double>(layout.bytes), 1.6 * static_cast<double>(most_alive(buffers, 2 * kSteps)) + 64.0 * 61)
        << "seed " << seed;
  }
}

TEST(Arena, ChainNeedsItsLargestPair) {
  // Each buffer is written in one step and read in the next.
  const std::vector<Lifetime> chain = {{640, 0, 1}, {6400, 1, 2}, {1280, 2, 3}, {128, 3, 4}, {5120, 4, 5}, {64, 5, 6}};
  EXPECT_EQ(lay_out_arena(chain).bytes, 6400U + 1280U);
}

TEST(Arena, NothingNeedsNothing) {
  EXPECT_EQ(lay_out_arena({}).bytes, 0U);
  EXPECT_EQ(lay_out_arena(std::vector<Lifetime>{{0, 0, 5}}).bytes, 0U);
}

}  // namespace
}  // namespace glimpse::dnn
