// Grounding on small maps, where every number can be counted by hand.
#include "metrics/grounding.h"

#include <gtest/gtest.h>

#include <cmath>
#include <string>
#include <vector>

#include "core/random.h"
#include "core/text.h"

namespace glimpse::metrics {
namespace {

using Things = std::vector<KnownThing>;
using Alphas = std::vector<std::vector<float>>;

/// Cells of `size` pixels, row by row.
std::vector<Rect> grid(int rows, int cols, double size) {
  std::vector<Rect> cells;
  for (int i = 0; i < rows * cols; ++i) cells.push_back({i % cols * size, i / cols * size, size, size});
  return cells;
}

/// A 4×4 map of a picture of 40 pixels: a small red circle in the upper left quarter, a large blue square in the lower
/// right one, a small blue star in the upper right one.
class GroundingTest : public ::testing::Test {
 protected:
  GroundingTest() { counts_.know(things_); }

  /// A caption whose words all look at one cell, all of them at `cell`.
  void say(const std::string& text, std::size_t cell) {
    std::vector<float> alpha(cells_.size());
    alpha[cell] = 1;
    say(text, std::vector(split_words(text).size(), alpha));
  }

  void say(const std::string& text, const Alphas& alphas) {
    std::vector<AttendedWord> caption;
    for (const std::string_view word : split_words(text)) caption.push_back({word, alphas[caption.size()]});
    counts_.add(caption, things_, cells_);
  }

  /// What is known of a caption of which only the words are.
  void say(const std::string& text) {
    std::vector<AttendedWord> caption;
    for (const std::string_view word : split_words(text)) caption.push_back({word, {}});
    counts_.add(caption, things_, {});
  }

  LookScores looks() const { return counts_.scores().looks.value(); }

