// Whole trainings of tiny models that look around, by recipe: what they learn, interruption, and recipes that are
// wrong.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <limits>
#include <string>

#include "core/error.h"
#include "core/file.h"
#include "glimpses/look_model.h"
#include "support/paths.h"
#include "train/nets/look_network.h"
#include "train/run/trainer.h"

namespace glimpse::train {
namespace {

using ::testing::HasSubstr;

constexpr std::size_t kMaxBytes = std::size_t{1} << 26;

class Listener : public Observer {
 public:
  explicit Listener(int steps = std::numeric_limits<int>::max()) : left_(steps) {}
  void progress(const Progress&) override { --left_; }
  void validated(const Validation& validation) override { error = validation.scores.at(0).second; }
  bool interrupted() override { return left_ <= 0; }
  double error = 1;

 private:
  int left_;
};

class LookTrainingTest : public ::testing::Test {
 protected:
  /// RAM on 28 × 28 pixels, little of everything.
  static std::string ram() {
    return "name = tiny\noutput = tiny.safetensors\nthreads = 1\n[digits]\nkind = centred\ntrain = 1600\nvalidation = "
           "100\n[look]\npatch = 8\nscales = 2\nglimpses = 2\nfeatures = 32\nglimpse = 48\nhidden = 48\nsamples = 2\n"
           "batch = 32\nlearning-rate = 4e-3\nwarm-up = 10\n";
  }
  static std::string dram() {
    return "name = tiny\noutput = tiny.safetensors\nthreads = 1\n[digits]\nkind = row\nwidth = 32\nheight = 16\nleast "
           "= 1\nmost = 2\ntrain = 64\nvalidation = 10\n[look]\nkind = dram\ncore = lstm\npatch = 8\nscales = 1\n"
           "glimpses = 2\nfeatures = 16\nglimpse = 16\nhidden = 16\nbatch = 16\naverage = 0.9\n";
  }
  Recipe recipe(const std::string& text) const { return parse_recipe(text, "tiny.conf", scratch_.path()); }
  std::filesystem::path path(const std::string& name) const { return scratch_.path() / name; }

 private:
  testing::ScratchFolder scratch_;
};

TEST_F(LookTrainingTest, LearnsToReadDigits) {
  Recipe one = recipe(ram());
  one.look->epochs = 4;
  Listener listener;
  Trainer trainer(one, listener);
  trainer.run(Trainer::Start::kAnew);
  EXPECT_LT(listener.error, 0.5);  // chance: 0.9
  const LookModel model = LookModel::load(path("tiny.safetensors"));
  EXPECT_EQ(model.config().name, "tiny");
  EXPECT_THAT(model.config().provenance, HasSubstr("glimpses = 2"));
  EXPECT_EQ(model.config().classes.size(), 10U);
  for (const auto& [name, tensor] : model.weights().tensors()) {
    EXPECT_FALSE(name.starts_with(kLookScaffold)) << name;
  }
  EXPECT_THAT(read_file(trainer.folder() / "curves.svg", kMaxBytes), HasSubstr("error"));
  EXPECT_TRUE(std::filesystem::exists(trainer.folder() / "journal.jsonl"));
}

TEST_F(LookTrainingTest, GoesOnBitForBitFromWhereverItWasInterrupted) {
  Recipe one = recipe(dram());
  one.look->epochs = 3;
  Listener listener;
  Trainer(one, listener).run(Trainer::Start::kAnew);
  const std::string whole = read_file(path("tiny.safetensors"), kMaxBytes);
  auto start = Trainer::Start::kOver;
  int stops = 0;
  for (bool done = false; !done; start = Trainer::Start::kGoOn) {
    Listener impatient(5);
    try {
      Trainer(one, impatient).run(start);
      done = true;
    } catch (const Error& error) {
      ASSERT_EQ(error.code(), ErrorCode::kInterrupted) << error.what();
      ASSERT_LT(++stops, 4);
    }
  }
  EXPECT_EQ(stops, 2);
  EXPECT_TRUE(read_file(path("tiny.safetensors"), kMaxBytes) == whole) << "the model differs";
  EXPECT_EQ(LookModel::load(path("tiny.safetensors")).config().objects, 2);
}

TEST_F(LookTrainingTest, ShippedRecipesAreWhole) {
  for (const char* name : {"ram28", "ram60", "dram"}) {
    const auto file = testing::source_path(std::string("models/recipes/") + name + ".conf");
    EXPECT_NO_THROW(check(read_recipe(file))) << name;
  }
}

TEST_F(LookTrainingTest, RecipesThatMakeNoModelAreNamed) {
  const auto complaint = [&](const std::string& text) -> std::string {
    try {
      check(recipe(text));
    } catch (const Error& error) {
      EXPECT_EQ(error.code(), ErrorCode::kUsage) << error.what();
      return error.what();
    }
    return "none";
  };
  EXPECT_EQ(complaint(ram()), "none");
  EXPECT_EQ(complaint(dram()), "none");
  EXPECT_THAT(complaint("name = a\noutput = b\n[look]\n"), HasSubstr("one of [digits] and [look]"));
  EXPECT_THAT(complaint(ram() + "[caption]\n"), HasSubstr("beside a captioner's stage"));
  EXPECT_THAT(complaint("output = b\n[digits]\n[look]\n"), HasSubstr("no 'name'"));
  EXPECT_THAT(complaint("name = a\noutput = b\n[digits]\nkind = row\nwidth = 96\nheight = 32\n[look]\n"),
              HasSubstr("take dram"));
  EXPECT_THAT(complaint("name = a\noutput = b\n[digits]\nwidth = 20\n[look]\n"), HasSubstr("20 × 28"));
  EXPECT_THAT(complaint("name = a\noutput = b\n[digits]\n[look]\nkind = dram\ncoarse = 5\n"),
              HasSubstr("squares of 5 do not fill"));
}

}  // namespace
}  // namespace glimpse::train
