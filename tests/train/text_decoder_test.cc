// Decoders that are text alone: what is learnt is what is run, and gradients are slopes.

#include <gtest/gtest.h>

#include <cmath>
#include <map>
#include <string>
#include <vector>

#include "core/file.h"
#include "decoder/decoder.h"
#include "decoder/formulas.h"
#include "support/paths.h"
#include "support/random_tensor.h"
#include "train/nets/decoder_network.h"

namespace glimpse::train {
namespace {

constexpr int kFeatures = 6;
constexpr int kWords = 11;
constexpr int kImages = 2;
constexpr Grid kGrid = {2, 3};

class TextDecoder : public ::testing::TestWithParam<const char*> {
 protected:
  TextDecoder() {
    const std::string file = std::string("models/decoders/") + GetParam() + ".graph";
    config_.graph =
        with_sizes(read_file(glimpse::testing::source_path(file), 1 << 20),
                   {{"feature", 7}, {"attention", 5}, {"hidden", 4}, {"gates", 16}, {"embedding", 3}, {"deep", 6}});
    config_.features = kFeatures;
    DecoderSizes sizes;
    sizes.features = kFeatures;
    sizes.vocabulary = kWords;
    add_decoder_parameters(config_, sizes, 1, parameters_);
    std::uint64_t seed = 2;
    for (Parameter& parameter : parameters_.parameters()) {
      const Tensor values = glimpse::testing::normal_tensor(parameter.value.shape(), seed++);
      for (std::size_t i = 0; i < values.values().size(); ++i) parameter.value.values()[i] = 0.5F * values.values()[i];
    }
  }

  /// Of different lengths, one of them empty, neither sorted nor grouped by picture.
  static std::vector<TrainingCaption> captions() {
    return {{1, {4, 5, 4}, 1}, {0, {7, 8, 9, 10, 4}, 1}, {1, {}, 1}, {0, {6, 5}, 1}};
  }

  DecoderLoss loss(Tape& tape, std::span<const float> masks) {
    return DecoderNetwork(config_, parameters_, kGrid).loss(tape, tape.constant(features_), captions(), {}, masks);
  }

  double loss_value(std::span<const float> masks) {
    dnn::Kernels kernels(1);
    Tape tape(kernels);
    return static_cast<double>(loss(tape, masks).loss.value().data()[0]);
  }

  Weights weights() const {
    std::map<std::string, Tensor, std::less<>> copies;
    for (const Parameter& parameter : parameters_.parameters()) copies.emplace(parameter.name, parameter.value.clone());
    return {"trained", std::move(copies)};
  }

  const std::vector<float> masks_ = {0, 1, 1, 1, 1, 0.4F, 1, 1, 0.3F, 1, 1, 1};
  const Tensor features_ = glimpse::testing::normal_tensor({kImages, kGrid.cells(), kFeatures}, 9);
  DecoderConfig config_;
  ParameterSet parameters_;
};

TEST_P(TextDecoder, LearnsWhatItRuns) {
  DecoderSession session(Decoder(config_, weights(), kGrid, kWords), 1, 1);
  const auto size = static_cast<std::size_t>(kGrid.cells() * kFeatures);
  const auto cells = static_cast<std::size_t>(kGrid.cells());
  for (const std::span<const float> mask : {std::span<const float>(), std::span<const float>(masks_)}) {
    double expected = 0;
    for (const TrainingCaption& caption : captions()) {
      const auto image = static_cast<std::size_t>(caption.image);
      session.prepare(features_.values().subspan(image * size, size), 1,
                      mask.empty() ? mask : mask.subspan(image * cells, cells));
      int fed = config_.start_id;
      for (std::size_t t = 0; t <= caption.words.size(); ++t) {
        const search::StepOutput output = session.step(std::vector<int>{fed}, std::vector<int>{0});
        fed = t == caption.words.size() ? config_.end_id : caption.words[t];
        expected += static_cast<double>(output.log_probs[static_cast<std::size_t>(fed)]);
      }
    }
    dnn::Kernels kernels(2);
    Tape tape(kernels);
    const DecoderLoss found = loss(tape, mask);
    EXPECT_EQ(found.words, 14);
    EXPECT_NEAR(found.cross_entropy * -14, expected, 1e-4 * std::abs(expected)) << mask.size();
  }
}

TEST_P(TextDecoder, GradientsAreSlopes) {
  for (const std::span<const float> mask : {std::span<const float>(), std::span<const float>(masks_)}) {
    parameters_.clear_gradients();
    dnn::Kernels kernels(1);
    Tape tape(kernels);
    tape.backward(loss(tape, mask).loss);
    std::uint64_t seed = 70;
    for (Parameter& parameter : parameters_.parameters()) {
      const Tensor direction = glimpse::testing::normal_tensor(parameter.value.shape(), seed++);
      const Tensor before = parameter.value.clone();
      double slope = 0;
      double length = 0;
      for (std::size_t i = 0; i < direction.values().size(); ++i) {
        slope += static_cast<double>(direction.values()[i]) * static_cast<double>(parameter.gradient.values()[i]);
        length += static_cast<double>(direction.values()[i]) * static_cast<double>(direction.values()[i]);
      }
      const double step = 1.5e-3 / std::sqrt(length);
      const auto at = [&](double distance) {
        for (std::size_t i = 0; i < direction.values().size(); ++i) {
          parameter.value.values()[i] = static_cast<float>(static_cast<double>(before.values()[i]) +
                                                           distance * static_cast<double>(direction.values()[i]));
        }
        return loss_value(mask);
      };
      const double found = (at(step) - at(-step)) / (2 * step);
      at(0);
      EXPECT_NEAR(slope / std::sqrt(length), found / std::sqrt(length), 5e-4) << parameter.name << ' ' << mask.size();
    }
  }
}

TEST_P(TextDecoder, LearnsLanguageWithoutPictures) {
  dnn::Kernels kernels(1);
  Tape tape(kernels);
  const DecoderLoss found = DecoderNetwork(config_, parameters_, kGrid).language_loss(tape, captions(), {});
  EXPECT_EQ(found.words, 14);
  EXPECT_TRUE(std::isfinite(found.cross_entropy));
  parameters_.clear_gradients();
  tape.backward(found.loss);
  for (const float gradient : parameters_.at("feature.weight").gradient.values()) EXPECT_EQ(gradient, 0);
}

INSTANTIATE_TEST_SUITE_P(Published, TextDecoder, ::testing::Values("adaptive", "two-lstms"));

}  // namespace
}  // namespace glimpse::train
