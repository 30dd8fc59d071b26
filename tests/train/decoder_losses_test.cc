// Ten steps of training, tape and optimiser together, against an independent program's losses: decoder_losses.py, whose
// output stands beside it.

#include <gtest/gtest.h>

#include <cmath>
#include <nlohmann/json.hpp>

#include "core/file.h"
#include "support/paths.h"
#include "train/nets/decoder_network.h"
#include "train/run/optimiser.h"

namespace glimpse::train {
namespace {

/// The numbers that both programs start from: 0.6 sin(1.7 k), k going on from tensor to tensor.
class Numbers {
 public:
  void fill(std::span<float> values) {
    for (float& value : values) value = static_cast<float>(0.6 * std::sin(1.7 * static_cast<double>(next_++)));
  }

 private:
  std::int64_t next_ = 0;
};

TEST(DecoderLosses, TenStepsGoAsAnIndependentProgramSays) {
  const nlohmann::json expected =
      nlohmann::json::parse(read_file(testing::source_path("tests/train/decoder_losses.json"), std::size_t{1} << 20));
  const nlohmann::json& sizes = expected.at("sizes");
  DecoderSizes shape;
  shape.features = sizes.at("features");
  shape.memory = sizes.at("projected");
  shape.attention = sizes.at("attention");
  shape.hidden = sizes.at("hidden");
  shape.embedding = sizes.at("embedding");
  shape.deep = sizes.at("deep");
  shape.vocabulary = sizes.at("vocabulary");
  const nlohmann::json& given = expected.at("options");
  StageOptions options;
  options.learning_rate = given.at("learning_rate");
  options.weight_decay = given.at("weight_decay");
  options.beta1 = given.at("beta1");
  options.beta2 = given.at("beta2");
  options.warm_up = given.at("warm_up");
  options.clip = given.at("clip");
  DecoderLossOptions loss_options;
  loss_options.label_smoothing = given.at("label_smoothing");
  loss_options.doubly_stochastic = given.at("doubly_stochastic");
  std::vector<TrainingCaption> captions;
  for (const nlohmann::json& caption : expected.at("captions")) captions.push_back({caption.at(0), caption.at(1)});

  const DecoderConfig config;
  ParameterSet parameters;
  add_decoder_parameters(config, shape, 1, parameters);
  Tensor features(Shape{sizes.at("images"), sizes.at("cells"), shape.features});
  Numbers numbers;
  numbers.fill(features.values());
  for (const auto& [name, view] : parameters.views()) numbers.fill(parameters.at(name).value.values());

  const std::vector<double> losses = expected.at("losses");
  ASSERT_EQ(losses.size(), 10U);
  EXPECT_LT(losses[9], losses[0] - 0.1) << "nothing is learnt";
  Optimiser optimiser(options, parameters);
  dnn::Kernels kernels(1);
  for (std::size_t i = 0; i < losses.size(); ++i) {
    Tape tape(kernels);
    const DecoderLoss loss = DecoderNetwork(config, parameters, {1, sizes.at("cells")})
                                 .loss(tape, tape.constant(features), captions, loss_options);
    EXPECT_NEAR(static_cast<double>(loss.loss.value().data()[0]), losses[i], 1e-4) << "step " << i + 1;
    tape.backward(loss.loss);
    optimiser.step(learning_rate(options, static_cast<std::int64_t>(i), std::ssize(losses)));
  }
}

}  // namespace
}  // namespace glimpse::train
