#include "dnn/plan/tuning.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <set>
#include <sstream>

#include "dnn/plan/winograd.h"
#include "dnn/test_net.h"
#include "support/paths.h"

namespace glimpse::dnn {
namespace {

namespace fs = std::filesystem;
using Variant = ConvolutionVariant;
using glimpse::testing::ScratchFolder;

ConvolutionProblem problem() {
  return {
      {2, 32, 14, 14}, {48, 32, 3, 3}, {{1, 1}, {1, 1}, {1, 1, 1, 1}, 1, {Activation::Kind::kRelu, 0, 0}}, true, false};
}

TEST(TuningKey, DependsOnEverythingTheKernelDependsOn) {
  std::vector<ConvolutionProblem> problems(14, problem());
  for (std::size_t i = 0; i < 4; ++i) ++problems[1 + i].src[i];
  for (std::size_t i = 0; i < 4; ++i) ++problems[5 + i].weight[i];
  problems[9].options.stride = {1, 2};
  problems[10].options.dilation = {2, 1};
  problems[11].options.padding.right = 0;
  problems[12].options.groups = 2;
  problems[13].residual = true;
  problems.push_back(problem());
  problems.back().bias = false;
  problems.push_back(problem());
  problems.back().options.activation.kind = Activation::Kind::kTanh;
  std::set<std::string> keys;
  for (const ConvolutionProblem& p : problems) keys.insert(tuning_key(p, 2));
  keys.insert(tuning_key(problem(), 3));
  EXPECT_EQ(keys.size(), problems.size() + 1);
  EXPECT_NE(tuning_key(problem(), 1).find(instruction_set()), std::string::npos);
  EXPECT_NE(tuning_key(problem(), 1).find(library_version()), std::string::npos);
}

TEST(ChooseVariants, TakesOneLayoutForTheNetwork) {
  constexpr std::optional<double> kNone;
  // Preferred, blocked, Winograd.
  const VariantTimes winograd_pays = {1.0, 1.0, 0.5};
  const VariantTimes blocked_loses = {1.0, 1.3, kNone};
  const VariantTimes blocked_loses_much = {1.0, 3.0, kNone};
  const VariantTimes even = {1.0, 1.01, 0.99};
  const auto choose = [](std::vector<VariantTimes> times) { return choose_variants(times); };
  EXPECT_EQ(choose({winograd_pays, blocked_loses}), (std::vector{Variant::kWinograd, Variant::kBlocked}));
  EXPECT_EQ(choose({winograd_pays, blocked_loses_much}), (std::vector{Variant::kPreferred, Variant::kPreferred}));
  EXPECT_EQ(choose({even}), (std::vector{Variant::kPreferred})) << "noise decided";
  EXPECT_EQ(choose({winograd_pays, even}), (std::vector{Variant::kWinograd, Variant::kBlocked})) << "noise decided";
  EXPECT_EQ(choose({{1.0, kNone, kNone}}), (std::vector{Variant::kPreferred}));
  EXPECT_TRUE(choose({}).empty());
}

TEST(MeasureVariants, TimesWhatThereIs) {
  const VariantTimes times = measure_variants(problem()).times;
  ASSERT_TRUE(times[0]);
  ASSERT_TRUE(times[1]);
  EXPECT_TRUE(times[2]);
  for (const std::optional<double>& seconds : times) {
    if (seconds) {
      EXPECT_GT(*seconds, 0);
    }
  }
  ConvolutionProblem strided = problem();
  strided.options.stride = {2, 2};
  EXPECT_FALSE(measure_variants(strided).times[2]) << "Winograd has no strides";
}

std::string contents(const fs::path& path) {
  std::ostringstream text;
  text << std::ifstream(path).rdbuf();
  return text.str();
}

/// Kernels of a network of two convolutions, built with `cache`; its results are checked.
std::vector<std::string> kernels(const fs::path& cache) {
  PlanOptions options;
  options.tuning = Tuning::kMeasure;
  options.tuning_cache = cache;
  testing::TestNet net(options, 1);
  const Value image = net.input(problem().src);
  const testing::TestNet::Filter filter = {48, 3, 3, true};
  net.output(net.convolution(net.convolution(image, filter, problem().options), filter, problem().options));
  const Plan plan = net.build();
  Session session(plan);
  net.write_inputs(session);
  session.run();
  net.expect_outputs(session, 1e-4);
  std::vector<std::string> names;
  for (const StepInfo& step : plan.steps()) {
    if (step.convolution) names.push_back(step.implementation);
  }
  return names;
}

/// A cache file that says how long the two convolutions took.
std::string cache_text(const std::string& times) {
  ConvolutionProblem second = problem();
  second.src[1] = 48;
  second.weight[1] = 48;
  return "glimpse tuning 2\n" + tuning_key(problem(), 1) + " | " + times + "\n" + tuning_key(second, 1) + " | " +
         times + "\n";
}

TEST(TuningCache, IsWrittenAndBelieved) {
  const ScratchFolder scratch;
  const fs::path file = scratch.path() / "not" / "there" / "tuning.txt";
  // One thread is hardly ever disturbed for so long that nothing can be kept, but on a busy machine it may be.
  for (int attempt = 0; attempt < 20 && contents(file).find(tuning_key(problem(), 1)) == std::string::npos; ++attempt) {
    kernels(file);
  }
  EXPECT_TRUE(contents(file).starts_with("glimpse tuning 2\n"));
  ASSERT_NE(contents(file).find(tuning_key(problem(), 1)), std::string::npos);

  // Times that no machine would measure, to see that they are what decides.
  std::ofstream(file) << cache_text("1 900 800");
  const std::string text = contents(file);
  const std::vector<std::string> direct = kernels(file);
  EXPECT_EQ(contents(file), text) << "measured although everything was known";
  std::ofstream(file) << cache_text("900 1 800");
  const std::vector<std::string> blocked = kernels(file);
  std::ofstream(file) << cache_text("900 800 1");
  const std::vector<std::string> winograd = kernels(file);
  const auto implementation = [](Variant variant) {
    std::string name;
    if (is_own_winograd(problem(), variant)) return std::string(WinogradConvolution::kName);
    run_on_threads(1, [&] { name = make_nearest_convolution(problem(), variant).impl_info_str(); });
    return name;
  };
  EXPECT_EQ(direct, std::vector<std::string>(2, implementation(Variant::kPreferred)));
  EXPECT_EQ(blocked, std::vector<std::string>(2, implementation(Variant::kBlocked)));
  EXPECT_EQ(winograd, std::vector<std::string>(2, implementation(Variant::kWinograd)));
}

TEST(TuningCache, DamageOnlyCostsMeasuring) {
  const std::string key = tuning_key(problem(), 1);
  for (const std::string& text :
       {std::string(), std::string("glimpse tuning 2"), std::string("another file\n"), std::string(5000, '\0'),
        "glimpse tuning 2\n" + key, "glimpse tuning 2\n" + key + " | 1 2", "glimpse tuning 2\n" + key + " | 1 2 3 4\n",
        "glimpse tuning 2\n" + key + " | - 1 1\n", "glimpse tuning 2\n" + key + " | nan 1 1\n",
        "glimpse tuning 2\n" + key + " | -1 1 1\n", "glimpse tuning 2\n" + key + " | 0 1 1\n",
        "glimpse tuning 2\n" + key + " | 1e999 1 1\n", "glimpse tuning 2\n" + key + " | 1x 1 1\n",
        std::string(3 << 20, 'x')}) {
    const ScratchFolder scratch;
    const fs::path file = scratch.path() / "tuning.txt";
    std::ofstream(file, std::ios::binary) << text;
    EXPECT_EQ(TuningCache(file).find(key), nullptr) << text.substr(0, 100);
    kernels(file);
    TuningCache cache(file);
    cache.insert("another", {1.0, 1.0, 1.0}, true);
    cache.save();
    EXPECT_TRUE(contents(file).starts_with("glimpse tuning 2\n")) << text.substr(0, 100);
    EXPECT_NE(TuningCache(file).find("another"), nullptr) << text.substr(0, 100);
  }
}

TEST(TuningCache, NeedsNoFile) {
  const ScratchFolder scratch;
  kernels({});
  kernels(scratch.path());                     // a folder
  kernels("/proc/no/such/folder/tuning.txt");  // nobody may write there
  fs::create_directory(scratch.path() / "locked");
  fs::permissions(scratch.path() / "locked", fs::perms::none);
  kernels(scratch.path() / "locked" / "tuning.txt");
  fs::permissions(scratch.path() / "locked", fs::perms::owner_all);
}

TEST(TuningCache, KeepsWhatOthersWrote) {
  const ScratchFolder scratch;
  const fs::path file = scratch.path() / "tuning.txt";
  TuningCache first(file);
  TuningCache second(file);
  first.insert("a", {1.0, 2.0, std::nullopt}, true);
  second.insert("b", {0.25, 0.5, 0.125}, true);
  second.insert("c", {0.25, 0.5, 0.125}, false);
  EXPECT_NE(second.find("c"), nullptr);
  first.save();
  second.save();
  const TuningCache both(file);
  ASSERT_NE(both.find("a"), nullptr);
  ASSERT_NE(both.find("b"), nullptr);
  EXPECT_EQ(*both.find("a"), (VariantTimes{1.0, 2.0, std::nullopt}));
  EXPECT_EQ(both.find("c"), nullptr) << "kept what was not to be kept";
  EXPECT_EQ(*both.find("b"), (VariantTimes{0.25, 0.5, 0.125}));
}

}  // namespace
}  // namespace glimpse::dnn
