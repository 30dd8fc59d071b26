// Constraints hold for any model, with narrow beams, and if no caption is possible.

#include <gtest/gtest.h>

#include <algorithm>
#include <limits>

#include "core/error.h"
#include "reference_search.h"
#include "search/search.h"
#include "table_model.h"

namespace glimpse::search {
namespace {

using testing::kEnd;
using testing::kStart;
using testing::TableModel;
using testing::TableShape;

bool contains(const std::vector<int>& words, int word) {
  return std::find(words.begin(), words.end(), word) != words.end();
}

std::vector<Hypothesis> run(const SearchOptions& options, std::uint64_t seed, int words = 30) {
  TableShape shape;
  shape.words = words;
  shape.rows_per_image = rows_needed(options);
  shape.seed = seed;
  TableModel model(shape);
  return search(model, options).front();
}

TEST(Constraints, RequiredWordsAreAlwaysSaid) {
  const std::vector<std::vector<int>> wanted = {{7}, {7, 20}, {7, 20, 3, 29, 11}};
  for (const std::vector<int>& required : wanted) {
    for (const int beam : {1, 2, 4}) {
      for (const int max_words : {5, 6, 12}) {
        for (std::uint64_t seed = 1; seed <= 25; ++seed) {
          SearchOptions options;
          options.beam = beam;
          options.top = beam;
          options.max_words = max_words;
          options.required = required;
          const std::vector<Hypothesis> found = run(options, seed);
          ASSERT_FALSE(found.empty());
          for (const Hypothesis& hypothesis : found) {
            EXPECT_LE(hypothesis.words.size(), static_cast<std::size_t>(max_words));
            for (const int word : required) {
              EXPECT_TRUE(contains(hypothesis.words, word))
                  << "word " << word << ", " << required.size() << " required, beam " << beam << ", at most "
                  << max_words << " words, seed " << seed;
            }
          }
        }
      }
    }
  }
}

/// A required word that the unconstrained best caption has anyway costs nothing.
TEST(Constraints, RequiringWhatIsSaidAnywayChangesNothing) {
  for (std::uint64_t seed = 1; seed <= 40; ++seed) {
    SearchOptions options;
    options.beam = 4;
    options.max_words = 8;
    const Hypothesis best = run(options, seed).front();
    ASSERT_FALSE(best.words.empty());
    options.required = {best.words.back()};
    const Hypothesis again = run(options, seed).front();
    EXPECT_GE(again.score, best.score - 1e-9) << "seed " << seed;
  }
}

/// Says "3 3 2" if it may begin as it likes, and ends at once where it had to begin with 2.
class Detour : public TableModel {
 public:
  using TableModel::TableModel;
  testing::Entry entry(int image, const std::vector<int>& words) const override {
    testing::Entry entry = TableModel::entry(image, words);
    const std::vector<int> likely = {3, 3, 2, kEnd};
    const bool on_the_way = words.size() < likely.size() && std::equal(words.begin(), words.end(), likely.begin());
    const int next = on_the_way ? likely[words.size()] : kEnd;
    for (int word = kEnd; word < vocabulary_size(); ++word) {
      entry.log_probs[static_cast<std::size_t>(word)] = word == next ? -0.1F : -6.0F - static_cast<float>(words.size());
    }
    return entry;
  }
};

/// One caption is enough for a beam of 1, and the first to end here is a bad one: the search must see that it can do
/// better.
TEST(Constraints, SearchGoesOnWhileItCanImprove) {
  SearchOptions options;
  options.beam = 1;
  options.required = {2};
  TableShape shape;
  shape.rows_per_image = rows_needed(options);
  Detour model(shape);
  EXPECT_EQ(search(model, options).front().front().words, (std::vector<int>{3, 3, 2}));
}

TEST(Constraints, NoNgramIsSaidTwice) {
  for (const int n : {1, 2, 3}) {
    bool matters = false;
    for (std::uint64_t seed = 1; seed <= 25; ++seed) {
      SearchOptions options;
      options.top = 3;
      options.min_words = 10;  // five words: repeating is hard to avoid
      options.max_words = n == 1 ? 5 : 12;
      options.min_words = n == 1 ? 0 : 10;
      options.no_repeat_ngram = n;
      for (const Hypothesis& hypothesis : run(options, seed, 7)) {
        EXPECT_FALSE(testing::repeats(hypothesis.words, n)) << n << "-gram, seed " << seed;
      }
      options.no_repeat_ngram = 0;
      matters |= testing::repeats(run(options, seed, 7).front().words, n);
    }
    EXPECT_TRUE(matters) << n << ": nothing to block, so nothing was tested";
  }
}

TEST(Constraints, LengthsPrefixAndForbiddenWordsHold) {
  for (std::uint64_t seed = 1; seed <= 40; ++seed) {
    SearchOptions options;
    options.top = 3;
    options.min_words = 4;
    options.max_words = 6;
    options.prefix = {9, 9, 9};  // n-gram blocking does not apply to it
    options.no_repeat_ngram = 1;
    options.forbidden = {2, 3, 4, 5, 6, 7, 8};
    for (const Hypothesis& hypothesis : run(options, seed, 14)) {
      ASSERT_GE(hypothesis.words.size(), 4U);
      ASSERT_LE(hypothesis.words.size(), 6U);
      EXPECT_EQ(std::vector<int>(hypothesis.words.begin(), hypothesis.words.begin() + 3), options.prefix);
      for (const int word : options.forbidden) EXPECT_FALSE(contains(hypothesis.words, word));
    }
  }
}

TEST(Constraints, ThereIsACaptionEvenWhereNothingCanBeSaid) {
  SearchOptions options;
  options.forbidden = {2, 3, 4, 5};  // all words there are
  options.min_words = 3;
  const std::vector<Hypothesis> found = run(options, 1, 6);
  ASSERT_EQ(found.size(), 1U);
  EXPECT_TRUE(found.front().words.empty());
  EXPECT_FALSE(found.front().ended);

  options.prefix = {};
  options.forbidden = {3, 4, 5};
  options.no_repeat_ngram = 1;  // one word, and not twice
  const std::vector<Hypothesis> stuck = run(options, 1, 6);
  ASSERT_EQ(stuck.size(), 1U);
  EXPECT_EQ(stuck.front().words, std::vector<int>{2});
  EXPECT_FALSE(stuck.front().ended);
}

/// Gives the same log-probabilities whatever was said.
class FixedModel : public StepModel {
 public:
  FixedModel(std::vector<float> log_probs, int rows) : rows_(rows), alphas_(static_cast<std::size_t>(rows), 1.0F) {
    words_ = static_cast<int>(log_probs.size());
    for (int row = 0; row < rows; ++row) log_probs_.insert(log_probs_.end(), log_probs.begin(), log_probs.end());
  }
  int images() const override { return 1; }
  int rows_per_image() const override { return rows_; }
  int vocabulary_size() const override { return words_; }
  int cells() const override { return 1; }
  int start_id() const override { return kStart; }
  int end_id() const override { return kEnd; }
  StepOutput step(std::span<const int>, std::span<const int>) override { return {log_probs_, alphas_, {}}; }

