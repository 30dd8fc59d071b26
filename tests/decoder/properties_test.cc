// Properties for any weights: the order of cells does not matter, images are independent, threads do not change
// captions.

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <numeric>

#include "core/error.h"
#include "decoder/decoder.h"
#include "dnn/runtime/threads.h"
#include "random_decoder.h"
#include "search/search.h"
#include "support/usage_error.h"

namespace glimpse {
namespace {

using testing::RandomDecoderShape;

const RandomDecoderShape kShape = {64, 48, 40, 32, 56, 16, 48, 400, 30, true};

Decoder make_decoder(const DecoderConfig& config = {}, std::uint64_t seed = 1) {
  return {config, Weights("random", testing::random_tensors(config, kShape, seed)), kShape.grid(),
          static_cast<int>(kShape.words)};
}

/// The captions of each image, and all their numbers.
std::vector<std::vector<search::Hypothesis>> captions(DecoderSession& session, std::span<const float> features,
                                                      int images) {
  search::SearchOptions options;
  options.top = 3;
  options.max_words = 10;
  session.prepare(features, images);
  return search::search(session, options);
}

void expect_close(const std::vector<search::Hypothesis>& a, const std::vector<search::Hypothesis>& b, double tolerance,
                  const std::string& what) {
  ASSERT_EQ(a.size(), b.size()) << what;
  for (std::size_t i = 0; i < a.size(); ++i) {
    EXPECT_EQ(a[i].words, b[i].words) << what;
    EXPECT_NEAR(a[i].log_prob, b[i].log_prob, tolerance) << what;
    for (std::size_t w = 0; w < a[i].words.size(); ++w) {
      for (std::size_t c = 0; c < a[i].alphas[w].size(); ++c) {
        EXPECT_NEAR(a[i].alphas[w][c], b[i].alphas[w][c], tolerance) << what;
      }
    }
  }
}

TEST(DecoderProperties, ABatchOfSixteenIsSixteenBatchesOfOne) {
  const Decoder decoder = make_decoder();
  const Tensor features = testing::random_features(kShape, 16, 1);
  const std::size_t size = features.values().size() / 16;
  DecoderSession batch(decoder, 16, 3);
  DecoderSession single(decoder, 1, 3);
  const auto together = captions(batch, features.values(), 16);
  for (std::size_t image = 0; image < 16; ++image) {
    const auto alone = captions(single, features.values().subspan(image * size, size), 1);
    expect_close(together[image], alone.front(), 1e-5, "image " + std::to_string(image));
  }
}

TEST(DecoderProperties, ASessionTakesFewerImagesThanItWasBuiltFor) {
  const Decoder decoder = make_decoder();
  const Tensor features = testing::random_features(kShape, 4, 2);
  const std::size_t size = features.values().size() / 4;
  DecoderSession session(decoder, 4, 3);
  const auto all = captions(session, features.values(), 4);
  EXPECT_EQ(session.images(), 4);
  const auto two = captions(session, features.values().subspan(size, 2 * size), 2);
  EXPECT_EQ(session.images(), 2);
  ASSERT_EQ(two.size(), 2U);
  expect_close(two[0], all[1], 1e-5, "the first of two");
  expect_close(two[1], all[2], 1e-5, "the second of two");
  expect_close(captions(session, features.values(), 4)[3], all[3], 0, "four again");
}

TEST(DecoderProperties, ASessionRefusesWhatItWasNotBuiltFor) {
  using testing::throws_usage;
  const Decoder decoder = make_decoder();
  const Tensor features = testing::random_features(kShape, 3, 2);
  EXPECT_THAT([&] { DecoderSession(decoder, 0, 1); }, throws_usage("0 images of 1 rows"));
  EXPECT_THAT([&] { DecoderSession(decoder, 1, -1); }, throws_usage("1 images of -1 rows"));
  DecoderSession session(decoder, 2, 2);
  const auto step = [&](std::vector<int> tokens, std::vector<int> parents) {
    return [&session, tokens = std::move(tokens), parents = std::move(parents)] { session.step(tokens, parents); };
  };
  EXPECT_THAT(step({1, 1, 1, 1}, {0, 1, 2, 3}), throws_usage("before any picture was prepared"));
  EXPECT_THAT([&] { session.prepare(features.values(), 3); }, throws_usage("for 2 images"));
  session.prepare(features.values().first(features.values().size() / 3 * 2), 2);
  EXPECT_THAT(step({1, 1, 1}, {0, 1, 2}), throws_usage("3 tokens and 3 parents for 4 rows"));
  EXPECT_THAT(step({1, 1, 1, 1}, {0, 1}), throws_usage("2 parents for 4 rows"));
  EXPECT_THAT(step({1, 1, 400, 1}, {0, 1, 2, 3}), throws_usage("token 400; the vocabulary has 0 to 399"));
  EXPECT_THAT(step({1, 1, -1, 1}, {0, 1, 2, 3}), throws_usage("token -1"));
  EXPECT_NO_THROW(step({1, 1, 1, 1}, {9, 9, 9, 9})()) << "the first step looks at no parents";
  EXPECT_THAT(step({1, 1, 1, 1}, {0, 2, 2, 3}), throws_usage("parent 2 for row 1"));
  EXPECT_THAT(step({1, 1, 1, 1}, {0, 1, 2, 4}), throws_usage("parent 4 for row 3"));
  EXPECT_THAT(step({1, 1, 1, 1}, {-1, 1, 2, 3}), throws_usage("parent -1"));
  EXPECT_NO_THROW(step({1, 1, 1, 1}, {1, 1, 3, 2})());
}

TEST(DecoderProperties, PermutingCellsPermutesAlphasOnly) {
  const Decoder decoder = make_decoder();
  const Tensor features = testing::random_features(kShape, 1, 3);
  std::vector<std::size_t> order(static_cast<std::size_t>(kShape.cells));
  std::iota(order.begin(), order.end(), 0);
  Random random(4);
  for (std::size_t i = order.size(); i > 1; --i) std::swap(order[i - 1], order[random.below(i)]);
  Tensor shuffled(features.shape());
  for (std::size_t i = 0; i < order.size(); ++i) {
    const auto channels = static_cast<std::size_t>(kShape.features);
    std::copy_n(features.data() + order[i] * channels, channels, shuffled.data() + i * channels);
  }
  DecoderSession session(decoder, 1, 3);
  const search::Hypothesis plain = captions(session, features.values(), 1).front().front();
  const search::Hypothesis permuted = captions(session, shuffled.values(), 1).front().front();
  EXPECT_EQ(permuted.words, plain.words);
  EXPECT_NEAR(permuted.log_prob, plain.log_prob, 1e-4);
  for (std::size_t w = 0; w < plain.words.size(); ++w) {
    EXPECT_NEAR(permuted.log_probs[w], plain.log_probs[w], 1e-5);
    for (std::size_t i = 0; i < order.size(); ++i) {
      EXPECT_NEAR(permuted.alphas[w][i], plain.alphas[w][order[i]], 1e-6) << "word " << w << ", cell " << i;
    }
  }
}

TEST(DecoderProperties, ThreadsDoNotChangeCaptions) {
  const int before = dnn::thread_count();
  const Tensor features = testing::random_features(kShape, 8, 5);
  std::vector<std::vector<std::vector<search::Hypothesis>>> found;
  for (const int threads : {1, 2, 4}) {
    dnn::set_thread_count(threads);
    const Decoder decoder = make_decoder();
    DecoderSession session(decoder, 8, 3);
    found.push_back(captions(session, features.values(), 8));
  }
  dnn::set_thread_count(before);
  for (std::size_t image = 0; image < 8; ++image) {
    expect_close(found[1][image], found[0][image], 1e-5, "2 threads, image " + std::to_string(image));
    expect_close(found[2][image], found[0][image], 1e-5, "4 threads, image " + std::to_string(image));
  }
}

TEST(DecoderProperties, PicturesGetCaptionsOfTheirOwn) {
  const Decoder decoder = make_decoder();
  DecoderSession session(decoder, 2, 3);
  const auto found = captions(session, testing::random_features(kShape, 2, 6).values(), 2);
  EXPECT_NE(found[0].front().log_prob, found[1].front().log_prob);
  EXPECT_NE(found[0].front().alphas.front(), found[1].front().alphas.front());
}

TEST(DecoderProperties, FeaturesOfAnotherSizeAreRefused) {
  DecoderSession session(make_decoder(), 2, 3);
  const Tensor features = testing::random_features(kShape, 3, 7);
  EXPECT_THROW(session.prepare(features.values(), 3), Error);
  EXPECT_THROW(session.prepare(features.values(), 2), Error);
  EXPECT_THROW(session.prepare({}, 0), Error);
}

}  // namespace
}  // namespace glimpse
