// Self-critical training of a captioner so small that all its captions can be listed: the sampled gradient against that
// of the expected reward, and rewards that rise.
#include "train/stages/self_critical.h"

#include <gtest/gtest.h>

#include <cmath>
#include <numeric>

#include "core/random.h"
#include "image/image.h"
#include "naive_decoder_loss.h"
#include "net/graph.h"
#include "support/paths.h"
#include "train/run/optimiser.h"
#include "train/stages/picture_batch.h"

namespace glimpse::train {
namespace {

constexpr int kWords = 6;  ///< pad, start, end, unknown, and two words; all but start and end are said
constexpr int kMaxWords = 2;
constexpr int kStart = 1;
constexpr int kEnd = 2;
constexpr int kSide = 8;

class Quiet : public Observer {
 public:
  void progress(const Progress&) override {}
  void validated(const Validation&) override {}
  void note(const std::string&) override {}
  bool interrupted() override { return false; }
};

class SelfCriticalTest : public ::testing::Test {
 protected:
  SelfCriticalTest() : kernels_(1) {
    input_.name = "scst";
    input_.options = ScstStage();
    input_.options.batch = 3;
    input_.config.input.width = input_.config.input.height = kSide;
    input_.config.rows = input_.config.cols = 2;
    input_.config.graph = "conv c1 < image out=5 k=4 s=4\n";
    input_.config.vocabulary = {"<pad>", "<start>", "<end>", "<unk>", "a", "b"};
    input_.config.decoder.never_emit = {kStart};
    input_.encoder = net::parse_graph(input_.config.graph, "tiny.graph");
    input_.max_words = kMaxWords;
    const std::vector<std::vector<std::vector<int>>> captions = {{{4, 5}, {4}}, {{5}, {5, 5}}, {{3, 4}, {0}}};
    for (std::size_t i = 0; i < captions.size(); ++i) {
      Image image(kSide, kSide);
      Random random(i + 1);
      for (int y = 0; y < kSide; ++y) {
        for (int x = 0; x < 3 * kSide; ++x) image.row(y)[x] = static_cast<std::uint8_t>(random.below(256));
      }
      const std::filesystem::path file = scratch_.path() / ("p" + std::to_string(i) + ".png");
      write_png(image, file);
      input_.pictures.push_back({file, captions[i]});
    }
    add_parameters(input_.encoder, {1, 3, kSide, kSide}, 5, parameters_);
    DecoderSizes shape;
    shape.features = 5;
    shape.memory = shape.attention = shape.hidden = shape.embedding = shape.init = shape.deep = 4;
    shape.vocabulary = kWords;
    add_decoder_parameters(input_.config.decoder, shape, 6, parameters_);
    Random random(7);
    for (Parameter& parameter : parameters_.parameters()) {
      for (float& value : parameter.value.values()) value += static_cast<float>(0.5 * random.normal());
    }
  }

  bool is_decoders(const std::string& name) const { return !name.starts_with("c1."); }

  /// The maps [pictures, cells, 5] of all pictures, in their order.
  Doubles features() {
    LoaderOptions options;
    options.batch = input_.options.batch;
    options.input = input_.config.input;
    options.shuffle = false;
    std::vector<std::filesystem::path> files;
    for (const TrainingPicture& picture : input_.pictures) files.push_back(picture.file);
    Loader loader(files, options);
    Tape tape(kernels_);
    const Variable pictures = picture_batch(tape, loader.next(), input_.config.input);
    const Network network(input_.encoder, parameters_);
    const Variable maps = cells(tape, network.forward(tape, pictures, {Statistics::kRunning, true}));
    return {maps.value().values().begin(), maps.value().values().end()};
  }

  static bool is_said(int word) { return word != kStart && word != kEnd; }

  /// Every caption that there can be, cut ones too.
  static std::vector<TrainingCaption> all_captions(int image) {
    std::vector<TrainingCaption> all = {{image, {}}};
    for (int first = 0; first < kWords; ++first) {
      if (!is_said(first)) continue;
      all.push_back({image, {first}});
      for (int second = 0; second < kWords; ++second) {
        if (is_said(second)) all.push_back({image, {first, second}, 1, false});
      }
    }
    return all;
  }

  double reward(const metrics::CiderD& cider, const TrainingCaption& caption) const {
    metrics::Sentence sentence = caption.words;
    if (caption.ended) sentence.push_back(kEnd);
    return cider.score(static_cast<std::size_t>(caption.image), sentence);
  }

