#include "train/stage_loop.h"

#include <algorithm>
#include <chrono>
#include <cmath>
#include <string>

#include "core/error.h"

namespace glimpse::train {
namespace {

using Clock = std::chrono::steady_clock;

double seconds_since(Clock::time_point start) { return std::chrono::duration<double>(Clock::now() - start).count(); }

/// Pictures a second, lately: a mean that forgets.
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
  throw Error(ErrorCode::kModel, std::string(stage.name()) + ", step " + std::to_string(step) + ": the loss is " +
                                     std::to_string(loss) + "; a lower learning-rate or clip may help");
}

class Loop {
 public:
  Loop(Stage& stage, Optimiser& optimiser, const StageLoopOptions& options)
      : stage_(stage), optimiser_(optimiser), options_(options), steps_per_epoch_(stage.steps_per_epoch()) {}

  void run() {
    const std::int64_t steps = steps_per_epoch_ * stage_.options().epochs;
    stage_.seek(optimiser_.steps_done());
    Clock::time_point saved = Clock::now();
    while (optimiser_.steps_done() < steps) {
      const Clock::time_point start = Clock::now();
      one_step(steps, start);
      const std::int64_t done = optimiser_.steps_done();
      if (done % steps_per_epoch_ == 0) end_epoch(done);
      const bool interrupted = options_.observer->interrupted();
      if (interrupted || seconds_since(saved) >= stage_.options().checkpoint_every || done == steps) {
        options_.save(optimiser_, done);
        saved = Clock::now();
      }
      if (interrupted) throw Error(ErrorCode::kInterrupted, "interrupted; all is saved, --resume goes on");
    }
  }

 private:
  void one_step(std::int64_t steps, Clock::time_point start) {
    const std::int64_t index = optimiser_.steps_done();
    const double rate = learning_rate(stage_.options(), index, steps);
    const Stage::Step result = stage_.step();
    if (!std::isfinite(result.loss)) throw_diverged(stage_, index + 1, result.loss);
    optimiser_.step(rate, stage_.rate_scales());
    rate_.add(result.pictures, seconds_since(start));
    const int epoch = static_cast<int>(index / steps_per_epoch_) + 1;
    const double per_step = seconds_since(start);
    options_.stepped(index + 1, epoch, rate, rate_.value(), result);
    const double pictures_left = static_cast<double>(steps - index - 1) * static_cast<double>(result.pictures);
    options_.observer->progress({stage_.name(), epoch, stage_.options().epochs, index + 1, steps, result.loss, rate,
                                 rate_.value(), rate_.value() > 0 ? pictures_left / rate_.value() : per_step});
  }

  void end_epoch(std::int64_t done) {
    const int epoch = static_cast<int>(done / steps_per_epoch_);
    if (epoch % stage_.options().validate_every != 0 && epoch != stage_.options().epochs) return;
    Measures scores;
    optimiser_.with_averages([&] { scores = stage_.validate(); });
    const double quality = stage_.quality(scores);
    const bool best = quality > best_;
    best_ = std::max(best_, quality);
    options_.validated(done, epoch, scores, best);
    options_.observer->validated({stage_.name(), epoch, done, scores, best});
  }

  Stage& stage_;
  Optimiser& optimiser_;
  const StageLoopOptions& options_;
  const std::int64_t steps_per_epoch_;
  Rate rate_;
  double best_ = -std::numeric_limits<double>::infinity();
};

}  // namespace

void run_stage(Stage& stage, Optimiser& optimiser, const StageLoopOptions& options) {
  Loop(stage, optimiser, options).run();
}

}  // namespace glimpse::train
