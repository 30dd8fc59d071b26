// The loop that every stage runs in, around a stage that is a parabola with noise.
#include "train/run/stage_loop.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <limits>

#include "core/error.h"
#include "core/random.h"
#include "support/paths.h"
#include "train/run/checkpoint.h"

namespace glimpse::train {
namespace {

using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::Property;
using ::testing::Throws;

constexpr std::int64_t kStepsPerEpoch = 3;

std::vector<float> numbers(const Tensor& tensor) { return {tensor.values().begin(), tensor.values().end()}; }

/// (x − 1)² over four numbers, each step's target moved by noise that follows from the step alone.
class Parabola : public Stage {
 public:
  Parabola() {
    options_.epochs = 5;
    options_.warm_up = 2;
    options_.learning_rate = 0.2;
    options_.average = 0.8;
    Tensor start(Shape{4});
    std::ranges::fill(start.values(), -1.0F);
    parameters_.add("x", std::move(start), true);
  }

  std::string_view name() const override { return "parabola"; }
  const StageOptions& options() const override { return options_; }
  ParameterSet& parameters() override { return parameters_; }
  std::int64_t steps_per_epoch() const override { return kStepsPerEpoch; }
  bool starts_trained() const override { return trained; }
  void seek(std::int64_t step) override { sought.push_back(next_ = step); }

  Step step() override {
    refuse();
    Random random(static_cast<std::uint64_t>(next_));
    Parameter& x = parameters_.at("x");
    Step result;
    for (std::size_t i = 0; i < x.value.values().size(); ++i) {
      const double away = x.value.values()[i] - 1 + 0.3 * random.normal();
      result.loss += away * away;
      x.gradient.values()[i] += static_cast<float>(2 * away);
    }
    ++next_;
    if (next_ == bad_loss) result.loss = std::numeric_limits<double>::quiet_NaN();
    if (next_ == bad_gradient) x.gradient.data()[1] = std::numeric_limits<float>::infinity();
    result.parts = {{"noise", 0.3}};
    result.pictures = 2;
    return result;
  }

  Measures validate() override {
    refuse();
    validated.push_back(numbers(parameters_.at("x").value));
    return {{"quality", qualities.empty() ? 0 : qualities[validated.size() - 1]}};
  }
  double quality(const Measures& scores) const override { return scores[0].second; }

  StageOptions& options() { return options_; }
  const Tensor& x() { return parameters_.at("x").value; }

  std::vector<double> qualities;  ///< that validations give, one after the other
  std::int64_t bad_loss = -1;     ///< the step, from 1 on, whose loss is no number
  std::int64_t bad_gradient = -1;
  std::int64_t refused_after = -1;  ///< steps: no model can be made of the weights then
  bool trained = false;
  std::vector<std::int64_t> sought;
  std::vector<std::vector<float>> validated;  ///< the parameters that were

 private:
  void refuse() const {
    if (next_ == refused_after) throw Error(ErrorCode::kModel, "'x' has the value inf");
  }

  StageOptions options_;
  ParameterSet parameters_;
  std::int64_t next_ = 0;
};

/// Asks to stop after a step, and remembers what it was told.
class Watcher : public Observer {
 public:
  void progress(const Progress& progress) override { steps.push_back(progress.step); }
  void validated(const Validation& validation) override { validations.push_back(validation); }
  bool interrupted() override { return !steps.empty() && steps.back() == stop_after; }

  std::int64_t stop_after = -1;
  std::vector<std::int64_t> steps;
  std::vector<Validation> validations;
};

/// A run of the loop with everything that its hooks were given.
struct Trial {
  explicit Trial(Parabola& stage) : stage(stage), optimiser(stage.options(), stage.parameters()) {
    hooks.observer = &watcher;
    hooks.save = [this] {
      saved_at.push_back(optimiser.steps_done());
      write_checkpoint(folder.path() / "moments", {}, {}, optimiser.state());
      write_checkpoint(folder.path() / "values", {}, {}, this->stage.parameters().views());
      saved_best = best;
    };
    hooks.keep_best = [this] { kept.push_back(numbers(this->stage.x())); };
    hooks.stepped = [this](const StepRecord& record) {
      records.push_back(record);
      after.push_back(numbers(this->stage.x()));
    };
    hooks.validated = [this](const Validation& validation) { epochs.push_back(validation.epoch); };
  }

