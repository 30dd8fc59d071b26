// The decoder under training: loss and gradients against plain loops in double, for every variant; the forward pass
// against inference; parameters load as a model's weights.

#include "train/nets/decoder_network.h"

#include <gtest/gtest.h>

#include <cmath>
#include <deque>
#include <map>
#include <set>

#include "autograd/gradient_check.h"
#include "core/error.h"
#include "decoder/decoder.h"
#include "decoder/random_decoder.h"
#include "naive_decoder_loss.h"

namespace glimpse::train {
namespace {

using glimpse::testing::RandomDecoderShape;

constexpr std::int64_t kImages = 2;
constexpr int kCells = 4;

RandomDecoderShape tiny_shape() {
  RandomDecoderShape shape;
  shape.features = 6;
  shape.projected = 9;
  shape.attention = 12;
  shape.embedding = 3;
  shape.hidden = 5;
  shape.init = 4;
  shape.deep = 6;
  shape.words = 11;
  shape.cells = kCells;
  return shape;
}

DecoderSizes shape_of(const RandomDecoderShape& random) {
  DecoderSizes sizes;
  sizes.features = random.features;
  sizes.memory = random.projected;
  sizes.attention = random.attention;
  sizes.hidden = random.hidden;
  sizes.embedding = random.embedding;
  sizes.init = random.init;
  sizes.deep = random.deep;
  sizes.vocabulary = random.words;
  sizes.query_bias = random.optional_biases;
  return sizes;
}

/// Of different lengths, one of them empty, one cut, neither sorted nor grouped by picture.
std::vector<TrainingCaption> captions() {
  return {{1, {4, 5, 4}, 0.5F}, {0, {7, 8, 9, 10, 4}, 1}, {1, {}, 2}, {0, {6, 5, 3}, -1, false}};
}

/// A set with the tensors of a random decoder.
void fill(const DecoderConfig& config, const RandomDecoderShape& shape, std::uint64_t seed, ParameterSet& parameters) {
  add_decoder_parameters(config, shape_of(shape), seed, parameters);
  auto tensors = glimpse::testing::random_tensors(config, shape, seed);
  tensors.erase("score.bias");  // softmax does not see it: training has none
  ASSERT_EQ(tensors.size(), parameters.parameters().size());
  const std::vector<std::string> missing = parameters.load(Weights("random", std::move(tensors)));
  for (const std::string& name : missing) EXPECT_EQ(name, "hard.baseline") << "training's own";
}

std::vector<float> flat(const ParameterSet& parameters) {
  std::vector<float> all;
  for (const Parameter& parameter : parameters.parameters()) {
    all.insert(all.end(), parameter.value.values().begin(), parameter.value.values().end());
  }
  return all;
}

/// The loss as an operation on features and one vector of all parameters; `kept` holds what the tape refers to.
Variable loss_of_vector(Tape& tape, const std::vector<Variable>& in, const DecoderConfig& config, bool pictures,
                        const DecoderLossOptions& options, const std::vector<float>& masks,
                        std::deque<ParameterSet>& kept) {
  ParameterSet* const parameters = &kept.emplace_back();
  add_decoder_parameters(config, shape_of(tiny_shape()), 1, *parameters);
  const float* from = in[1].value().data();
  for (Parameter& parameter : parameters->parameters()) {
    std::copy_n(from, parameter.value.count(), parameter.value.data());
    from += parameter.value.count();
  }
  // Recorded first, so walked back through last: when the parameters have their gradients.
  const Variable bridge = tape.record(tape.kernels().zeros({1}), {in[1]}, [&tape, in, parameters](const dnn::Array&) {
    const dnn::Array gradient = tape.kernels().take(in[1].shape());
    float* to = gradient.data();
    for (const Parameter& parameter : parameters->parameters()) {
      to = std::ranges::copy(parameter.gradient.values(), to).out;
    }
    tape.add_gradient(in[1], gradient);
  });
  const DecoderNetwork network(config, *parameters, tiny_shape().grid());
  const Variable loss = (pictures ? network.loss(tape, in[0], captions(), options, masks)
                                  : network.language_loss(tape, captions(), options))
                            .loss;
  return tape.record(tape.kernels().copy(loss.value()), {loss, bridge},
                     [&tape, loss, bridge](const dnn::Array& gradient) {
                       tape.add_gradient(loss, gradient);
                       tape.add_gradient(bridge, gradient);
                     });
}

Numbers naive_loss(const std::vector<Numbers>& in, const DecoderConfig& config, const ParameterSet& names,
                   bool pictures, const DecoderLossOptions& options, const std::vector<float>& masks) {
  std::map<std::string, Doubles> tensors;
  auto from = in[1].begin();
  for (const Parameter& parameter : names.parameters()) {
    const auto to = from + parameter.value.count();
    tensors[parameter.name] = Doubles(from, to);
    from = to;
  }
  NaiveDecoderLoss::Options naive;
  naive.smoothing = static_cast<double>(options.label_smoothing);
  naive.doubly_stochastic = options.doubly_stochastic;
  naive.grid = tiny_shape().grid();
  naive.pictures = pictures;
  naive.per_caption = options.per_caption;
  naive.masks.assign(masks.begin(), masks.end());
  return {NaiveDecoderLoss(config, tensors).loss(in[0], captions(), naive)};
}

void check_variant(const DecoderConfig& config, bool pictures, bool per_caption = false,
                   const std::vector<float>& masks = {}) {
  ParameterSet parameters;
  fill(config, tiny_shape(), 3, parameters);
  DecoderLossOptions options;
  options.label_smoothing = 0.1F;
  options.doubly_stochastic = 0.7;
  options.per_caption = per_caption;
  options.hard_expectation = 1;  // what hard attention draws has no gradient of its own: see below
  GradientCase c;
  c.name = glimpse::testing::describe(config) + (pictures ? "" : ", language");
  c.inputs = {{.shape = {kImages, kCells, tiny_shape().features}, .gradient = pictures},
              {.shape = {parameters.count()}, .values = flat(parameters)}};
  std::deque<ParameterSet> kept;
  c.op = [&](Tape& tape, const std::vector<Variable>& in) {
    return loss_of_vector(tape, in, config, pictures, options, masks, kept);
  };
  c.reference = [&](const std::vector<Numbers>& in) {
    return naive_loss(in, config, parameters, pictures, options, masks);
  };
  check_gradient(c);
}

constexpr std::size_t kShares = 8;  ///< of the variants, so that several processors check them side by side

class DecoderNetworkVariants : public ::testing::TestWithParam<std::size_t> {};

TEST_P(DecoderNetworkVariants, LossAndGradientsEqualPlainLoops) {
  const std::vector<DecoderConfig> variants = glimpse::testing::all_variants();
  for (std::size_t i = GetParam(); i < variants.size(); i += kShares) check_variant(variants[i], true);
}

INSTANTIATE_TEST_SUITE_P(Shares, DecoderNetworkVariants, ::testing::Range(std::size_t{0}, kShares));

/// A cell that does not count at all, some that count in part, and a picture of which all count.
const std::vector<float> kMasks = {0.3F, 1, 0, 0.8F, 1, 1, 1, 1};
/// So few cells that small windows have none of them.
const std::vector<float> kSparseMasks = {0, 0, 0, 0.6F, 1, 0, 0, 0.2F};

TEST(DecoderNetwork, CellsThatCountInPartEqualPlainLoops) {
  using Config = DecoderConfig;
  for (const auto selector : {Config::Selector::kSoft, Config::Selector::kHard, Config::Selector::kLocal}) {
    for (const auto channels :
         {Config::Channels::kNone, Config::Channels::kChannelSpatial, Config::Channels::kElement}) {
      for (const int heads : {1, 3}) {
        Config config;
        config.selector = selector;
        config.channels = channels;
        config.heads = heads;
        check_variant(config, true, false, kMasks);
      }
    }
  }
}

TEST(DecoderNetwork, WindowsWithoutACellThatCountsMoveAsInPlainLoops) {
  for (const auto channels : {DecoderConfig::Channels::kNone, DecoderConfig::Channels::kChannelSpatial}) {
    for (const int heads : {1, 3}) {
      DecoderConfig config;
      config.selector = DecoderConfig::Selector::kLocal;
      config.window = 0.6;
      config.channels = channels;
      config.heads = heads;
      check_variant(config, true, false, kSparseMasks);
    }
  }
}

TEST(DecoderNetwork, AMeanOverCaptionsEqualsPlainLoops) { check_variant({}, true, true); }

TEST(DecoderNetwork, LanguageAloneEqualsPlainLoops) {
  for (const auto output :
       {DecoderConfig::Output::kPlain, DecoderConfig::Output::kDeep, DecoderConfig::Output::kDeepTanh}) {
    DecoderConfig config;
    config.output = output;
    check_variant(config, false);
    if (output == DecoderConfig::Output::kPlain) continue;
    config.history = DecoderConfig::History::kAdditive;
    check_variant(config, false);
  }
}

/// Σ log p of a caption as the decoder that people run says it.
double log_likelihood(DecoderSession& session, const TrainingCaption& caption, const DecoderConfig& config) {
  double sum = 0;
  int fed = config.start_id;
  const auto words = static_cast<std::size_t>(session.vocabulary_size());
  for (std::size_t t = 0; t <= caption.words.size(); ++t) {
    const search::StepOutput output = session.step(std::vector<int>{fed}, std::vector<int>{0});
    fed = t == caption.words.size() ? config.end_id : caption.words[t];
    EXPECT_EQ(output.log_probs.size(), words);
    sum += static_cast<double>(output.log_probs[static_cast<std::size_t>(fed)]);
  }
  return sum;
}

TEST(DecoderNetwork, ForwardEqualsInferenceForEveryVariant) {
  const RandomDecoderShape shape;
  for (DecoderConfig config : glimpse::testing::all_variants()) {
    config.never_emit.clear();
    if (config.is_hard()) continue;  // inference takes the best cell where training draws one
    ParameterSet parameters;
    fill(config, shape, 5, parameters);
    const Weights weights("trained", [&] {
      std::map<std::string, Tensor, std::less<>> copies;
      for (const Parameter& parameter : parameters.parameters())
        copies.emplace(parameter.name, parameter.value.clone());
      return copies;
    }());
    EXPECT_EQ(read_sizes(config, weights).hidden, shape.hidden);
    DecoderSession session(Decoder(config, weights, shape.grid(), static_cast<int>(shape.words)), 1, 1);
    const Tensor features = glimpse::testing::random_features(shape, kImages, 9);
    const std::size_t size = features.values().size() / kImages;
    const auto cells = static_cast<std::size_t>(shape.grid().cells());
    std::vector<float> masks(kImages * cells, 1);
    masks[0] = 0;
    masks[cells - 1] = 0.4F;
    // Two corners alone: no window around the middle has either.
    std::vector<float> corners(kImages * cells, 0);
    for (std::size_t image = 0; image < kImages; ++image) corners[image * cells] = corners[(image + 1) * cells - 1] = 1;
    for (const std::span<const float> mask :
         {std::span<const float>(), std::span<const float>(masks), std::span<const float>(corners)}) {
      double expected = 0;
      for (const TrainingCaption& caption : captions()) {
        const auto image = static_cast<std::size_t>(caption.image);
        session.prepare(features.values().subspan(image * size, size), 1,
                        mask.empty() ? mask : mask.subspan(image * cells, cells));
        expected += log_likelihood(session, caption, config);
      }
      dnn::Kernels kernels(2);
      Tape tape(kernels);
      const DecoderLoss found =
          DecoderNetwork(config, parameters, shape.grid()).loss(tape, tape.constant(features), captions(), {}, mask);
      EXPECT_EQ(found.words, 15);
      EXPECT_NEAR(found.cross_entropy * -15, expected, 1e-4 * std::abs(expected)) << glimpse::testing::describe(config);
    }
  }
}

/// A picture of three cells and a caption of its end alone: the expected loss Σ_cells α · −log p(end | cell), for a
/// decoder whose tensors stand one behind the other in `all`.
double expected_loss(const DecoderConfig& config, const ParameterSet& names, const std::vector<double>& all,
                     const Tensor& features) {
  std::map<std::string, Doubles> tensors;
  auto from = all.begin();
  for (const Parameter& parameter : names.parameters()) {
    tensors[parameter.name] = Doubles(from, from + parameter.value.count());
    from += parameter.value.count();
  }
  const NaiveDecoderLoss naive(config, tensors);
  double sum = 0;
  for (int cell = 0; cell < 3; ++cell) {
    NaiveDecoderLoss::Options options;
    options.grid = {1, 3};
    options.forced = cell;
    const double loss = naive.loss(Doubles(features.values().begin(), features.values().end()), {{0, {}}}, options);
    sum += naive.forced_weight() * loss;
  }
  return sum;
}

TEST(DecoderNetwork, HardChoicesFollowTheGradientOfTheExpectedLoss) {
  constexpr int kDraws = 4000;
  DecoderConfig config;
  config.selector = DecoderConfig::Selector::kHard;
  RandomDecoderShape shape = tiny_shape();
  shape.cells = 3;
  ParameterSet parameters;
  fill(config, shape, 7, parameters);
  const Tensor features = glimpse::testing::random_features(shape, 1, 9);
  const std::vector<float> values = flat(parameters);
  const std::vector<double> all(values.begin(), values.end());
  const double loss = expected_loss(config, parameters, all, features);

  DecoderLossOptions options;
  options.hard_expectation = 0;
  options.hard_entropy = 0;
  dnn::Kernels kernels(1);
  Parameter& query = parameters.at("query.weight");
  std::vector<double> mean(query.value.values().size());
  std::set<double> likelihoods;
  double mean_loss = 0;
  for (int draw = 0; draw < kDraws; ++draw) {
    options.seed = static_cast<std::uint64_t>(draw);
    parameters.clear_gradients();
    parameters.statistic("hard.baseline").values()[0] = static_cast<float>(-loss);
    Tape tape(kernels);
    const DecoderLoss found = DecoderNetwork(config, parameters, {1, 3})
                                  .loss(tape, tape.constant(features), std::vector<TrainingCaption>{{0, {}}}, options);
    tape.backward(found.loss);
    likelihoods.insert(found.cross_entropy);
    mean_loss += found.cross_entropy / kDraws;
    for (std::size_t i = 0; i < mean.size(); ++i) {
      mean[i] += static_cast<double>(query.gradient.values()[i]) / kDraws;
    }
  }
  EXPECT_EQ(likelihoods.size(), 3U) << "every cell is drawn, and then seen alone";
  EXPECT_NEAR(mean_loss, loss, 0.02 * loss);

  std::size_t at = 0;
  for (const Parameter& parameter : parameters.parameters()) {
    if (&parameter == &query) break;
    at += parameter.value.values().size();
  }
  double size = 0;
  double error = 0;
  for (std::size_t i = 0; i < mean.size(); ++i) {
    constexpr double kStep = 1e-5;
    std::vector<double> moved = all;
    moved[at + i] += kStep;
    const double above = expected_loss(config, parameters, moved, features);
    moved[at + i] -= 2 * kStep;
    const double slope = (above - expected_loss(config, parameters, moved, features)) / (2 * kStep);
    size += slope * slope;
    error += (mean[i] - slope) * (mean[i] - slope);
  }
  EXPECT_GT(size, 0);
  EXPECT_LT(std::sqrt(error / size), 0.15);
}

TEST(DecoderNetwork, TheBaselineFollowsTheLikelihoods) {
  DecoderConfig config;
  config.selector = DecoderConfig::Selector::kHard;
  ParameterSet parameters;
  fill(config, tiny_shape(), 7, parameters);
  const Tensor features = glimpse::testing::random_features(tiny_shape(), kImages, 9);
  dnn::Kernels kernels(1);
  float& baseline = parameters.statistic("hard.baseline").values()[0];
  DecoderLossOptions options;
  Tape tape(kernels);
  const DecoderNetwork network(config, parameters, tiny_shape().grid());
  const DecoderLoss loss = network.loss(tape, tape.constant(features), captions(), options);
  const double a_caption =
      -loss.cross_entropy * static_cast<double>(loss.words) / static_cast<double>(captions().size());
  EXPECT_NEAR(baseline, 0.1 * a_caption, 1e-4);
  baseline = 0;
  options.hard_baseline_decay = 0.75;
  Tape slower(kernels);
  network.loss(slower, slower.constant(features), captions(), options);
  EXPECT_NEAR(baseline, 0.25 * a_caption, 0.01 * std::abs(a_caption));
  const float before = baseline;
  options.reward = HardReward::kWeight;
  Tape other(kernels);
  network.loss(other, other.constant(features), captions(), options);
  EXPECT_EQ(baseline, before) << "self-critical training has its own";
}

/// λ_r scales the gradient by what was drawn, λ_e that of the entropy, and images on the expectation have neither.
TEST(DecoderNetwork, HardChoicesAreWeighedAsTheOptionsSay) {
  DecoderConfig config;
  config.selector = DecoderConfig::Selector::kHard;
  ParameterSet parameters;
  fill(config, tiny_shape(), 7, parameters);
  const Tensor features = glimpse::testing::random_features(tiny_shape(), kImages, 9);
  const auto loss = [&](double rate, double entropy, double expectation) {
    dnn::Kernels kernels(1);
    parameters.statistic("hard.baseline").values()[0] = 0;
    DecoderLossOptions options;
    options.hard_rate = rate;
    options.hard_entropy = entropy;
    options.hard_expectation = expectation;
    Tape tape(kernels);
    const DecoderNetwork network(config, parameters, tiny_shape().grid());
    return static_cast<double>(network.loss(tape, tape.constant(features), captions(), options).loss.value().data()[0]);
  };
  const double none = loss(0, 0, 0);
  const double rated = loss(1, 0, 0) - none;
  const double entropy = loss(0, 1, 0) - none;
  EXPECT_NE(rated, 0);
  EXPECT_LT(entropy, 0) << "more entropy, less loss";
  EXPECT_NEAR(loss(3, 0, 0) - none, 3 * rated, 1e-4 * std::abs(rated));
  EXPECT_NEAR(loss(0, 2, 0) - none, 2 * entropy, 1e-3 * std::abs(entropy));
  EXPECT_NEAR(loss(2, 2, 1), loss(0, 0, 1), 1e-6);
}

TEST(DecoderNetwork, DropoutChangesWithTheSeedAlone) {
  const DecoderConfig config;
  ParameterSet parameters;
  fill(config, tiny_shape(), 3, parameters);
  const Tensor features = glimpse::testing::random_features(tiny_shape(), kImages, 9);
  const auto loss = [&](std::uint64_t seed, double feature, double embedding, double output) {
    dnn::Kernels kernels(2);
    Tape tape(kernels);
    DecoderLossOptions options;
    options.feature_dropout = feature;
    options.embedding_dropout = embedding;
    options.output_dropout = output;
    options.seed = seed;
    return DecoderNetwork(config, parameters, tiny_shape().grid())
        .loss(tape, tape.constant(features), captions(), options)
        .cross_entropy;
  };
  const double none = loss(1, 0, 0, 0);
  EXPECT_EQ(none, loss(2, 0, 0, 0));
  EXPECT_NE(none, loss(1, 0.5, 0, 0));
  EXPECT_NE(none, loss(1, 0, 0.5, 0));
  EXPECT_NE(none, loss(1, 0, 0, 0.5));
  EXPECT_EQ(loss(1, 0.5, 0.5, 0.5), loss(1, 0.5, 0.5, 0.5));
  EXPECT_NE(loss(1, 0.5, 0.5, 0.5), loss(2, 0.5, 0.5, 0.5));
}

TEST(DecoderNetwork, APastNeedsADeepOutput) {
  DecoderConfig config;
  config.history = DecoderConfig::History::kAdditive;
  config.output = DecoderConfig::Output::kPlain;
  ParameterSet parameters;
  EXPECT_THROW(add_decoder_parameters(config, shape_of(tiny_shape()), 1, parameters), Error);
}

TEST(DecoderNetwork, CaptionsThatCannotBeLearntAreRefused) {
  const DecoderConfig config;
  ParameterSet parameters;
  fill(config, tiny_shape(), 3, parameters);
  const Tensor features = glimpse::testing::random_features(tiny_shape(), kImages, 9);
  dnn::Kernels kernels(1);
  for (const std::vector<TrainingCaption>& bad : {std::vector<TrainingCaption>{}, {{2, {4}}}, {{0, {4}}, {-1, {4}}}}) {
    Tape tape(kernels);
    EXPECT_THROW(DecoderNetwork(config, parameters, tiny_shape().grid()).loss(tape, tape.constant(features), bad, {}),
                 Error);
  }
}

}  // namespace
}  // namespace glimpse::train