  const Things things_ = {{"circle", "red", "small", {0, 0, 20, 20}},
                          {"square", "blue", "large", {20, 20, 20, 20}},
                          {"star", "blue", "small", {20, 0, 20, 20}}};
  const std::vector<Rect> cells_ = grid(4, 4, 10);
  SceneCounts counts_;
};

constexpr std::size_t kAtCircle = 5;   // row 1, column 1
constexpr std::size_t kAtSquare = 10;  // row 2, column 2
constexpr std::size_t kAtStar = 3;     // row 0, column 3

TEST_F(GroundingTest, OnlyContentWordsCountAndAPhraseMeansOneThing) {
  say("a small red circle on the left", kAtCircle);
  SceneScores scores = counts_.scores();
  EXPECT_EQ(scores.captions, 1U);
  EXPECT_EQ(scores.content_words, 3U);
  EXPECT_EQ(scores.wrong_words, 0);
  EXPECT_EQ(looks().grounding, 1);
  EXPECT_EQ(looks().mass, 1);
  // The star is small too, but it is the circle that is spoken of.
  say("a small red circle", kAtStar);
  EXPECT_EQ(looks().grounding, 0.5);
  EXPECT_EQ(looks().mass, 0.5);
}

TEST_F(GroundingTest, WordsBetweenEndAPhrase) {
  // "small" and "blue" by themselves are true of two things each.
  say("small and blue", kAtStar);
  EXPECT_EQ(looks().grounding, 1);
  say("small and blue", kAtSquare);
  EXPECT_EQ(looks().grounding, 0.75);
}

TEST_F(GroundingTest, WhereAPhraseIsTrueOfNothingItsWordsStandAlone) {
  // There is no red star: "red" speaks of the circle, "star" of the star.
  say("a red star", kAtStar);
  const SceneScores scores = counts_.scores();
  EXPECT_EQ(scores.content_words, 2U);
  EXPECT_EQ(scores.wrong_words, 0);
  EXPECT_EQ(scores.looks->grounding, 0.5);
  EXPECT_EQ(scores.right, 0);
}

TEST_F(GroundingTest, WordsThatAreTrueOfNothingAreWrongAndNotUngrounded) {
  counts_.know(Things{{"heart", "green", "large", {}}});
  say("a green circle", kAtCircle);
  const SceneScores scores = counts_.scores();
  EXPECT_EQ(scores.wrong_words, 0.5);
  EXPECT_EQ(scores.looks->grounding, 1) << "of the one word that speaks of something";
  EXPECT_EQ(scores.right, 0);
  EXPECT_EQ(scores.named, 0);
  // A word that no thing of the set has is no content word.
  say("a nice circle", kAtCircle);
  EXPECT_EQ(counts_.scores().content_words, 3U);
}

TEST_F(GroundingTest, MassAndPeakAreThoseOfTheCellsInTheRegion) {
  std::vector<float> alpha(cells_.size(), 0.0F);
  alpha[0] = 0.3F;   // in the circle's box
  alpha[5] = 0.25F;  // likewise
  alpha[8] = 0.45F;  // the peak, outside
  say("circle", Alphas{alpha});
  EXPECT_EQ(looks().grounding, 0);
  EXPECT_NEAR(looks().mass, 0.55, 1e-6);
  EXPECT_NEAR(looks().entropy, -(0.3 * std::log2(0.3) + 0.25 * std::log2(0.25) + 0.45 * std::log2(0.45)), 1e-6);
}

TEST_F(GroundingTest, AttentionNeedNotSumToOne) {
  std::vector<float> alpha(cells_.size(), 0.5F);
  alpha[0] = 2;
  say("circle", Alphas{alpha});
  std::vector<float> scaled = alpha;
  for (float& weight : scaled) weight /= 9.5F;
  const LookScores before = looks();
  say("circle", Alphas{scaled});
  EXPECT_NEAR(looks().mass, before.mass, 1e-6);
  EXPECT_NEAR(looks().entropy, before.entropy, 1e-5);
  EXPECT_NEAR(before.mass, 3.5 / 9.5, 1e-6);
}

TEST_F(GroundingTest, EntropyIsOfAllWordsFromOneCellToAllOfThem) {
  say("a circle", kAtCircle);
  EXPECT_EQ(looks().entropy, 0);
  say("a circle", std::vector(2, std::vector<float>(cells_.size(), 1.0F / 16)));
  EXPECT_NEAR(looks().entropy, 2, 1e-6) << "the mean of 0 and log2 16";
}

TEST_F(GroundingTest, ACellLiesWhereItsCentreDoesAndNoBoxIsTooSmallForTheMap) {
  const auto grounded = [&](const Rect& box, std::size_t cell) {
    SceneCounts counts;
    const Things things = {{"dot", "", "", box}};
    counts.know(things);
    std::vector<float> alpha(cells_.size());
    alpha[cell] = 1;
    counts.add(std::vector<AttendedWord>{{"dot", alpha}}, things, cells_);
    return counts.scores().looks->grounding == 1;
  };
  EXPECT_TRUE(grounded({0, 0, 5.1, 5.1}, 0));
  EXPECT_FALSE(grounded({0, 0, 14, 14}, 1)) << "its centre is outside";
  EXPECT_TRUE(grounded({0, 0, 15.1, 14}, 1));
  EXPECT_TRUE(grounded({1, 1, 2, 2}, 0)) << "smaller than a cell, away from its centre";
  EXPECT_FALSE(grounded({1, 1, 2, 2}, 1));
  EXPECT_TRUE(grounded({9, 0, 2, 2}, 1)) << "a centre between two cells belongs to one of them";
  EXPECT_FALSE(grounded({9, 0, 2, 2}, 0));
}

TEST_F(GroundingTest, ShapeAndColourMustBothBeSaidAndBeOfOneThing) {
  const auto right = [&](const std::string& text) {
    const double before = counts_.scores().right * static_cast<double>(counts_.scores().captions);
    say(text);
    return counts_.scores().right * static_cast<double>(counts_.scores().captions) - before > 0.5;
  };
  EXPECT_TRUE(right("there is a red circle"));
  EXPECT_TRUE(right("a large red circle")) << "whatever its size";
  EXPECT_TRUE(right("a red circle left of a small blue star and a blue square"));
  EXPECT_FALSE(right("a red circle and a red square")) << "one of them is none";
  EXPECT_FALSE(right("a circle")) << "of no colour";
  EXPECT_FALSE(right("something red and a circle"));
  EXPECT_FALSE(right("a red circle and a heart red star"));
  EXPECT_TRUE(right("a red circle and something blue"));
  EXPECT_FALSE(right("a picture"));
  EXPECT_FALSE(right(""));
  EXPECT_FALSE(counts_.scores().looks) << "only the words are known";
}

TEST_F(GroundingTest, ThingsAreNamedOnceHoweverOftenTheyAreSaid) {
  say("a red circle and a small red circle");
  EXPECT_NEAR(counts_.scores().named, 1.0 / 3, 1e-12);
  say("a red circle with a blue star and a blue square");
  EXPECT_NEAR(counts_.scores().named, 4.0 / 6, 1e-12);
  EXPECT_EQ(counts_.scores().right, 1);
}

TEST_F(GroundingTest, TheOrderOfCellsDoesNotMatter) {
  Random random(3);
  std::vector<std::size_t> order(cells_.size());
  for (std::size_t i = 0; i < order.size(); ++i) order[i] = i;
  for (std::size_t i = order.size(); i > 1; --i) std::swap(order[i - 1], order[random.below(i)]);
  std::vector<float> alpha;
  std::vector<float> permuted;
  std::vector<Rect> cells;
  for (std::size_t i = 0; i < order.size(); ++i) alpha.push_back(static_cast<float>(random.uniform()));
  for (const std::size_t i : order) {
    permuted.push_back(alpha[i]);
    cells.push_back(cells_[i]);
  }
  SceneCounts other = counts_;
  counts_.add(std::vector<AttendedWord>{{"blue", alpha}}, things_, cells_);
  other.add(std::vector<AttendedWord>{{"blue", permuted}}, things_, cells);
  EXPECT_EQ(looks().grounding, other.scores().looks->grounding);
  EXPECT_NEAR(looks().mass, other.scores().looks->mass, 1e-6);
  EXPECT_NEAR(looks().entropy, other.scores().looks->entropy, 1e-6);
}

TEST(Grounding, NothingIsCountedWhereNothingIsKnown) {
  SceneCounts counts;
  counts.know(Things{{"", "", "", {}}});
  EXPECT_FALSE(counts.knows_anything());
  const SceneScores scores = counts.scores();
  EXPECT_EQ(scores.right, 0);
  EXPECT_EQ(scores.named, 0);
  EXPECT_EQ(scores.wrong_words, 0);
  EXPECT_FALSE(scores.looks);
}

}  // namespace
}  // namespace glimpse::metrics
