// Beam search against two reference searches and a greedy loop, over random tables.

#include <gtest/gtest.h>

#include <cmath>

#include "reference_search.h"
#include "search/search.h"
#include "table_model.h"

namespace glimpse::search {
namespace {

using testing::Entry;
using testing::kEnd;
using testing::ReferenceCaption;
using testing::TableModel;
using testing::TableShape;

SearchOptions plain_options(int beam) {
  SearchOptions options;
  options.beam = beam;
  options.top = beam;
  options.max_words = 8;
  options.min_words = 0;
  options.no_repeat_ngram = 0;
  return options;
}

void expect_same(const std::vector<Hypothesis>& found, const std::vector<ReferenceCaption>& expected,
                 const std::string& repeat) {
  ASSERT_LE(found.size(), expected.size()) << repeat;
  for (std::size_t i = 0; i < found.size(); ++i) {
    EXPECT_EQ(found[i].words, expected[i].words) << repeat << ", caption " << i;
    EXPECT_EQ(found[i].ended, expected[i].ended) << repeat << ", caption " << i;
    EXPECT_NEAR(found[i].log_prob, expected[i].log_prob, 1e-9) << repeat << ", caption " << i;
    EXPECT_NEAR(found[i].score, expected[i].score, 1e-9) << repeat << ", caption " << i;
  }
}

TEST(Beam, IsWhatItsDescriptionSays) {
  for (std::uint64_t seed = 1; seed <= 60; ++seed) {
    for (const int beam : {1, 2, 3, 5, 9}) {
      for (const double penalty : {0.0, 0.7, 2.0}) {
        TableShape shape;
        shape.words = 12;
        shape.rows_per_image = beam;
        shape.seed = seed;
        TableModel model(shape);
        SearchOptions options = plain_options(beam);
        options.length_penalty = penalty;
        const std::vector<Hypothesis> found = search(model, options).front();
        std::vector<ReferenceCaption> expected = testing::plain_beam_search(model, 0, options);
        const std::string repeat =
            "seed " + std::to_string(seed) + ", beam " + std::to_string(beam) + ", penalty " + std::to_string(penalty);
        ASSERT_EQ(found.size(), std::min(expected.size(), static_cast<std::size_t>(beam))) << repeat;
        expect_same(found, expected, repeat);
      }
    }
  }
}

TEST(Beam, OfOneIsGreedy) {
  for (std::uint64_t seed = 1; seed <= 40; ++seed) {
    TableShape shape;
    shape.words = 40;
    shape.seed = seed;
    TableModel model(shape);
    const Hypothesis found = search(model, plain_options(1)).front().front();
    std::vector<int> words;
    bool ended = false;
    while (words.size() < 8 && !ended) {
      const Entry entry = model.entry(0, words);
      const auto best = std::max_element(entry.log_probs.begin(), entry.log_probs.end()) - entry.log_probs.begin();
      ended = best == kEnd;
      if (!ended) words.push_back(static_cast<int>(best));
    }
    EXPECT_EQ(found.words, words) << "seed " << seed;
    EXPECT_EQ(found.ended, ended) << "seed " << seed;
  }
}

struct ConstraintCase {
  const char* name;
  SearchOptions options;
};

SearchOptions with(const std::function<void(SearchOptions&)>& change) {
  SearchOptions options = plain_options(150);
  options.max_words = 4;
  options.top = 30;
  change(options);
  return options;
}

/// As wide as there are hypotheses: nothing is lost, whatever the constraints.
TEST(Beam, OfFullWidthFindsWhatEnumerationFinds) {
  const std::vector<ConstraintCase> cases = {
      {"plain", with([](SearchOptions&) {})},
      {"penalty 0", with([](SearchOptions& o) { o.length_penalty = 0; })},
      {"penalty 3", with([](SearchOptions& o) { o.length_penalty = 3; })},
      {"no word twice", with([](SearchOptions& o) { o.no_repeat_ngram = 1; })},
      {"no bigram twice", with([](SearchOptions& o) { o.no_repeat_ngram = 2; })},
      {"at least 3 words", with([](SearchOptions& o) { o.min_words = 3; })},
      {"exactly 4 words", with([](SearchOptions& o) { o.min_words = 4; })},
      {"forbidden", with([](SearchOptions& o) {
         o.forbidden = {2, 4};
       })},
      {"prefix", with([](SearchOptions& o) {
         o.prefix = {3, 3};
       })},
      {"one required", with([](SearchOptions& o) { o.required = {4}; })},
      {"two required", with([](SearchOptions& o) {
         o.required = {4, 2};
       })},
      {"required twice over", with([](SearchOptions& o) {
         o.required = {4, 4, 2};
       })},
      {"required fill the caption", with([](SearchOptions& o) {
         o.required = {2, 3, 4, 5};
       })},
      {"required in the prefix", with([](SearchOptions& o) {
         o.prefix = {2};
         o.required = {2, 5};
       })},
      {"all at once", with([](SearchOptions& o) {
         o.prefix = {2};
         o.required = {5};
         o.forbidden = {4};
         o.no_repeat_ngram = 1;
         o.min_words = 2;
       })},
  };
  for (const ConstraintCase& test : cases) {
    for (std::uint64_t seed = 1; seed <= 20; ++seed) {
      TableShape shape;
      shape.rows_per_image = rows_needed(test.options);
      shape.seed = seed;
      TableModel model(shape);
      const std::vector<Hypothesis> found = search(model, test.options).front();
      const std::vector<ReferenceCaption> expected = testing::enumerate(model, 0, test.options);
      const std::string repeat = std::string(test.name) + ", seed " + std::to_string(seed);
      ASSERT_FALSE(expected.empty()) << repeat;
      EXPECT_EQ(found.size(), std::min<std::size_t>(expected.size(), 30)) << repeat;
      expect_same(found, expected, repeat);
    }
  }
}

/// Every word's log-probability, alphas and gate are those of the words before it.
TEST(Beam, WalksBackToWhatEachWordSaw) {
  for (std::uint64_t seed = 1; seed <= 20; ++seed) {
    TableShape shape;
    shape.images = 3;
    shape.seed = seed;
    TableModel model(shape);
    const auto found = search(model, plain_options(4));
    ASSERT_EQ(found.size(), 3U);
    for (int image = 0; image < 3; ++image) {
      for (const Hypothesis& hypothesis : found[static_cast<std::size_t>(image)]) {
        std::vector<int> before;
        double sum = hypothesis.end_log_prob;
        for (std::size_t w = 0; w < hypothesis.words.size(); ++w) {
          const Entry entry = model.entry(image, before);
          const int word = hypothesis.words[w];
          EXPECT_EQ(hypothesis.log_probs[w], entry.log_probs[static_cast<std::size_t>(word)]);
          EXPECT_EQ(hypothesis.alphas[w], entry.alphas) << "seed " << seed << ", word " << w;
          EXPECT_EQ(hypothesis.gates[w], entry.gate);
          sum += static_cast<double>(hypothesis.log_probs[w]);
          before.push_back(word);
        }
        const double end = hypothesis.ended ? model.entry(image, before).log_probs[kEnd] : 0;
        EXPECT_EQ(hypothesis.end_log_prob, end);
        EXPECT_NEAR(hypothesis.log_prob, sum, 1e-9);
      }
    }
  }
}

TEST(Beam, BatchesDoNotChangeResults) {
  for (const bool required : {false, true}) {
    SearchOptions options = plain_options(3);
    if (required) options.required = {5};
    TableShape shape;
    shape.words = 9;
    shape.images = 5;
    shape.rows_per_image = rows_needed(options) + 1;  // one idle row
    TableModel batch(shape);
    const auto together = search(batch, options);
    for (int image = 0; image < 5; ++image) {
      TableShape alone_shape = shape;
      alone_shape.images = 1;
      alone_shape.first_image = image;
      alone_shape.rows_per_image = rows_needed(options);
      TableModel alone(alone_shape);
      const auto single = search(alone, options).front();
      const auto& in_batch = together[static_cast<std::size_t>(image)];
      ASSERT_EQ(in_batch.size(), single.size());
      for (std::size_t i = 0; i < single.size(); ++i) {
        EXPECT_EQ(in_batch[i].words, single[i].words) << "image " << image;
        EXPECT_EQ(in_batch[i].log_prob, single[i].log_prob);
        EXPECT_EQ(in_batch[i].alphas, single[i].alphas);
      }
    }
  }
}

TEST(Beam, StopsOnceEnoughHaveFinished) {
  TableShape shape;
  shape.words = 3;  // start, end, one word
  shape.spread = 0;
  TableModel model(shape);
  SearchOptions options = plain_options(2);
  options.max_words = 20;
  EXPECT_EQ(search(model, options).front().size(), 2U);
  EXPECT_EQ(model.steps_taken(), 2);  // an end at the first step, another at the second
}

}  // namespace
}  // namespace glimpse::search
