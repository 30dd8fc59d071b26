// Every variant of the decoder against the plain loops, over several steps in which rows change places.

#include <gmock/gmock.h>
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
  const bool windows =
      config.selector == DecoderConfig::Selector::kLocal || config.selector == DecoderConfig::Selector::kHardLocal;
  if (windows) {
    EXPECT_LE(sum, 1 + 1e-6) << repeat;
  } else {
    EXPECT_NEAR(sum, 1, 1e-6) << repeat;
  }
  if (config.gate != DecoderConfig::Gate::kNone) {
    EXPECT_NEAR(output.gates[row], expected.gate, kTolerance) << repeat;
  }
}

void compare(const DecoderConfig& config, const RandomDecoderShape& shape, std::uint64_t seed) {
  const Weights weights("random", testing::random_tensors(config, shape, seed));
  const Tensor features = testing::random_features(shape, kImages, seed);
  const Decoder decoder(config, weights, shape.grid(), static_cast<int>(shape.words));
  EXPECT_EQ(decoder.features(), shape.features);
  DecoderSession session(decoder, kImages, kRows);
  session.prepare(features.values(), kImages);

  std::vector<ReferenceDecoder> references;
  std::vector<ReferenceDecoder::State> states;
  const std::size_t size = features.values().size() / kImages;
  for (std::size_t image = 0; image < kImages; ++image) {
    references.emplace_back(config, weights);
    references.back().prepare(features.values().subspan(image * size, size), shape.grid());
    states.insert(states.end(), kRows, references.back().start());
  }

  Random random(seed);
  for (int step = 0; step < kSteps; ++step) {
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

/// The first step's numbers of one picture.
std::vector<float> first_step(const DecoderConfig& config, testing::TensorMap tensors,
                              const RandomDecoderShape& shape) {
  const Weights weights("random", std::move(tensors));
  DecoderSession session(Decoder(config, weights, shape.grid(), static_cast<int>(shape.words)), 1, 1);
  const Tensor features = testing::random_features(shape, 1, 2);
  session.prepare(features.values(), 1);
  const search::StepOutput output = session.step(std::vector<int>{5}, std::vector<int>{0});
  std::vector<float> all(output.log_probs.begin(), output.log_probs.end());
  all.insert(all.end(), output.alphas.begin(), output.alphas.end());
  return all;
}

TEST(DecoderVariants, AnInfinitelyWideWindowIsSoft) {
  for (const int heads : {1, testing::kHeads}) {
    DecoderConfig soft;
    soft.heads = heads;
    DecoderConfig local = soft;
    local.selector = DecoderConfig::Selector::kLocal;
    local.window = 1e4;
    const std::vector<float> expected = first_step(soft, testing::random_tensors(soft, {}, 3), {});
    auto tensors = testing::random_tensors(soft, {}, 3);
    for (auto& [name, tensor] : testing::random_tensors(local, {}, 4)) {
      if (name.starts_with("place")) tensors.emplace(name, std::move(tensor));
    }
    EXPECT_THAT(first_step(local, std::move(tensors), {}), ::testing::Pointwise(::testing::FloatNear(1e-5F), expected));
  }
}

TEST(DecoderVariants, HardIsSoftOfEverSharperScores) {
  DecoderConfig soft;
  DecoderConfig hard;
  hard.selector = DecoderConfig::Selector::kHard;
  auto tensors = testing::random_tensors(soft, {}, 3);
  for (float& value : tensors.at("score.weight").values()) value *= 1e4F;
  auto copy = testing::random_tensors(soft, {}, 3);
  EXPECT_THAT(first_step(soft, std::move(tensors), {}),
              ::testing::Pointwise(::testing::FloatNear(1e-5F), first_step(hard, std::move(copy), {})));
}

}  // namespace
}  // namespace glimpse
