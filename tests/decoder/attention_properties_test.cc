// Properties of every attention mechanism, for any weights: masks, infinite windows, sharp scores, equal heads, order
// of cells, seeds.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <numeric>
#include <set>

#include "core/error.h"
#include "decoder/decoder.h"
#include "dnn/runtime/threads.h"
#include "random_decoder.h"
#include "search/search.h"

namespace glimpse {
namespace {

using ::testing::FloatNear;
using ::testing::Pointwise;
using testing::RandomDecoderShape;
using testing::TensorMap;
using Channels = DecoderConfig::Channels;
using Score = DecoderConfig::Score;
using Selector = DecoderConfig::Selector;

const RandomDecoderShape kShape;

/// Every score and every way to weigh channels under one selector, with one head and with several.
std::vector<DecoderConfig> ways_to_look(Selector selector) {
  std::vector<DecoderConfig> ways;
  const auto add = [&](Score score, Channels channels) {
    for (const int heads : {1, testing::kHeads}) {
      DecoderConfig config;
      config.score = score;
      config.heads = heads;
      config.channels = channels;
      config.selector = selector;
      if (heads > 1) config.history = DecoderConfig::History::kAdditive;
      ways.push_back(config);
    }
  };
  for (const auto score :
       {Score::kAdditiveTanh, Score::kAdditiveRelu, Score::kDot, Score::kScaledDot, Score::kCosine}) {
    add(score, Channels::kNone);
  }
  for (const auto channels : {Channels::kChannelSpatial, Channels::kSpatialChannel, Channels::kElement}) {
    add(Score::kAdditiveTanh, channels);
  }
  return ways;
}

constexpr Selector kSelectors[] = {Selector::kSoft, Selector::kHard, Selector::kLocal, Selector::kHardLocal};

DecoderSession session_of(const DecoderConfig& config, TensorMap tensors, int images = 1) {
  return {Decoder(config, Weights("random", std::move(tensors)), kShape.grid(), static_cast<int>(kShape.words)), images,
          1};
}

/// Three steps' numbers of one picture: the words' log-probabilities; alphas, of the last step, behind them.
std::vector<float> numbers(DecoderSession& session, std::span<const float> features, std::span<const float> mask = {}) {
  session.prepare(features, 1, mask);
  std::vector<float> all;
  for (const int token : {5, 7, 5}) {
    const search::StepOutput output = session.step(std::vector<int>{token}, std::vector<int>{0});
    all.insert(all.end(), output.log_probs.begin(), output.log_probs.end());
    if (all.size() == 3 * static_cast<std::size_t>(kShape.words)) {
      all.insert(all.end(), output.alphas.begin(), output.alphas.end());
    }
  }
  return all;
}

std::vector<float> numbers(const DecoderConfig& config, TensorMap tensors, std::span<const float> mask = {}) {
  DecoderSession session = session_of(config, std::move(tensors));
  return numbers(session, testing::random_features(kShape, 1, 2).values(), mask);
}

TensorMap tensors_of(const DecoderConfig& config, std::uint64_t seed = 3) {
  return testing::random_tensors(config, kShape, seed);
}

TEST(AttentionProperties, AMaskOfEverythingIsNoMask) {
  const std::vector<float> everything(static_cast<std::size_t>(kShape.cells), 1.0F);
  for (const Selector selector : kSelectors) {
    for (const DecoderConfig& config : ways_to_look(selector)) {
      EXPECT_THAT(numbers(config, tensors_of(config), everything),
                  Pointwise(FloatNear(1e-4F), numbers(config, tensors_of(config))))
          << testing::describe(config);
    }
  }
}

TEST(AttentionProperties, WhatTheMaskLeavesOutDoesNotCount) {
  std::vector<float> mask(static_cast<std::size_t>(kShape.cells), 1.0F);
  for (const std::size_t hidden : {0U, 4U, 5U, 11U}) mask[hidden] = 0;
  const Tensor features = testing::random_features(kShape, 1, 2);
  Tensor changed = features.clone();
  for (const std::size_t hidden : {0U, 4U, 5U, 11U}) {
    const auto size = static_cast<std::size_t>(kShape.features);
    for (std::size_t i = 0; i < size; ++i) changed.data()[hidden * size + i] = 9.0F;
  }
  for (const Selector selector : kSelectors) {
    for (const DecoderConfig& config : ways_to_look(selector)) {
      DecoderSession session = session_of(config, tensors_of(config));
      const std::vector<float> expected = numbers(session, features.values(), mask);
      EXPECT_THAT(numbers(session, changed.values(), mask), Pointwise(FloatNear(1e-6F), expected))
          << testing::describe(config);
      for (std::size_t i = 0; i < mask.size(); ++i) {
        if (mask[i] != 0) continue;
        EXPECT_EQ(expected[expected.size() - mask.size() + i], 0) << testing::describe(config);
      }
      EXPECT_NE(numbers(session, features.values()), expected) << "without a mask they do";
    }
  }
}

TEST(AttentionProperties, MasksThatLeaveNothingAreRefused) {
  DecoderSession session = session_of({}, tensors_of({}));
  const Tensor features = testing::random_features(kShape, 1, 2);
  std::vector<float> mask(static_cast<std::size_t>(kShape.cells), 0.0F);
  EXPECT_THROW(session.prepare(features.values(), 1, mask), Error);
  mask[3] = std::nanf("");
  EXPECT_THROW(session.prepare(features.values(), 1, mask), Error);
  mask[3] = 1.5F;
  EXPECT_THROW(session.prepare(features.values(), 1, mask), Error);
  mask[3] = 0.5F;
  EXPECT_NO_THROW(session.prepare(features.values(), 1, mask));
  mask.pop_back();
  EXPECT_THROW(session.prepare(features.values(), 1, mask), Error);
}

TEST(AttentionProperties, AWindowWithoutEndIsSoft) {
  for (const auto selector : {Selector::kLocal, Selector::kHardLocal}) {
    for (const DecoderConfig& soft : ways_to_look(Selector::kSoft)) {
      DecoderConfig local = soft;
      local.selector = selector;
      local.window = 1e4;
      TensorMap tensors = tensors_of(soft);
      for (auto& [name, tensor] : tensors_of(local, 4)) {
        if (name.starts_with("place")) tensors.emplace(name, std::move(tensor));
      }
      EXPECT_THAT(numbers(local, std::move(tensors)), Pointwise(FloatNear(1e-4F), numbers(soft, tensors_of(soft))))
          << testing::describe(local);
    }
  }
}

/// Sharper by a factor: what the scores are linear in.
TensorMap sharpened(const DecoderConfig& config, float factor) {
  TensorMap tensors = tensors_of(config);
  for (auto& [name, tensor] : tensors) {
    const bool of_scores = tensors.contains("score.weight") ? name == "score.weight" : name.starts_with("query.");
    if (!of_scores) continue;
    for (float& value : tensor.values()) value *= factor;
  }
  return tensors;
}

TEST(AttentionProperties, HardIsSoftOfEverSharperScores) {
  for (const DecoderConfig& soft : ways_to_look(Selector::kSoft)) {
    DecoderConfig hard = soft;
    hard.selector = Selector::kHard;
    const std::vector<float> limit = numbers(hard, tensors_of(hard));
    EXPECT_THAT(numbers(soft, sharpened(soft, 1e6F)), Pointwise(FloatNear(1e-4F), limit)) << testing::describe(soft);
    EXPECT_THAT(numbers(soft, tensors_of(soft)), ::testing::Not(Pointwise(FloatNear(1e-4F), limit)))
        << testing::describe(soft);
  }
}

/// Several heads that have the same projections each see what one head of scaled dot products sees.
TEST(AttentionProperties, HeadsThatAreAlikeAreOneHead) {
  DecoderConfig one;
  one.score = Score::kScaledDot;
  DecoderConfig several = one;
  several.heads = testing::kHeads;
  RandomDecoderShape narrow;
  narrow.attention = kShape.attention / testing::kHeads;
  TensorMap tensors = testing::random_tensors(one, narrow, 3);
  const auto repeat = [&](const std::string& name) {
    const Tensor& own = tensors.at(name);
    Shape shape = own.shape();
    shape[0] *= testing::kHeads;
    Tensor repeated(shape);
    for (std::int64_t i = 0; i < repeated.count(); ++i) repeated.data()[i] = own.data()[i % own.count()];
    return repeated;
  };
  TensorMap wide;
  for (auto& [name, tensor] : tensors) {
    wide.emplace(name, name.starts_with("key.") || name.starts_with("query.") ? repeat(name) : tensor.clone());
  }
  EXPECT_THAT(numbers(several, std::move(wide)), Pointwise(FloatNear(1e-4F), numbers(one, std::move(tensors))));
}

TEST(AttentionProperties, PermutingCellsPermutesAlphasOnly) {
  const auto cells = static_cast<std::size_t>(kShape.cells);
  const auto size = static_cast<std::size_t>(kShape.features);
  std::vector<std::size_t> order(cells);
  std::iota(order.begin(), order.end(), 0);
  Random random(4);
  for (std::size_t i = cells; i > 1; --i) std::swap(order[i - 1], order[random.below(i)]);
  const Tensor features = testing::random_features(kShape, 1, 3);
  Tensor shuffled(features.shape());
  for (std::size_t i = 0; i < cells; ++i) {
    std::copy_n(features.data() + order[i] * size, size, shuffled.data() + i * size);
  }
  for (const auto selector : {Selector::kSoft, Selector::kHard}) {
    for (const DecoderConfig& config : ways_to_look(selector)) {
      DecoderSession session = session_of(config, tensors_of(config));
      const std::vector<float> plain = numbers(session, features.values());
      std::vector<float> expected = plain;
      for (std::size_t i = 0; i < cells; ++i)
        expected[plain.size() - cells + i] = plain[plain.size() - cells + order[i]];
      EXPECT_THAT(numbers(session, shuffled.values()), Pointwise(FloatNear(1e-4F), expected))
          << testing::describe(config);
    }
  }
}

TEST(AttentionProperties, ChannelsWeightsHaveAMeanOfOne) {
  for (const auto channels : {Channels::kChannelSpatial, Channels::kSpatialChannel}) {
    DecoderConfig config;
    config.channels = channels;
    DecoderSession session = session_of(config, tensors_of(config));
    EXPECT_EQ(session.channels(), kShape.projected);
    search::SearchOptions options;
    options.beam = 1;
    options.min_words = options.max_words = 4;
    session.prepare(testing::random_features(kShape, 1, 2).values(), 1);
    const search::Hypothesis found = search::search(session, options).front().front();
    ASSERT_EQ(found.channels.size(), 4U);
    for (const std::vector<float>& weights : found.channels) {
      ASSERT_EQ(std::ssize(weights), kShape.projected);
      EXPECT_NEAR(std::accumulate(weights.begin(), weights.end(), 0.0), static_cast<double>(kShape.projected), 1e-4);
    }
    EXPECT_NE(found.channels[0], found.channels[1]) << "they follow the state";
  }
}

/// Captions and where they looked, of one of several pictures.
std::vector<search::Hypothesis> drawn(const DecoderConfig& config, std::uint64_t seed, std::span<const float> features,
                                      int images, std::size_t image) {
  DecoderSession session(
      Decoder(config, Weights("random", tensors_of(config)), kShape.grid(), static_cast<int>(kShape.words)), images, 3);
  session.draw_cells(seed);
  session.prepare(features, images);
  search::SearchOptions options;
  options.top = 3;
  options.max_words = 8;
  return search::search(session, options)[image];
}

bool alike(const std::vector<search::Hypothesis>& a, const std::vector<search::Hypothesis>& b) {
  return std::ranges::equal(a, b,
                            [](const auto& x, const auto& y) { return x.words == y.words && x.alphas == y.alphas; });
}

TEST(AttentionProperties, ASeedDrawsTheSameCellsWhateverTheBatchAndThreads) {
  DecoderConfig config;
  config.selector = Selector::kHard;
  const Tensor features = testing::random_features(kShape, 3, 5);
  const std::size_t size = features.values().size() / 3;
  const auto first = features.values().first(size);
  const auto alone = drawn(config, 7, first, 1, 0);
  EXPECT_TRUE(alike(drawn(config, 7, first, 1, 0), alone));
  EXPECT_FALSE(alike(drawn(config, 8, first, 1, 0), alone));
  EXPECT_TRUE(alike(drawn(config, 7, features.values(), 3, 0), alone));
  Tensor turned(features.shape());
  std::ranges::copy(first, turned.values().last(size).begin());
  std::ranges::copy(features.values().last(2 * size), turned.values().begin());
  EXPECT_TRUE(alike(drawn(config, 7, turned.values(), 3, 2), alone));
  const int before = dnn::thread_count();
  dnn::set_thread_count(before == 1 ? 2 : 1);
  EXPECT_TRUE(alike(drawn(config, 7, first, 1, 0), alone));
  dnn::set_thread_count(before);
}

TEST(AttentionProperties, CellsAreDrawnAsOftenAsTheirAlphasSay) {
  constexpr int kDraws = 3000;
  DecoderConfig soft;
  DecoderConfig hard;
  hard.selector = Selector::kHard;
  const Tensor features = testing::random_features(kShape, 1, 2);
  const auto alphas_of = [&](DecoderSession& session) {
    session.prepare(features.values(), 1);
    const auto alphas = session.step(std::vector<int>{5}, std::vector<int>{0}).alphas;
    return std::vector<float>(alphas.begin(), alphas.end());
  };
  DecoderSession expecting = session_of(soft, tensors_of(soft));
  DecoderSession drawing = session_of(hard, tensors_of(hard));
  const std::vector<float> expected = alphas_of(expecting);
  const std::vector<float> best = alphas_of(drawing);
  std::vector<double> found(expected.size());
  for (int seed = 0; seed < kDraws; ++seed) {
    drawing.draw_cells(static_cast<std::uint64_t>(seed));
    const std::vector<float> one = alphas_of(drawing);
    EXPECT_EQ(std::accumulate(one.begin(), one.end(), 0.0F), 1);
    for (std::size_t i = 0; i < one.size(); ++i) found[i] += static_cast<double>(one[i]) / kDraws;
  }
  for (std::size_t i = 0; i < found.size(); ++i) {
    const auto p = static_cast<double>(expected[i]);
    EXPECT_NEAR(found[i], p, 4 * std::sqrt(p / kDraws) + 1e-3) << "cell " << i;
  }
  drawing.draw_cells(std::nullopt);
  EXPECT_EQ(alphas_of(drawing), best);
}

TEST(AttentionProperties, SeveralHeadsDrawEachForItself) {
  DecoderConfig config;
  config.selector = Selector::kHard;
  config.heads = testing::kHeads;
  config.score = Score::kDot;
  DecoderSession session = session_of(config, tensors_of(config));
  const Tensor features = testing::random_features(kShape, 1, 2);
  std::set<std::vector<float>> seen;
  for (std::uint64_t seed = 0; seed < 50; ++seed) {
    session.draw_cells(seed);
    session.prepare(features.values(), 1);
    const auto alphas = session.step(std::vector<int>{5}, std::vector<int>{0}).alphas;
    seen.emplace(alphas.begin(), alphas.end());
  }
  EXPECT_GT(seen.size(), 5U);
}

}  // namespace
}  // namespace glimpse
