#include "pipeline/batch_runner.h"

#include <tbb/global_control.h>
#include <tbb/parallel_pipeline.h>
#include <tbb/task_arena.h>

#include <algorithm>
#include <chrono>
#include <exception>
#include <memory>
#include <mutex>
#include <new>
#include <utility>

#include "core/file.h"
#include "core/handover.h"
#include "dnn/runtime/threads.h"
#include "pipeline/workers.h"

namespace glimpse {
namespace {

constexpr int kMostWorkers = 1024;
/// A batch that holds so many bytes of files goes on without being full.
constexpr std::size_t kMostBytesHeld = std::size_t{32} << 20;

/// A picture on its way.
struct Item {
  BatchInput input;
  BatchResult result;
  std::optional<PreparedPicture> prepared;
  std::vector<std::unique_ptr<PictureTask>> tasks;  ///< one a sink

  bool failed() const { return result.error() != nullptr; }
};

/// What passes from stage to stage: places of a batch, of which the first and the last may be missing.
struct Batch {
  std::size_t first = 0;  ///< place of the first item
  std::vector<Item> items;
};
using Token = std::shared_ptr<Batch>;

using Clock = std::chrono::steady_clock;

double seconds_since(Clock::time_point begin) { return std::chrono::duration<double>(Clock::now() - begin).count(); }

/// Adds the time it lives to a part of the stats.
class StageClock {
 public:
  StageClock(BatchStats& stats, double BatchStats::*part, std::mutex& mutex)
      : stats_(stats), part_(part), mutex_(mutex) {}
  ~StageClock() {
    const double seconds = seconds_since(begin_);
    const std::lock_guard lock(mutex_);
    stats_.*part_ += seconds;
  }
  StageClock(const StageClock&) = delete;
  StageClock& operator=(const StageClock&) = delete;

 private:
  BatchStats& stats_;
  double BatchStats::*part_;
  std::mutex& mutex_;
  Clock::time_point begin_ = Clock::now();
};

/// Whether an error that one picture met would not meet all others.
bool is_the_pictures_own(const Error& error) {
  return error.code() != ErrorCode::kUsage && error.code() != ErrorCode::kModel;
}

/// What a run is about.
struct Run {
  const BatchList& list;
  const std::vector<PictureSink*>& sinks;
  std::stop_source stop = std::stop_source();
};

/// Has a run list no more pictures where an exception leaves its scope: a stage that waits for them would keep it
/// going.
class StopOnFailure {
 public:
  explicit StopOnFailure(Run& run) : run_(run) {}
  ~StopOnFailure() {
    if (std::uncaught_exceptions() > before_) run_.stop.request_stop();
  }
  StopOnFailure(const StopOnFailure&) = delete;
  StopOnFailure& operator=(const StopOnFailure&) = delete;

 private:
  Run& run_;
  int before_ = std::uncaught_exceptions();
};

/// Calls `body`; an Error or lack of memory in it is the item's, unless it is no picture's fault.
template <typename Body>
void guard(Item& item, const Body& body) {
  try {
    body();
  } catch (const Error& error) {
    if (!is_the_pictures_own(error)) throw;
    item.result.outcome = error;
  } catch (const std::bad_alloc&) {
    item.result.outcome = Error(ErrorCode::kTooLarge, "not enough memory for " + quote(item.input.path));
  }
}

Image load(const BatchInput& input, const LoadOptions& options) {
  if (!input.bytes) return load_image(input.path, options);
  return decode_image(std::as_bytes(std::span(*input.bytes)), input.path, options);
}

int worker_count(const BatchOptions& options, const Captioner& captioner) {
  if (options.workers < 0 || options.workers > kMostWorkers) {
    throw Error(ErrorCode::kUsage, "workers is " + std::to_string(options.workers) + "; give 1 to " +
                                       std::to_string(kMostWorkers) + ", or 0 for as many as there are threads");
  }
  const int workers = options.workers == 0 ? dnn::available_threads() : options.workers;
  if (workers == 1 || captioner.threads() == 1) return workers;
  throw Error(ErrorCode::kUsage, std::to_string(workers) + " workers with a captioner of " +
                                     std::to_string(captioner.threads()) +
                                     " threads each; compile it with CaptionerOptions::threads = 1, or take 1 worker");
}

}  // namespace

class BatchRunner::Impl {
 public:
  Impl(const Captioner& captioner, const CaptionOptions& captions, const BatchOptions& options)
      : captioner_(captioner), options_(options), workers_(captioner, captions, worker_count(options, captioner)) {
    scaled_ = options.load;
    scaled_.min_width = captioner.config().input.width;
    scaled_.min_height = captioner.config().input.height;
  }

