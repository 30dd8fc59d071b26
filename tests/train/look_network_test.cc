// A model that looks around on the tape: its forward pass against inference, its gradients, what REINFORCE rewards.
#include "train/nets/look_network.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <map>

#include "glimpses/looker.h"
#include "autograd/gradient_check.h"
#include "support/tiny_look_model.h"
#include "autograd/look_ops.h"
#include "autograd/parameters.h"

namespace glimpse::train {
namespace {

using Kind = LookConfig::Kind;
using Core = LookConfig::Core;

const std::vector<std::pair<Kind, Core>> kModels = {
    {Kind::kRam, Core::kRelu}, {Kind::kRam, Core::kLstm}, {Kind::kDram, Core::kLstm}, {Kind::kDram, Core::kRelu}};

TEST(LookOps, LogDensityEqualsPlainLoops) {
  constexpr double kDeviation = 0.3;
  const std::vector<float> weights = {0.5F, -1.5F, 0};
  check_gradient({"log density",
                  {{.shape = {3, 2}}, {.shape = {3, 2}, .gradient = false}},
                  [=](Tape& tape, const std::vector<Variable>& in) {
                    return log_density(tape, in[0], in[1].value(), kDeviation, weights);
                  },
                  [=](const std::vector<Numbers>& in) {
                    double sum = 0;
                    for (std::size_t i = 0; i < 6; ++i) {
                      const double z = (in[1][i] - in[0][i]) / kDeviation;
                      sum -= weights[i / 2] * z * z / 2;
                    }
                    return Numbers{sum};
                  }});
}

/// Pictures with their labels, and a network of random weights.
class LookNetworkTest : public ::testing::Test {
 protected:
  void make(Kind kind, Core core) {
    config_ = testing::tiny_look_config(kind, core);
    parameters_ = ParameterSet();
    add_look_parameters(config_, {.features = 7, .glimpse = 9, .hidden = 8}, 5, parameters_);
    // Larger than training begins with, so that places and classes differ from picture to picture.
    for (Parameter& parameter : parameters_.parameters()) {
      if (parameter.name.starts_with("place.") || parameter.name.starts_with("class.")) {
        const float factor = parameter.name.starts_with("place.") ? 10.0F : 3.0F;
        for (float& value : parameter.value.values()) value *= factor;
      }
    }
    grey_.clear();
    pictures_.clear();
    for (std::uint64_t i = 0; i < 4; ++i) grey_.push_back(testing::random_grey(config_, i));
    for (const auto& grey : grey_) pictures_.push_back({grey.data(), config_.width, config_.height});
    labels_ = kind == Kind::kRam ? std::vector<std::vector<int>>{{0}, {1}, {2}, {1}}
                                 : std::vector<std::vector<int>>{{0, 2}, {1}, {}, {2, 2}};
  }

  LookNetwork::Lesson lesson(const LookLessonOptions& options) {
    Tape tape(kernels_);
    const LookNetwork network(config_, parameters_);
    LookNetwork::Lesson lesson = network.lesson(tape, pictures_, labels_, options);
    tape.backward(lesson.loss);
    return lesson;
  }

