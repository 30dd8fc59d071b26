// Every decoder variant against the reference decoder, over several steps with reordered rows.

#include <gtest/gtest.h>

#include <cmath>

#include "decoder/decoder.h"
#include "random_decoder.h"
#include "reference_decoder.h"

namespace glimpse {
namespace {

using testing::RandomDecoderShape;
using testing::ReferenceDecoder;

constexpr int kImages = 2;
constexpr int kRows = 3;
constexpr int kSteps = 4;
constexpr double kTolerance = 2e-5;

void expect_row(const search::StepOutput& output, std::size_t row, const ReferenceDecoder::Output& expected,
                const DecoderConfig& config, const std::string& repeat) {
  const std::size_t words = expected.log_probs.size();
  double total = 0;
  for (std::size_t w = 0; w < words; ++w) {
    const float found = output.log_probs[row * words + w];
    if (std::find(config.never_emit.begin(), config.never_emit.end(), static_cast<int>(w)) != config.never_emit.end()) {
      EXPECT_EQ(found, -std::numeric_limits<float>::infinity()) << repeat;
      total += std::exp(expected.log_probs[w]);
    } else {
      EXPECT_NEAR(found, expected.log_probs[w], kTolerance * (1 + std::abs(expected.log_probs[w]))) << repeat;
      total += std::exp(static_cast<double>(found));
    }
  }
  EXPECT_NEAR(total, 1, 1e-5) << repeat;
  const std::size_t cells = expected.alphas.size();
  double sum = 0;
  for (std::size_t i = 0; i < cells; ++i) {
    EXPECT_NEAR(output.alphas[row * cells + i], expected.alphas[i], kTolerance) << repeat << ", cell " << i;
    sum += static_cast<double>(output.alphas[row * cells + i]);
  }
  if (config.has_window()) {
    EXPECT_LE(sum, 1 + 1e-6) << repeat;
  } else {
    EXPECT_NEAR(sum, 1, 1e-6) << repeat;
  }
  ASSERT_EQ(output.channels.empty(), expected.channels.empty()) << repeat;
  for (std::size_t c = 0; c < expected.channels.size(); ++c) {
    EXPECT_NEAR(output.channels[row * expected.channels.size() + c], expected.channels[c], 10 * kTolerance)
        << repeat << ", channel " << c;
  }
  if (config.gate != DecoderConfig::Gate::kNone) {
    EXPECT_NEAR(output.gates[row], expected.gate, kTolerance) << repeat;
  }
}

void compare(const DecoderConfig& config, const RandomDecoderShape& shape, std::uint64_t seed,
             std::span<const float> masks = {}, int steps = kSteps) {
  const Weights weights("random", testing::random_tensors(config, shape, seed));
  const Tensor features = testing::random_features(shape, kImages, seed);
  const Decoder decoder(config, weights, shape.grid(), static_cast<int>(shape.words));
  EXPECT_EQ(decoder.features(), shape.features);
  DecoderSession session(decoder, kImages, kRows);
  session.prepare(features.values(), kImages, masks);

  std::vector<ReferenceDecoder> references;
  std::vector<ReferenceDecoder::State> states;
  const std::size_t size = features.values().size() / kImages;
  for (std::size_t image = 0; image < kImages; ++image) {
    references.emplace_back(config, weights);
    const auto cells = static_cast<std::size_t>(shape.cells);
    references.back().prepare(features.values().subspan(image * size, size), shape.grid(),
                              masks.empty() ? masks : masks.subspan(image * cells, cells));
    states.insert(states.end(), kRows, references.back().start());
  }

  Random random(seed);
  for (int step = 0; step < steps; ++step) {
    std::vector<int> tokens;
    std::vector<int> parents;
    for (int row = 0; row < kImages * kRows; ++row) {
      tokens.push_back(static_cast<int>(random.below(static_cast<std::uint64_t>(shape.words))));
      parents.push_back(row / kRows * kRows + static_cast<int>(random.below(kRows)));
    }
    const search::StepOutput output = session.step(tokens, parents);
    ASSERT_EQ(output.log_probs.size(), tokens.size() * static_cast<std::size_t>(shape.words));
    ASSERT_EQ(output.gates.size(), config.gate == DecoderConfig::Gate::kNone ? 0 : tokens.size());
    std::vector<ReferenceDecoder::State> next;
    for (std::size_t row = 0; row < tokens.size(); ++row) {
      const std::size_t from = step == 0 ? row : static_cast<std::size_t>(parents[row]);
      const ReferenceDecoder::Output expected = references[row / kRows].step(states[from], tokens[row]);
      const std::string repeat = testing::describe(config) + ", seed " + std::to_string(seed) + ", step " +
                                 std::to_string(step) + ", row " + std::to_string(row);
      expect_row(output, row, expected, config, repeat);
      next.push_back(expected.state);
    }
    states = next;
    if (::testing::Test::HasFailure()) return;
  }
}

TEST(DecoderVariants, EqualPlainLoops) {
  std::uint64_t seed = 1;
  for (const DecoderConfig& config : testing::all_variants()) compare(config, {}, seed++);
}

TEST(DecoderVariants, EqualPlainLoopsWithoutOptionalBiases) {
  RandomDecoderShape shape;
  shape.optional_biases = false;
  compare({}, shape, 1);
}

TEST(DecoderVariants, EqualPlainLoopsAtOtherSizes) {
  const std::vector<RandomDecoderShape> shapes = {
      {1, 1, 1, 1, 1, 1, 1, 5, 1, true},
      {64, 32, 48, 16, 64, 16, 32, 300, 49, true},
      {130, 70, 65, 33, 97, 12, 66, 500, 18, true},
  };
  for (const RandomDecoderShape& shape : shapes) {
    DecoderConfig vector_gate;
    vector_gate.gate = DecoderConfig::Gate::kVector;
    vector_gate.feature_projection = DecoderConfig::FeatureProjection::kNone;
    vector_gate.output = DecoderConfig::Output::kPlain;
    compare({}, shape, 1);
    compare(vector_gate, shape, 2);
  }
}

/// Of two pictures: cells that do not count, that count less, and a region in a corner, which most windows miss.
TEST(DecoderVariants, EqualPlainLoopsThroughMasks) {
  std::vector<float> masks(2 * 15, 0.0F);
  for (std::size_t i = 0; i < 15; ++i) masks[i] = i % 3 == 0 ? 0.0F : i % 3 == 1 ? 0.25F : 1.0F;
  masks[15 + 13] = masks[15 + 14] = 1;
  std::uint64_t seed = 1;
  for (const DecoderConfig& config : testing::all_variants()) {
    const DecoderConfig usual;  // what does not look at cells does not see masks
    if (config.gate == usual.gate && config.init == usual.init && config.output == usual.output) {
      compare(config, {}, seed++, masks);
    }
  }
}

TEST(DecoderVariants, CaptionsLongerThanUsualLookBackAtAllOfThem) {
  DecoderConfig config;
  config.history = DecoderConfig::History::kAdditive;
  config.never_emit = {0, 1, 3};
  compare(config, {}, 1, {}, 30);
}

}  // namespace
}  // namespace glimpse