  BatchStats run(const BatchList& list, const std::vector<PictureSink*>& sinks, const std::stop_token& stop);

 private:
  void run_pipeline(Run& run);
  Token next_batch(Run& run);
  bool plan(const std::vector<PictureSink*>& sinks, Item& item);
  void read(Item& item);
  void caption(Batch& batch);
  void caption_together(CaptionSession& session, const std::vector<const PreparedPicture*>& places, Batch& batch);
  void caption_alone(CaptionSession& session, const std::vector<const PreparedPicture*>& places, Batch& batch);
  void draw(Item& item);
  void deliver(Batch& batch);
  StageClock clock(double BatchStats::*part) { return {stats_, part, stats_mutex_}; }

  Captioner captioner_;
  BatchOptions options_;
  LoadOptions scaled_;
  Workers workers_;
  std::size_t planned_ = 0;  ///< pictures of this run
  std::mutex stats_mutex_;
  BatchStats stats_;
};

/// The next pictures, up to the end of a batch; null at the end.
Token BatchRunner::Impl::next_batch(Run& run) {
  const StageClock timed = clock(&BatchStats::list);
  const auto size = static_cast<std::size_t>(captioner_.batch());
  auto batch = std::make_shared<Batch>();
  batch->first = (run.list.first + planned_) % size;
  std::size_t held = 0;
  const auto goes_on = [&] { return !batch->items.empty() && run.list.waits && run.list.waits(); };
  while (batch->first + batch->items.size() < size && held < kMostBytesHeld && !run.stop.stop_requested() &&
         !goes_on()) {
    std::optional<BatchInput> input = run.list.next(run.stop.get_token());
    if (!input) break;
    Item item;
    item.input = std::move(*input);
    if (!plan(run.sinks, item)) continue;
    if (item.input.bytes) held += item.input.bytes->size();
    batch->items.push_back(std::move(item));
  }
  return batch->items.empty() ? nullptr : batch;
}

/// False where a sink leaves the picture out.
bool BatchRunner::Impl::plan(const std::vector<PictureSink*>& sinks, Item& item) {
  for (PictureSink* const sink : sinks) {
    item.tasks.push_back(sink->plan(item.input));
    if (item.tasks.back() == nullptr) return false;
  }
  if (item.input.error) item.result.outcome = *item.input.error;
  item.result.number = planned_++;
  item.result.path = item.input.path;
  return true;
}

void BatchRunner::Impl::read(Item& item) {
  if (item.failed()) return;
  const auto begin = Clock::now();
  guard(item, [&] {
    const Image image = load(item.input, scaled_);
    item.prepared = captioner_.prepare(image);
    item.result.width = image.source_width;
    item.result.height = image.source_height;
  });
  item.result.seconds = seconds_since(begin);
}

void BatchRunner::Impl::caption(Batch& batch) {
  std::vector<const PreparedPicture*> places(batch.first, nullptr);
  for (const Item& item : batch.items) places.push_back(item.failed() ? nullptr : &*item.prepared);
  while (!places.empty() && places.back() == nullptr) places.pop_back();
  if (places.empty()) return;
  CaptionTimes times;
  workers_.run([&](CaptionSession& session) {
    const auto begin = Clock::now();
    session.measure(&times);
    caption_together(session, places, batch);
    session.measure(nullptr);
    for (Item& item : batch.items) item.result.seconds += seconds_since(begin);
  });
  for (Item& item : batch.items) {
    if (item.prepared) item.prepared->input = {};  // of what waits for its turn only the captions are kept
  }
  const std::lock_guard lock(stats_mutex_);
  stats_.encode += times.encode;
  stats_.search += times.search;
}

void BatchRunner::Impl::caption_together(CaptionSession& session, const std::vector<const PreparedPicture*>& places,
                                         Batch& batch) {
  try {
    std::vector<std::vector<Caption>> captions = session.caption(places);
    for (std::size_t place = batch.first; place < places.size(); ++place) {
      if (places[place] != nullptr) batch.items[place - batch.first].result.outcome = std::move(captions[place]);
    }
  } catch (const Error& error) {
    if (!is_the_pictures_own(error)) throw;
    caption_alone(session, places, batch);
  } catch (const std::bad_alloc&) {
    caption_alone(session, places, batch);
  }
}

/// One after the other, each at its place, so that only those fail whose fault it is.
void BatchRunner::Impl::caption_alone(CaptionSession& session, const std::vector<const PreparedPicture*>& places,
                                      Batch& batch) {
  for (std::size_t place = batch.first; place < places.size(); ++place) {
    if (places[place] == nullptr) continue;
    Item& item = batch.items[place - batch.first];
    guard(item, [&] {
      std::vector<const PreparedPicture*> alone(place, nullptr);
      alone.push_back(places[place]);
      item.result.outcome = std::move(session.caption(alone)[place]);
    });
  }
}

void BatchRunner::Impl::draw(Item& item) {
  if (item.failed()) return;
  guard(item, [&] {
    // Decoded again: at full size pictures are too large to be kept for all that are in flight.
    const Image full = load(item.input, options_.load);
    const BatchPicture picture{item.input.path, full, item.prepared->transform, *item.result.captions()};
    for (const std::unique_ptr<PictureTask>& task : item.tasks) task->draw(picture, item.result);
  });
}

void BatchRunner::Impl::deliver(Batch& batch) {
  const StageClock timed = clock(&BatchStats::deliver);
  for (Item& item : batch.items) {
    for (const std::unique_ptr<PictureTask>& task : item.tasks) {
      if (!task->deliver(item.result)) break;
    }
    item.tasks.clear();
  }
}

BatchStats BatchRunner::Impl::run(const BatchList& list, const std::vector<PictureSink*>& sinks,
                                  const std::stop_token& stop) {
  if (!list.next) throw Error(ErrorCode::kUsage, "a run needs a list: BatchList::next is empty");
  stats_ = {};
  stats_.workers = workers_.count();
  planned_ = 0;
  const auto begin = Clock::now();
  Run run{list, sinks};
  const std::stop_callback relay(stop, [&run] { run.stop.request_stop(); });
  workers_.work_during([&] { run_pipeline(run); });
  stats_.elapsed = seconds_since(begin);
  for (PictureSink* const sink : sinks) sink->finish();
  return stats_;
}

void BatchRunner::Impl::run_pipeline(Run& run) {
  const bool draws = std::ranges::any_of(run.sinks, [](const PictureSink* sink) { return sink->draws(); });
  // The one more reads, draws and delivers while the others wait for captions.
  const int threads = workers_.count() + 1;
  // TBB's own limit is the processors' number unless told otherwise.
  const tbb::global_control limit(
      tbb::global_control::max_allowed_parallelism,
      std::max(tbb::global_control::active_value(tbb::global_control::max_allowed_parallelism),
               static_cast<std::size_t>(threads)));
  tbb::task_arena arena(threads);
  using Mode = tbb::filter_mode;
  // OpenCV and others may use TBB within a stage: isolated, a thread that waits for them takes up no other batch.
  const auto isolated = [&run](const Token& token, auto body) {
    tbb::this_task_arena::isolate([&] {
      const StopOnFailure stop(run);
      const Holding holding(token.get());
      body(*token);
    });
    return token;
  };
  const auto list_stage = [&](tbb::flow_control& control) {
    const Holding own(this);
    Token token = next_batch(run);
    if (token == nullptr) control.stop();
    hand_over(token.get());
    return token;
  };
  const auto read_stage = [&](const Token& token) {
    return isolated(token, [&](Batch& batch) {
      const StageClock timed = clock(&BatchStats::read);
      for (Item& item : batch.items) read(item);
    });
  };
  const auto caption_stage = [&](const Token& token) { return isolated(token, [&](Batch& batch) { caption(batch); }); };
  const auto draw_stage = [&](const Token& token) {
    return isolated(token, [&](Batch& batch) {
      const StageClock timed = clock(&BatchStats::draw);
      if (!draws) return;
      for (Item& item : batch.items) draw(item);
    });
  };
  char delivery = 0;
  const auto deliver_stage = [&](const Token& token) {
    const StopOnFailure stop(run);
    const Holding order(&delivery);
    const Holding holding(token.get());
    deliver(*token);
  };
  hand_over(this);
  arena.execute([&] {
    tbb::parallel_pipeline(static_cast<std::size_t>(2 * threads),
                           tbb::make_filter<void, Token>(Mode::serial_in_order, list_stage) &
                               tbb::make_filter<Token, Token>(Mode::parallel, read_stage) &
                               tbb::make_filter<Token, Token>(Mode::parallel, caption_stage) &
                               tbb::make_filter<Token, Token>(Mode::parallel, draw_stage) &
                               tbb::make_filter<Token, void>(Mode::serial_in_order, deliver_stage));
  });
  take_over(this);
  take_over(&delivery);
}

BatchRunner::BatchRunner(const Captioner& captioner, const CaptionOptions& captions, const BatchOptions& options)
    : impl_(std::make_unique<Impl>(captioner, captions, options)) {}
BatchRunner::~BatchRunner() = default;

BatchStats BatchRunner::run(const BatchList& list, const std::vector<PictureSink*>& sinks,
                            const std::stop_token& stop) {
  return impl_->run(list, sinks, stop);
}

}  // namespace glimpse