  void go() { run_stage(stage, optimiser, best, hooks); }

  glimpse::testing::ScratchFolder folder;
  Parabola& stage;
  Optimiser optimiser;
  std::optional<double> best;
  std::optional<double> saved_best;
  Watcher watcher;
  StageHooks hooks;
  std::vector<std::int64_t> saved_at;
  std::vector<std::vector<float>> kept;
  std::vector<StepRecord> records;
  std::vector<std::vector<float>> after;  ///< the parameters after each step
  std::vector<int> epochs;                ///< that were validated
};

TEST(StageLoop, KeepsTheBestWithTheAveragesInPlace) {
  Parabola stage;
  stage.qualities = {1, 3, 2, 3, 4};
  Trial run(stage);
  run.go();
  EXPECT_THAT(stage.sought, ElementsAre(0));
  EXPECT_EQ(run.best, 4);
  ASSERT_EQ(stage.validated.size(), 5U);
  ASSERT_EQ(run.watcher.validations.size(), 5U);
  const std::vector<bool> best = {true, true, false, false, true};  // as good is no better
  for (std::size_t i = 0; i < best.size(); ++i) EXPECT_EQ(run.watcher.validations[i].best, best[i]) << i;
  EXPECT_THAT(run.kept, ElementsAre(stage.validated[0], stage.validated[1], stage.validated[4]));

  std::vector<double> average(4, -1);
  for (std::size_t step = 0; step < run.after.size(); ++step) {
    const double keep = std::min(0.8, static_cast<double>(2 + step) / static_cast<double>(11 + step));
    for (std::size_t i = 0; i < 4; ++i) average[i] = keep * average[i] + (1 - keep) * run.after[step][i];
    if ((step + 1) % kStepsPerEpoch != 0) continue;
    for (std::size_t i = 0; i < 4; ++i) EXPECT_NEAR(stage.validated[step / kStepsPerEpoch][i], average[i], 1e-5);
  }
  EXPECT_EQ(numbers(stage.x()), run.after.back()) << "the averages stayed in place";
}

TEST(StageLoop, ValidatesEveryFewEpochsAndAtTheEnd) {
  Parabola stage;
  stage.options().validate_every = 2;
  Trial run(stage);
  run.best = 7;  // of an earlier run, and never reached
  run.go();
  EXPECT_THAT(run.epochs, ElementsAre(2, 4, 5));
  EXPECT_TRUE(run.kept.empty());
  EXPECT_EQ(run.best, 7);
  EXPECT_THAT(run.saved_at, ElementsAre(15));
}

TEST(StageLoop, RecordsEveryStep) {
  Parabola stage;
  Trial run(stage);
  run.go();
  ASSERT_EQ(run.records.size(), 15U);
  for (std::size_t i = 0; i < run.records.size(); ++i) {
    const StepRecord& record = run.records[i];
    EXPECT_EQ(record.stage, "parabola");
    EXPECT_EQ(record.step, static_cast<std::int64_t>(i) + 1);
    EXPECT_EQ(record.epoch, static_cast<int>(i / 3) + 1);
    EXPECT_EQ(record.learning_rate, learning_rate(stage.options(), static_cast<std::int64_t>(i), 15));
    ASSERT_EQ(record.losses.size(), 2U);
    EXPECT_EQ(record.losses[0].first, "loss");
    EXPECT_EQ(record.losses[1].first, "noise");
  }
  EXPECT_LT(run.records.back().losses[0].second, run.records.front().losses[0].second / 2) << "it does not learn";
}

TEST(StageLoop, SavesAfterEveryStepWhereAsked) {
  Parabola stage;
  stage.options().checkpoint_every = 0;
  Trial run(stage);
  run.go();
  EXPECT_EQ(run.saved_at.size(), 15U);
}

TEST(StageLoop, InterruptionSavesThenThrows) {
  Parabola stage;
  Trial run(stage);
  run.watcher.stop_after = 7;
  EXPECT_THAT([&] { run.go(); }, Throws<Error>(Property(&Error::code, ErrorCode::kInterrupted)));
  EXPECT_THAT(run.saved_at, ElementsAre(7));
  EXPECT_EQ(run.records.size(), 7U);
}

TEST(StageLoop, DivergenceIsNamedAndNotStepped) {
  Parabola stage;
  stage.bad_loss = 5;
  Trial run(stage);
  EXPECT_THAT([&] { run.go(); },
              Throws<Error>(AllOf(Property(&Error::code, ErrorCode::kDiverged),
                                  Property(&Error::what, HasSubstr("parabola, step 5: the loss is nan")))));
  EXPECT_EQ(numbers(stage.x()), run.after.back());
  EXPECT_EQ(run.optimiser.steps_done(), 4);
  EXPECT_TRUE(run.saved_at.empty()) << "a broken state was saved";

  Parabola other;
  other.bad_gradient = 3;
  Trial second(other);
  EXPECT_THAT([&] { second.go(); }, Throws<Error>(AllOf(Property(&Error::code, ErrorCode::kDiverged),
                                                        Property(&Error::what, HasSubstr("the gradient of 'x'")))));
  EXPECT_EQ(second.records.size(), 2U);
}

TEST(StageLoop, LearntWeightsThatNoModelCanHoldAreDivergence) {
  for (const std::int64_t bad : {0, 3, 4}) {
    Parabola stage;
    stage.trained = true;
    stage.refused_after = bad;
    Trial run(stage);
    // Before the first step it is the model that one starts from.
    const ErrorCode code = bad == 0 ? ErrorCode::kModel : ErrorCode::kDiverged;
    EXPECT_THAT([&] { run.go(); }, Throws<Error>(AllOf(Property(&Error::code, code),
                                                       Property(&Error::what, HasSubstr("'x' has the value inf")))));
    EXPECT_EQ(run.optimiser.steps_done(), bad);
  }
}

TEST(StageLoop, GoesOnWithEqualNumbers) {
  for (const std::int64_t stop_after : {1, 6, 7, 15}) {
    Parabola whole;
    whole.qualities = {1, 3, 2, 2, 2};
    Trial reference(whole);
    reference.go();

    Parabola begun;
    begun.qualities = whole.qualities;
    Trial first(begun);
    first.watcher.stop_after = stop_after;
    EXPECT_THROW(first.go(), Error);

    Parabola resumed;
    const auto validated = static_cast<std::ptrdiff_t>(begun.validated.size());
    resumed.qualities.assign(whole.qualities.begin() + validated, whole.qualities.end());
    Trial second(resumed);
    EXPECT_TRUE(resumed.parameters().load(Weights(first.folder.path() / "values")).empty());
    second.optimiser.restore(Weights(first.folder.path() / "moments"), first.saved_at.back());
    second.best = first.saved_best;
    second.go();
    EXPECT_EQ(resumed.sought, stop_after == 15 ? std::vector<std::int64_t>{} : std::vector{stop_after});
    ASSERT_EQ(second.records.size(), static_cast<std::size_t>(15 - stop_after));
    for (std::size_t i = 0; i < second.records.size(); ++i) {
      const StepRecord& expected = reference.records[i + static_cast<std::size_t>(stop_after)];
      EXPECT_EQ(second.records[i].step, expected.step);
      EXPECT_EQ(second.records[i].losses, expected.losses) << "step " << expected.step;
      EXPECT_EQ(second.records[i].learning_rate, expected.learning_rate);
    }
    EXPECT_EQ(numbers(resumed.x()), numbers(whole.x()));
    EXPECT_EQ(second.best, reference.best);
    EXPECT_EQ(first.kept.size() + second.kept.size(), reference.kept.size());
  }
}

}  // namespace
}  // namespace glimpse::train
