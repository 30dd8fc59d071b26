// Bad weights: one error for each tensor that is missing, of the wrong shape, or not finite.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <functional>
#include <limits>

#include "core/error.h"
#include "decoder/decoder.h"
#include "random_decoder.h"

namespace glimpse {
namespace {

using testing::RandomDecoderShape;
using testing::TensorMap;

std::string complaint(const DecoderConfig& config, TensorMap tensors, int vocabulary_size) {
  try {
    const Decoder decoder(config, Weights("weights.file", std::move(tensors)), {3, 5}, vocabulary_size);
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ErrorCode::kModel);
    return error.what();
  }
  return "";
}

/// Variants that between them read every tensor there is.
std::vector<DecoderConfig> some_variants() {
  DecoderConfig first;
  DecoderConfig second;
  second.feature_projection = DecoderConfig::FeatureProjection::kNone;
  second.gate = DecoderConfig::Gate::kVector;
  second.init = DecoderConfig::Init::kTwoLayer;
  second.output = DecoderConfig::Output::kPlain;
  DecoderConfig third;
  third.selector = DecoderConfig::Selector::kLocal;
  third.channels = DecoderConfig::Channels::kChannelSpatial;
  third.history = DecoderConfig::History::kAdditive;
  DecoderConfig fourth;
  fourth.score = DecoderConfig::Score::kCosine;
  fourth.channels = DecoderConfig::Channels::kElement;
  return {first, second, third, fourth};
}

void for_each_tensor(const std::function<void(const DecoderConfig&, const std::string&, const TensorMap&)>& test) {
  for (const DecoderConfig& config : some_variants()) {
    const TensorMap tensors = testing::random_tensors(config, RandomDecoderShape(), 1);
    for (const auto& entry : tensors) test(config, entry.first, tensors);
  }
}

TensorMap copy(const TensorMap& tensors) {
  TensorMap result;
  for (const auto& [name, tensor] : tensors) result.emplace(name, tensor.clone());
  return result;
}

TEST(BadWeights, AMissingTensorIsNamed) {
  for_each_tensor([](const DecoderConfig& config, const std::string& name, const TensorMap& tensors) {
    if (name == "query.bias" || name == "score.bias") return;  // zero where they are missing
    TensorMap damaged = copy(tensors);
    damaged.erase(name);
    const std::string message = complaint(config, std::move(damaged), 37);
    EXPECT_THAT(message, ::testing::HasSubstr("'" + name + "'"));
    EXPECT_THAT(message, ::testing::HasSubstr("weights.file"));
  });
}

/// A changed size is an error; which of the tensors that disagree is named depends on which sizes are read where.
TEST(BadWeights, AWrongShapeIsRefused) {
  for_each_tensor([](const DecoderConfig& config, const std::string& name, const TensorMap& tensors) {
    const Shape shape = tensors.find(name)->second.shape();
    std::vector<Shape> wrong;
    for (std::size_t i = 0; i < shape.size(); ++i) {
      if (name == "feature.weight" && i == 1) continue;  // as wide as the map is deep: Captioner compares them
      wrong.push_back(shape);
      ++wrong.back()[i];
    }
    wrong.push_back({element_count(shape), 1, 1});
    wrong.push_back({});
    for (const Shape& other : wrong) {
      TensorMap damaged = copy(tensors);
      Tensor tensor(other);
      std::fill(tensor.values().begin(), tensor.values().end(), 0.5F);
      damaged.erase(name);
      damaged.emplace(name, std::move(tensor));
      const std::string message = complaint(config, std::move(damaged), 37);
      EXPECT_THAT(message, ::testing::HasSubstr("weights.file")) << name << " as " << to_string(other);
      EXPECT_THAT(message, ::testing::HasSubstr("tensor '")) << name << " as " << to_string(other);
    }
  });
}

TEST(BadWeights, NumbersThatAreNoneAreRefused) {
  for_each_tensor([](const DecoderConfig& config, const std::string& name, const TensorMap& tensors) {
    for (const float bad : {std::numeric_limits<float>::quiet_NaN(), -std::numeric_limits<float>::infinity()}) {
      TensorMap damaged = copy(tensors);
      damaged.find(name)->second.values().back() = bad;
      const std::string message = complaint(config, std::move(damaged), 37);
      EXPECT_THAT(message, ::testing::HasSubstr("'" + name + "'"));
    }
  });
}

TEST(BadWeights, AVocabularyThatDoesNotFitIsRefused) {
  const DecoderConfig config;
  const TensorMap tensors = testing::random_tensors(config, RandomDecoderShape(), 1);
  for (const int size : {36, 38, 4}) {
    const std::string message = complaint(config, copy(tensors), size);
    EXPECT_THAT(message, ::testing::HasSubstr("37 words"));
    EXPECT_THAT(message, ::testing::HasSubstr(std::to_string(size)));
  }
  const std::vector<std::function<void(DecoderConfig&)>> changes = {[](DecoderConfig& c) { c.start_id = 37; },
                                                                    [](DecoderConfig& c) { c.end_id = -1; },
                                                                    [](DecoderConfig& c) { c.unknown_id = 99; },
                                                                    [](DecoderConfig& c) {
                                                                      c.never_emit = {0, 37};
                                                                    }};
  for (const auto& change : changes) {
    DecoderConfig changed = config;
    change(changed);
    EXPECT_THAT(complaint(changed, copy(tensors), 37), ::testing::HasSubstr("outside the vocabulary"));
  }
}

}  // namespace
}  // namespace glimpse
