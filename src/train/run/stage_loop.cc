#include "train/run/stage_loop.h"

#include <chrono>
#include <cmath>
#include <string>

#include "core/error.h"
#include "train/run/divergence.h"

namespace glimpse::train {
namespace {

using Clock = std::chrono::steady_clock;

double seconds_since(Clock::time_point start) { return std::chrono::duration<double>(Clock::now() - start).count(); }

/// Pictures a second, as an exponential moving average.
class Rate {
 public:
  void add(std::int64_t pictures, double seconds) {
    constexpr double kKeep = 0.95;
    pictures_ = kKeep * pictures_ + static_cast<double>(pictures);
    seconds_ = kKeep * seconds_ + seconds;
  }
  double value() const { return seconds_ > 0 ? pictures_ / seconds_ : 0; }

 private:
  double pictures_ = 0;
  double seconds_ = 0;
};

[[noreturn]] void throw_diverged(const Stage& stage, std::int64_t step, double loss) {
  throw Error(ErrorCode::kDiverged, std::string(stage.name()) + ", step " + std::to_string(step) + ": the loss is " +
                                        std::to_string(loss) + "; " + kDivergenceRemedy);
}

class Loop {
 public:
  Loop(Stage& stage, Optimiser& optimiser, std::optional<double>& best, const StageHooks& hooks)
      : stage_(stage),
        optimiser_(optimiser),
        best_(best),
        hooks_(hooks),
        steps_per_epoch_(stage.steps_per_epoch()),
        steps_(steps_per_epoch_ * stage.options().epochs) {}

  void run() {
    if (optimiser_.steps_done() >= steps_) return;
    stage_.seek(optimiser_.steps_done());
    if (optimiser_.steps_done() == 0 && stage_.starts_trained()) validate(0);
    Clock::time_point saved = Clock::now();
    while (optimiser_.steps_done() < steps_) {
      one_step();
      const std::int64_t done = optimiser_.steps_done();
      if (done % steps_per_epoch_ == 0) end_epoch(done);
      const bool interrupted = hooks_.observer->interrupted();
      if (interrupted || done == steps_ || seconds_since(saved) >= stage_.options().checkpoint_every) {
        hooks_.save();
        saved = Clock::now();
      }
      if (interrupted) throw Error(ErrorCode::kInterrupted, "interrupted; all is saved, --resume goes on");
    }
  }

 private:
  /// Calls `body`, which uses the weights as they are after the steps so far.
  template <typename Body>
  auto with_learnt(const Body& body) {
    const std::int64_t done = optimiser_.steps_done();
    if (done == 0) return body();
    return blame_training(std::string(stage_.name()) + ", after step " + std::to_string(done), body);
  }

  void one_step() {
    const Clock::time_point start = Clock::now();
    const std::int64_t index = optimiser_.steps_done();
    const double rate = learning_rate(stage_.options(), index, steps_);
    const Stage::Step result = with_learnt([&] { return stage_.step(); });
    const auto damaged = stage_.damaged();
    for (; told_ < damaged.size(); ++told_) hooks_.observer->note(damaged[told_].error.what());
    if (!std::isfinite(result.loss)) throw_diverged(stage_, index + 1, result.loss);
    optimiser_.step(rate, stage_.rate_scales());
    rate_.add(result.pictures, seconds_since(start));
    const int epoch = static_cast<int>(index / steps_per_epoch_) + 1;
    StepRecord record{std::string(stage_.name()), epoch, index + 1, {{"loss", result.loss}}, rate, rate_.value()};
    record.losses.insert(record.losses.end(), result.parts.begin(), result.parts.end());
    hooks_.stepped(record);
    const double pictures_left = static_cast<double>(steps_ - index - 1) * static_cast<double>(result.pictures);
    hooks_.observer->progress({stage_.name(), epoch, stage_.options().epochs, index + 1, steps_, result.loss, rate,
                               rate_.value(), pictures_left / rate_.value()});
  }

  void end_epoch(std::int64_t done) {
    const int epoch = static_cast<int>(done / steps_per_epoch_);
    if (epoch % stage_.options().validate_every == 0 || done == steps_) validate(done);
  }

  void validate(std::int64_t done) {
    const int epoch = static_cast<int>(done / steps_per_epoch_);
    Validation validation{stage_.name(), epoch, done, {}, false};
    optimiser_.with_averages([&] {
      validation.scores = with_learnt([&] { return stage_.validate(); });
      const double quality = stage_.quality(validation.scores);
      validation.best = !best_ || quality > *best_;
      if (!validation.best) return;
      best_ = quality;
      hooks_.keep_best();
    });
    hooks_.validated(validation);
    hooks_.observer->validated(validation);
  }

  Stage& stage_;
  Optimiser& optimiser_;
  std::optional<double>& best_;
  const StageHooks& hooks_;
  const std::int64_t steps_per_epoch_;
  const std::int64_t steps_;
  Rate rate_;
  std::size_t told_ = 0;  ///< of the damaged pictures
};

}  // namespace

void run_stage(Stage& stage, Optimiser& optimiser, std::optional<double>& best, const StageHooks& hooks) {
  Loop(stage, optimiser, best, hooks).run();
}

}  // namespace glimpse::train
