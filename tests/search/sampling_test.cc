// Sampling: the frequencies of drawn words are the model's, filtered and heated as asked; a seed gives one result.

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <map>
#include <numeric>

#include "core/error.h"
#include "search/search.h"
#include "table_model.h"

namespace glimpse::search {
namespace {

using testing::kEnd;
using testing::TableModel;
using testing::TableShape;

constexpr int kSamples = 1000;

SearchOptions sampling_options(const SamplingOptions& sampling, std::uint64_t seed = 1) {
  SearchOptions options;
  options.top = kSamples;
  options.max_words = 1;
  options.min_words = 0;
  options.no_repeat_ngram = 0;
  options.sampling = sampling;
  options.seed = seed;
  return options;
}

TableModel model_for(const SearchOptions& options) {
  TableShape shape;
  shape.words = 12;
  shape.rows_per_image = rows_needed(options);
  return TableModel(shape);
}

/// Frequencies of the first word (kEnd: the empty caption) over several seeds.
std::map<int, double> frequencies(const SamplingOptions& sampling) {
  constexpr int kSeeds = 20;
  std::map<int, double> counts;
  for (int seed = 0; seed < kSeeds; ++seed) {
    const SearchOptions options = sampling_options(sampling, static_cast<std::uint64_t>(seed));
    TableModel model = model_for(options);
    const std::vector<Hypothesis> samples = search(model, options).front();
    for (const Hypothesis& sample : samples) {
      counts[sample.words.empty() ? kEnd : sample.words.front()] += 1.0 / (kSeeds * kSamples);
    }
  }
  return counts;
}

/// What the frequencies should be: the definition, by sorting.
std::map<int, double> expected(const SamplingOptions& sampling) {
  const TableModel model = model_for(sampling_options(sampling));
  const std::vector<float> log_probs = model.entry(0, {}).log_probs;
  std::vector<int> order;
  for (int word = kEnd; word < static_cast<int>(log_probs.size()); ++word) order.push_back(word);
  std::sort(order.begin(), order.end(), [&](int a, int b) {
    return log_probs[static_cast<std::size_t>(a)] > log_probs[static_cast<std::size_t>(b)];
  });
  if (sampling.top_k > 0) order.resize(static_cast<std::size_t>(sampling.top_k));
  const auto weight = [&](int word) {
    return std::exp(static_cast<double>(log_probs[static_cast<std::size_t>(word)]) / sampling.temperature);
  };
  double total = 0;
  for (const int word : order) total += weight(word);
  std::map<int, double> kept;
  double reached = 0;
  for (const int word : order) {
    if (reached >= sampling.top_p * total) break;
    kept[word] = weight(word);
    reached += weight(word);
  }
  for (auto& [word, value] : kept) value /= reached;
  return kept;
}

TEST(Sampling, FrequenciesAreTheModels) {
  const std::vector<SamplingOptions> cases = {{1, 0, 1},   {0.5, 0, 1},   {2, 0, 1},     {1, 3, 1},
                                              {1, 0, 0.6}, {0.7, 5, 0.8}, {1, 1, 1},     {1, 0, 1e-6},
                                              {1, 12, 1},  {0.01, 0, 1},  {1.5, 4, 0.95}};
  for (std::size_t i = 0; i < cases.size(); ++i) {
    const std::map<int, double> wanted = expected(cases[i]);
    const std::map<int, double> found = frequencies(cases[i]);
    for (const auto& [word, frequency] : found) {
      ASSERT_TRUE(wanted.count(word) > 0) << "case " << i << ": word " << word << " should never be drawn";
    }
    for (const auto& [word, probability] : wanted) {
      // 20,000 draws: five standard deviations.
      const double tolerance = 5 * std::sqrt(probability * (1 - probability) / 20000) + 1e-9;
      const auto drawn = found.find(word);
      EXPECT_NEAR(drawn == found.end() ? 0 : drawn->second, probability, tolerance)
          << "case " << i << ", word " << word;
    }
  }
}

TEST(Sampling, ASeedGivesOneResult) {
  SearchOptions options = sampling_options({}, 7);
  options.top = 4;
  options.max_words = 10;
  const auto draw = [&](std::uint64_t seed) {
    options.seed = seed;
    TableModel model = model_for(options);
    std::vector<std::vector<int>> words;
    const std::vector<Hypothesis> samples = search(model, options).front();
    for (const Hypothesis& sample : samples) words.push_back(sample.words);
    return words;
  };
  const auto first = draw(7);
  EXPECT_EQ(draw(7), first);
  EXPECT_NE(draw(8), first);
  EXPECT_GT(std::count_if(first.begin(), first.end(), [&](const auto& words) { return words != first.front(); }), 0)
      << "samples of one image are independent";
}

TEST(Sampling, BatchesDoNotChangeResults) {
  SearchOptions options = sampling_options({1, 5, 0.9}, 3);
  options.top = 3;
  options.max_words = 8;
  TableShape shape;
  shape.words = 12;
  shape.images = 4;
  shape.rows_per_image = 3;
  TableModel batch(shape);
  const auto together = search(batch, options);
  for (int image = 0; image < 4; ++image) {
    TableShape alone_shape = shape;
    alone_shape.images = 1;
    alone_shape.first_image = image;
    TableModel alone(alone_shape);
    const auto single = search(alone, options).front();
    const auto& in_batch = together[static_cast<std::size_t>(image)];
    ASSERT_EQ(in_batch.size(), 3U);
    for (std::size_t i = 0; i < single.size(); ++i) EXPECT_EQ(in_batch[i].words, single[i].words) << "image " << image;
  }
}

TEST(Sampling, ImagesMayHaveSeedsOfTheirOwn) {
  SearchOptions options = sampling_options({}, 3);
  options.top = 3;
  options.max_words = 8;
  options.image_seeds = {5, 9};
  TableShape shape;
  shape.words = 12;
  shape.images = 2;
  shape.rows_per_image = 3;
  TableModel batch(shape);
  const auto together = search(batch, options);
  for (std::size_t image = 0; image < 2; ++image) {
    TableShape alone_shape = shape;
    alone_shape.images = 1;
    alone_shape.first_image = static_cast<int>(image);
    TableModel alone(alone_shape);
    SearchOptions alone_options = options;
    alone_options.seed = options.image_seeds[image];
    alone_options.image_seeds.clear();
    const auto single = search(alone, alone_options).front();
    for (std::size_t i = 0; i < single.size(); ++i) EXPECT_EQ(together[image][i].words, single[i].words) << image;
  }
  options.image_seeds.push_back(1);
  EXPECT_THROW(search(batch, options), Error) << "three seeds for two images";
}

/// What samples report is the model's, not the heated distribution's; best first; constraints hold.
TEST(Sampling, ReportsTheModelsProbabilities) {
  SearchOptions options = sampling_options({3, 0, 1}, 5);
  options.top = 50;
  options.max_words = 7;
  options.min_words = 2;
  options.prefix = {4};
  options.forbidden = {5, 6};
  options.no_repeat_ngram = 1;
  TableModel model = model_for(options);
  const auto samples = search(model, options).front();
  ASSERT_EQ(samples.size(), 50U);
  for (std::size_t i = 0; i < samples.size(); ++i) {
    const Hypothesis& sample = samples[i];
    EXPECT_LE(sample.score, samples[i == 0 ? 0 : i - 1].score);
    ASSERT_GE(sample.words.size(), 2U);
    EXPECT_EQ(sample.words.front(), 4);
    std::vector<int> before;
    double sum = sample.end_log_prob;
    for (std::size_t w = 0; w < sample.words.size(); ++w) {
      const int word = sample.words[w];
      EXPECT_TRUE(word != 5 && word != 6);
      EXPECT_EQ(std::count(before.begin(), before.end(), word), 0);
      const testing::Entry entry = model.entry(0, before);
      EXPECT_EQ(sample.log_probs[w], entry.log_probs[static_cast<std::size_t>(word)]);
      EXPECT_EQ(sample.alphas[w], entry.alphas);
      sum += static_cast<double>(sample.log_probs[w]);
      before.push_back(word);
    }
    EXPECT_NEAR(sample.log_prob, sum, 1e-9);
  }
}

}  // namespace
}  // namespace glimpse::search