 private:
  int rows_;
  int words_ = 0;
  std::vector<float> log_probs_;
  std::vector<float> alphas_;
};

constexpr float kNever = -std::numeric_limits<float>::infinity();

ErrorCode failure(FixedModel& model, const SearchOptions& options) {
  try {
    search(model, options);
  } catch (const Error& error) {
    return error.code();
  }
  return ErrorCode::kInternal;
}

TEST(Constraints, WordsThatTheModelNeverSaysAreRefused) {
  FixedModel model({kNever, -1, -1, kNever}, 6);
  SearchOptions options;
  options.prefix = {3};
  EXPECT_EQ(failure(model, options), ErrorCode::kUsage);
  options.prefix = {kEnd};
  EXPECT_EQ(failure(model, options), ErrorCode::kUsage);
  options.prefix = {};
  options.required = {3};
  EXPECT_EQ(failure(model, options), ErrorCode::kUsage);
  options.required = {kStart};
  EXPECT_EQ(failure(model, options), ErrorCode::kUsage);
  options.required = {};
  options.forbidden = {kEnd};
  EXPECT_EQ(failure(model, options), ErrorCode::kUsage);
}

TEST(Constraints, NumbersThatAreNoneAreTheModelsFault) {
  const float nan = std::numeric_limits<float>::quiet_NaN();
  FixedModel model({nan, nan, nan, nan}, 3);
  SearchOptions options;
  EXPECT_EQ(failure(model, options), ErrorCode::kModel);
  options.sampling.emplace();
  EXPECT_EQ(failure(model, options), ErrorCode::kModel);
}

TEST(Constraints, AModelWithoutGatesGivesNone) {
  FixedModel model({kNever, -3, -1, -2}, 3);
  const Hypothesis found = search(model, {}).front().front();
  EXPECT_FALSE(found.words.empty());
  EXPECT_TRUE(found.gates.empty());
}

}  // namespace
}  // namespace glimpse::search
