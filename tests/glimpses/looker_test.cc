#include "glimpses/looker.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <vector>

#include "support/tiny_look_model.h"

namespace glimpse {
namespace {

using Kind = LookConfig::Kind;
using Core = LookConfig::Core;
using Numbers = std::vector<double>;

double sigmoid(double x) { return 1 / (1 + std::exp(-x)); }

/// The equations of look_model.h in plain loops and double precision.
class NaiveLooker {
 public:
  NaiveLooker(const LookModel& model, const std::vector<float>& pixels)
      : config_(model.config()), weights_(model.weights()), pixels_(pixels) {
    const auto hidden = static_cast<std::size_t>(weights_.at("class.weight").shape[1]);
    h_ = c_ = upper_h_ = upper_c_ = Numbers(hidden);
    if (config_.kind == Kind::kRam) return;
    std::vector<float> coarse(static_cast<std::size_t>(config_.coarse_size()));
    see_coarsely({pixels_.data(), config_.width, config_.height}, config_.coarse, coarse);
    upper_h_ = dense("context.out", relu(dense("context.in", {coarse.begin(), coarse.end()})));
  }

  Place look() {
    Numbers l = dense("place", config_.kind == Kind::kRam ? h_ : upper_h_);
    for (double& value : l) value = std::tanh(value);
    const Place place{static_cast<float>(l[0]), static_cast<float>(l[1])};
    std::vector<float> patches(static_cast<std::size_t>(config_.retina_size()));
    look_at({pixels_.data(), config_.width, config_.height}, config_, place, patches);
    const Numbers a = relu(dense("retina", {patches.begin(), patches.end()}));
    const Numbers b = relu(dense("where", l));
    Numbers g = dense("glimpse.what", a);
    const Numbers at = dense("glimpse.where", b);
    for (std::size_t i = 0; i < g.size(); ++i) {
      g[i] = config_.kind == Kind::kRam ? std::max(0.0, g[i] + at[i]) : std::max(0.0, g[i]) * at[i];
    }
    if (config_.core == Core::kLstm) {
      lstm("core", g, h_, c_);
    } else {
      h_ = relu(sum(dense("core.in", g), dense("core.hidden", h_)));
    }
    if (config_.kind == Kind::kDram) lstm("upper", h_, upper_h_, upper_c_);
    return place;
  }

  Numbers probabilities() const {
    Numbers p = dense("class", h_);
    double total = 0;
    for (double& value : p) total += value = std::exp(value);
    for (double& value : p) value /= total;
    return p;
  }

 private:
  Numbers dense(const std::string& name, const Numbers& x) const {
    const Tensor weight = to_float(weights_.at(name + ".weight"));
    const bool bias = weights_.contains(name + ".bias");
    const Tensor shift = bias ? to_float(weights_.at(name + ".bias")) : Tensor();
    Numbers y;
    for (std::int64_t o = 0; o < weight.dim(0); ++o) {
      double value = bias ? shift.data()[o] : 0;
      for (std::size_t i = 0; i < x.size(); ++i)
        value += weight.data()[o * weight.dim(1) + static_cast<std::int64_t>(i)] * x[i];
      y.push_back(value);
    }
    return y;
  }
  static Numbers relu(Numbers x) {
    for (double& value : x) value = std::max(0.0, value);
    return x;
  }
  static Numbers sum(Numbers a, const Numbers& b) {
    for (std::size_t i = 0; i < a.size(); ++i) a[i] += b[i];
    return a;
  }
  void lstm(const std::string& name, const Numbers& x, Numbers& h, Numbers& c) const {
    const Numbers gates = sum(dense(name + ".in", x), dense(name + ".hidden", h));
    const std::size_t n = h.size();
    for (std::size_t j = 0; j < n; ++j) {
      c[j] = sigmoid(gates[n + j]) * c[j] + sigmoid(gates[j]) * std::tanh(gates[2 * n + j]);
      h[j] = sigmoid(gates[3 * n + j]) * std::tanh(c[j]);
    }
  }

  const LookConfig& config_;
  const Weights& weights_;
  const std::vector<float>& pixels_;
  Numbers h_, c_, upper_h_, upper_c_;
};

TEST(Looker, EqualsPlainLoops) {
  for (const auto& [kind, core] : {std::pair(Kind::kRam, Core::kRelu), std::pair(Kind::kRam, Core::kLstm),
                                   std::pair(Kind::kDram, Core::kLstm), std::pair(Kind::kDram, Core::kRelu)}) {
    const LookModel model = testing::tiny_look_model(testing::tiny_look_config(kind, core), 3);
    const Looker looker(model);
    LookSession session(looker);
    for (std::uint64_t seed = 0; seed < 4; ++seed) {
      SCOPED_TRACE(seed);
      const std::vector<float> pixels = testing::random_grey(model.config(), seed);
      const Look look = session.look(pixels);
      NaiveLooker naive(model, pixels);
      for (const LookObject& object : look.objects) {
        ASSERT_EQ(object.glimpses.size(), 3U);
        for (const LookGlimpse& glimpse : object.glimpses) {
          const Place place = naive.look();
          EXPECT_NEAR(glimpse.place.x, place.x, 1e-5);
          EXPECT_NEAR(glimpse.place.y, place.y, 1e-5);
        }
        const Numbers expected = naive.probabilities();
        EXPECT_EQ(object.id, std::ranges::max_element(expected) - expected.begin());
        EXPECT_NEAR(object.probability, *std::ranges::max_element(expected), 1e-5);
      }
    }
  }
}

TEST(Looker, ARowEndsWhereTheModelSaysSo) {
  const LookConfig config = testing::tiny_look_config(Kind::kDram, Core::kLstm);
  const auto objects_with = [&](float end_bias) {
    auto tensors = testing::tiny_look_tensors(config);
    tensors.at("class.bias").data()[config.end_class()] = end_bias;
    const Looker looker(LookModel(config, Weights("tiny", std::move(tensors))));
    return LookSession(looker).look(testing::random_grey(config, 1));
  };
  const Look ended = objects_with(100);
  ASSERT_EQ(ended.objects.size(), 1U);
  EXPECT_EQ(ended.answer(), "");
  const Look endless = objects_with(-100);
  EXPECT_EQ(endless.objects.size(), 3U);  // one look more than there are objects
  double product = 1;
  for (const LookObject& object : endless.objects) product *= object.probability;
  EXPECT_NEAR(endless.probability(), product, 1e-12);
}

TEST(Looker, BoxesOfAPhotoAreInItsPixels) {
  const LookModel model = testing::tiny_look_model(testing::tiny_look_config());
  const Looker looker(model);
  LookSession session(looker);
  Image photo(160, 240);  // twenty times as high as the model's picture: shrunk to 8 × 12 in its middle
  std::fill_n(photo.row(0), 3 * 160 * 240, std::uint8_t{90});
  const Look look = session.look(photo);
  for (const LookGlimpse& glimpse : look.objects.at(0).glimpses) {
    for (std::size_t scale = 0; scale < 2; ++scale) {
      const Rect own = patch_box(model.config(), glimpse.place, static_cast<int>(scale));
      EXPECT_NEAR(glimpse.boxes.at(scale).x, 20 * (own.x - 4), 1e-9);
      EXPECT_NEAR(glimpse.boxes.at(scale).y, 20 * own.y, 1e-9);
      EXPECT_NEAR(glimpse.boxes.at(scale).width, 20 * own.width, 1e-9);
    }
  }
}

}  // namespace
}  // namespace glimpse