  /// The mean over pictures of Σ p(caption) · reward(caption), all in double.
  double expected_reward(const std::map<std::string, Doubles>& tensors, const Doubles& maps) const {
    std::vector<metrics::References> references;
    for (const TrainingPicture& picture : input_.pictures) {
      references.emplace_back(picture.captions);
      for (metrics::Sentence& sentence : references.back()) sentence.push_back(kEnd);
    }
    const metrics::CiderD cider(references);
    const NaiveDecoderLoss naive(input_.config.decoder, tensors);
    NaiveDecoderLoss::Options options;
    options.grid = {2, 2};
    options.per_caption = true;
    options.temperature = input_.temperature;
    options.left_out = {kStart};
    double sum = 0;
    double total = 0;
    for (std::size_t image = 0; image < input_.pictures.size(); ++image) {
      for (const TrainingCaption& caption : all_captions(static_cast<int>(image))) {
        const double probability = std::exp(-naive.loss(maps, {caption}, options));
        sum += probability * reward(cider, caption);
        total += probability;
      }
    }
    const auto images = static_cast<double>(input_.pictures.size());
    EXPECT_NEAR(total, images, 1e-9) << "these are not all captions";
    return sum / images;
  }

  /// The expected reward's gradient by central differences, decoder tensors in order.
  Doubles exact_gradient() {
    constexpr double kStep = 1e-5;
    const Doubles maps = features();
    std::map<std::string, Doubles> tensors;
    for (const Parameter& parameter : parameters_.parameters()) {
      tensors[parameter.name] = Doubles(parameter.value.values().begin(), parameter.value.values().end());
    }
    Doubles gradient;
    for (const Parameter& parameter : parameters_.parameters()) {
      if (!is_decoders(parameter.name)) continue;
      for (double& value : tensors[parameter.name]) {
        const double here = value;
        value = here + kStep;
        const double above = expected_reward(tensors, maps);
        value = here - kStep;
        const double below = expected_reward(tensors, maps);
        value = here;
        gradient.push_back((above - below) / (2 * kStep));
      }
    }
    return gradient;
  }

  testing::ScratchFolder scratch_;
  dnn::Kernels kernels_;
  Quiet quiet_;
  ParameterSet parameters_;
  SelfCriticalInput input_;
};

TEST_F(SelfCriticalTest, TheSampledGradientIsThatOfTheExpectedReward) {
  constexpr int kSteps = 150;
  input_.encoder_learning_rate = 0;
  input_.samples = 64;
  using Baseline = ScstStage::Baseline;
  for (const auto& [baseline, temperature] :
       {std::pair{Baseline::kMean, 1.0}, {Baseline::kGreedy, 1.0}, {Baseline::kMean, 0.6}}) {
    input_.baseline = baseline;
    input_.temperature = temperature;
    const Doubles exact = exact_gradient();
    parameters_.clear_gradients();
    SelfCritical stage(input_, parameters_, kernels_, quiet_);
    for (int i = 0; i < kSteps; ++i) stage.step();
    Doubles sampled;
    for (const Parameter& parameter : parameters_.parameters()) {
      if (!is_decoders(parameter.name)) continue;
      for (const float value : parameter.gradient.values()) sampled.push_back(-static_cast<double>(value) / kSteps);
    }
    ASSERT_EQ(sampled.size(), exact.size());
    const auto product = [](const Doubles& a, const Doubles& b) {
      return std::inner_product(a.begin(), a.end(), b.begin(), 0.0);
    };
    const double size = std::sqrt(product(exact, exact));
    EXPECT_GT(size, 0.1);
    EXPECT_GT(product(sampled, exact) / (std::sqrt(product(sampled, sampled)) * size), 0.995);
    EXPECT_NEAR(product(sampled, exact) / (size * size), 1, 0.05);
  }
}

TEST_F(SelfCriticalTest, RewardsRise) {
  constexpr int kSteps = 120;
  input_.samples = 8;
  input_.options.learning_rate = 2e-2;
  SelfCritical stage(input_, parameters_, kernels_, quiet_);
  Optimiser optimiser(input_.options, parameters_, [&](const std::string& name) { return stage.trains(name); });
  stage.seek(0);
  double first = 0;
  double last = 0;
  for (int i = 0; i < kSteps; ++i) {
    const Stage::Step step = stage.step();
    optimiser.step(input_.options.learning_rate, stage.rate_scales());
    ASSERT_EQ(step.parts[0].first, "reward");
    if (i < 10) first += step.parts[0].second / 10;
    if (i >= kSteps - 10) last += step.parts[0].second / 10;
  }
  EXPECT_GT(last, first + 0.4);
}

TEST(Advantages, AreWhatACaptionIsBetterThanItsBaseline) {
  const std::vector<double> rewards = {1, 2, 6, 3, 3, 0};
  EXPECT_EQ(advantages(rewards, 3, {}), (std::vector<double>{-3, -1.5, 4.5, 1.5, 1.5, -3}));
  EXPECT_EQ(advantages(rewards, 3, std::vector<double>{2, 1}), (std::vector<double>{-1, 0, 4, 2, 2, -1}));
}

}  // namespace
}  // namespace glimpse::train
