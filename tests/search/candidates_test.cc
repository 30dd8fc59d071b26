#include "search/candidates.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <limits>
#include <tuple>

#include "core/random.h"

namespace glimpse::search {
namespace {

/// The scan that skips against sorting everything: with ties, bans, −infinity, and every size around the block size.
TEST(BestCandidates, AreThoseOfAFullSort) {
  constexpr float kNever = -std::numeric_limits<float>::infinity();
  for (std::uint64_t seed = 1; seed <= 300; ++seed) {
    Random random(seed);
    const std::size_t words = 1 + random.below(300);
    const std::size_t capacity = 1 + random.below(12);
    const std::size_t rows = 1 + random.below(4);
    BestCandidates best(capacity);
    std::vector<Candidate> all;
    for (std::size_t row = 0; row < rows; ++row) {
      const double base = -random.uniform() * 3;
      std::vector<float> log_probs(words);
      std::vector<std::uint8_t> banned(words);
      for (std::size_t i = 0; i < words; ++i) {
        // Eighths, so that many are equal.
        log_probs[i] = random.below(10) == 0 ? kNever : -static_cast<float>(random.below(40)) / 8.0F;
        banned[i] = random.below(5) == 0 ? 1 : 0;
        if (banned[i] != 0 || log_probs[i] == kNever) continue;
        all.push_back(
            {base + static_cast<double>(log_probs[i]), static_cast<int>(row), static_cast<int>(i), log_probs[i]});
      }
      best.scan(static_cast<int>(row), base, log_probs, banned);
    }
    std::sort(all.begin(), all.end(), [](const Candidate& a, const Candidate& b) {
      return std::tie(b.log_prob, a.row, a.word) < std::tie(a.log_prob, b.row, b.word);
    });
    all.resize(std::min(all.size(), capacity));
    const std::span<const Candidate> found = best.sorted();
    ASSERT_EQ(found.size(), all.size()) << "seed " << seed;
    for (std::size_t i = 0; i < all.size(); ++i) {
      EXPECT_EQ(found[i].row, all[i].row) << "seed " << seed << ", candidate " << i;
      EXPECT_EQ(found[i].word, all[i].word) << "seed " << seed << ", candidate " << i;
      EXPECT_EQ(found[i].log_prob, all[i].log_prob) << "seed " << seed << ", candidate " << i;
    }
  }
}

}  // namespace
}  // namespace glimpse::search