  dnn::Kernels kernels_{2};
  LookConfig config_;
  ParameterSet parameters_;
  std::vector<std::vector<float>> grey_;
  std::vector<GreyPicture> pictures_;
  std::vector<std::vector<int>> labels_;
};

TEST_F(LookNetworkTest, SeesWhatInferenceSees) {
  for (const auto& [kind, core] : kModels) {
    make(kind, core);
    const LookNetwork::Lesson trained = lesson({.deviation = 0});
    const Looker looker(LookModel(config_, snapshot(parameters_)));
    LookSession session(looker);
    for (std::size_t n = 0; n < pictures_.size(); ++n) {
      SCOPED_TRACE(n);
      const Look look = session.look(grey_[n]);
      std::size_t step = 0;
      for (std::size_t round = 0; round < look.objects.size(); ++round) {
        const LookObject& object = look.objects[round];
        for (const LookGlimpse& glimpse : object.glimpses) {
          const float* place = trained.places.at(step++).data() + 2 * n;
          EXPECT_NEAR(glimpse.place.x, place[0], 1e-5);
          EXPECT_NEAR(glimpse.place.y, place[1], 1e-5);
        }
        const dnn::Array& logits = trained.logits.at(round);
        const float* row = logits.data() + static_cast<std::int64_t>(n) * logits.dim(1);
        double sum = 0;
        for (std::int64_t k = 0; k < logits.dim(1); ++k) sum += std::exp(row[k]);
        EXPECT_EQ(object.id, std::max_element(row, row + logits.dim(1)) - row);
        EXPECT_NEAR(object.probability, std::exp(row[object.id]) / sum, 1e-5);
      }
    }
  }
}

TEST_F(LookNetworkTest, GradientsOfWhatIsSaidAreSlopes) {
  for (const auto& [kind, core] : kModels) {
    make(kind, core);
    // Where it looks stays the same whatever else changes: a patch is outside the gradient.
    std::ranges::fill(parameters_.at("place.weight").value.values(), 0.0F);
    Tensor& place = parameters_.at("place.bias").value;
    place.data()[0] = 0.3F;
    place.data()[1] = -0.4F;
    const LookLessonOptions options{.samples = 2, .deviation = 0, .early = 0.5};
    lesson(options);
    std::map<std::string, Tensor> gradients;
    for (const Parameter& parameter : parameters_.parameters()) gradients[parameter.name] = parameter.gradient.clone();
    for (Parameter& parameter : parameters_.parameters()) {
      const std::string& name = parameter.name;
      const bool places = name.starts_with("place.") || name.starts_with("upper.") || name.starts_with("context.") ||
                          name.starts_with("baseline.");
      double largest = 0;
      for (std::int64_t i = 0; i < parameter.value.count(); i += 5) {
        constexpr float kStep = 1e-3F;
        float& value = parameter.value.data()[i];
        const float before = value;
        const auto loss_at = [&](float moved) {
          value = moved;
          return static_cast<double>(lesson(options).loss.value().data()[0]);
        };
        const double slope = (loss_at(before + kStep) - loss_at(before - kStep)) / (2.0 * kStep);
        value = before;
        if (places) {
          EXPECT_EQ(gradients[name].data()[i], 0) << name;
        } else {
          EXPECT_NEAR(gradients[name].data()[i], slope, 0.02 * std::abs(slope) + 3e-3) << name << " " << i;
          largest = std::max(largest, std::abs(slope));
        }
      }
      if (!places) {
        EXPECT_GT(largest, 1e-3) << name;
      }
    }
  }
}

TEST_F(LookNetworkTest, LabelsThatHaveEndedTeachNothing) {
  make(Kind::kDram, Core::kLstm);
  // A picture without objects has the end to say and nothing more: two later rounds change nothing.
  labels_ = {{}, {}, {}, {}};
  const LookNetwork::Lesson all = lesson({.deviation = 0});
  double expected = 0;
  const dnn::Array& logits = all.logits.at(0);
  for (std::int64_t n = 0; n < 4; ++n) {
    const float* row = logits.data() + n * logits.dim(1);
    double sum = 0;
    for (std::int64_t k = 0; k < logits.dim(1); ++k) sum += std::exp(row[k]);
    expected -= (row[config_.end_class()] - std::log(sum)) / 4;
  }
  EXPECT_NEAR(all.cross_entropy, expected, 1e-5);
  EXPECT_NEAR(all.loss.value().data()[0], expected, 1e-5);
}

TEST_F(LookNetworkTest, WaysOfLookingFollowFromTheSeed) {
  make(Kind::kRam, Core::kRelu);
  const LookLessonOptions options{.samples = 3, .deviation = 0.2, .seed = 8};
  const auto places = [](const LookNetwork::Lesson& lesson) {
    return std::vector<float>(lesson.places[1].values().begin(), lesson.places[1].values().end());
  };
  const std::vector<float> first = places(lesson(options));
  ASSERT_EQ(first.size(), 2U * 3 * 4);
  EXPECT_EQ(places(lesson(options)), first);
  LookLessonOptions other = options;
  other.seed = 9;
  EXPECT_NE(places(lesson(other)), first);
  EXPECT_NE(first[0], first[2]) << "samples of one picture";
}

/// REINFORCE's gradient, of the mean over many ways of looking, against the slope of the mean reward.
TEST_F(LookNetworkTest, ReinforceClimbsTheReward) {
  make(Kind::kRam, Core::kRelu);
  config_.glimpses = 1;
  constexpr int kSamples = 40000;
  const LookLessonOptions options{.samples = kSamples, .deviation = 0.3, .seed = 4};
  parameters_.clear_gradients();
  lesson(options);
  Parameter& bias = parameters_.at("place.bias");
  const Tensor gradient = bias.gradient.clone();
  for (std::int64_t i = 0; i < 2; ++i) {
    const double found = -gradient.data()[i];
    const float before = bias.value.data()[i];
    const auto reward_at = [&](float moved) {
      bias.value.data()[i] = moved;
      return lesson(options).reward;
    };
    constexpr float kStep = 0.1F;
    const double slope = (reward_at(before + kStep) - reward_at(before - kStep)) / (2.0 * kStep);
    bias.value.data()[i] = before;
    // The cross entropy's gradient does not reach the place: what there is, is REINFORCE's.
    EXPECT_NEAR(found, slope, 0.15 * std::abs(slope) + 5e-3) << i;
  }
}

}  // namespace
}  // namespace glimpse::train
