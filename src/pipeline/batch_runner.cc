#include "pipeline/batch_runner.h"

#include <tbb/global_control.h>
#include <tbb/parallel_pipeline.h>
#include <tbb/task_arena.h>

#include <algorithm>
#include <chrono>
#include <condition_variable>
#include <memory>
#include <mutex>
#include <new>
#include <utility>

#include "core/file.h"
#include "core/handover.h"
#include "dnn/runtime/threads.h"

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

  bool failed() const { return result.error() != nullptr; }
};

/// What passes from stage to stage: places of a batch, of which the first and the last may be missing.
struct Batch {
  std::size_t first = 0;  ///< place of the first item
  std::vector<Item> items;
};
using Token = std::shared_ptr<Batch>;

/// Adds the time it lives to a part of the stats.
class StageClock {
 public:
  StageClock(BatchStats& stats, double BatchStats::*part, std::mutex& mutex)
      : stats_(stats), part_(part), mutex_(mutex) {}
  ~StageClock() {
    const double seconds = std::chrono::duration<double>(Clock::now() - begin_).count();
    const std::lock_guard lock(mutex_);
    stats_.*part_ += seconds;
  }
  StageClock(const StageClock&) = delete;
  StageClock& operator=(const StageClock&) = delete;

 private:
  using Clock = std::chrono::steady_clock;
  BatchStats& stats_;
  double BatchStats::*part_;
  std::mutex& mutex_;
  Clock::time_point begin_ = Clock::now();
};

/// Sessions that threads borrow. There is a thread more than sessions: it reads, draws and delivers while the others
/// compute.
class Sessions {
 public:
  Sessions(const Captioner& captioner, const CaptionOptions& options, int count) {
    for (int i = 0; i < count; ++i) idle_.push_back(std::make_unique<CaptionSession>(captioner, options));
  }

  std::unique_ptr<CaptionSession> borrow() {
    std::unique_lock lock(mutex_);
    changed_.wait(lock, [this] { return !idle_.empty(); });
    std::unique_ptr<CaptionSession> session = std::move(idle_.back());
    idle_.pop_back();
    return session;
  }

  void give_back(std::unique_ptr<CaptionSession> session) {
    {
      const std::lock_guard lock(mutex_);
      idle_.push_back(std::move(session));
    }
    changed_.notify_one();
  }

 private:
  std::mutex mutex_;
  std::condition_variable changed_;
  std::vector<std::unique_ptr<CaptionSession>> idle_;
};

/// A session for as long as it lives.
class Loan {
 public:
  explicit Loan(Sessions& sessions) : sessions_(sessions), session_(sessions.borrow()) {}
  ~Loan() {
    session_->measure(nullptr);
    sessions_.give_back(std::move(session_));
  }
  Loan(const Loan&) = delete;
  Loan& operator=(const Loan&) = delete;
  CaptionSession& session() { return *session_; }

 private:
  Sessions& sessions_;
  std::unique_ptr<CaptionSession> session_;
};

/// Calls `body`; an Error or lack of memory in it is the item's, unless it is no picture's fault.
template <typename Body>
void guard(Item& item, const Body& body) {
  try {
    body();
  } catch (const Error& error) {
    if (error.code() == ErrorCode::kUsage || error.code() == ErrorCode::kModel) throw;
    item.result.outcome = error;
  } catch (const std::bad_alloc&) {
    item.result.outcome = Error(ErrorCode::kTooLarge, "not enough memory for " + quote(item.input.path));
  }
}

Image load(const BatchInput& input, const LoadOptions& options) {
  if (!input.bytes) return load_image(input.path, options);
  return decode_image(std::as_bytes(std::span(*input.bytes)), input.path, options);
}

int resolve_workers(int workers) {
  if (workers >= 0 && workers <= kMostWorkers) return workers == 0 ? dnn::available_threads() : workers;
  throw Error(ErrorCode::kUsage, "workers is " + std::to_string(workers) + "; give 1 to " +
                                     std::to_string(kMostWorkers) + ", or 0 for as many as there are threads");
}

}  // namespace

class BatchRunner::Impl {
 public:
  Impl(const Captioner& captioner, const CaptionOptions& captions, const BatchOptions& options)
      : captioner_(captioner),
        options_(options),
        workers_(resolve_workers(options.workers)),
        sessions_(captioner, captions, workers_) {
    scaled_ = options.load;
    scaled_.min_width = captioner.config().input.width;
    scaled_.min_height = captioner.config().input.height;
  }

  BatchStats run(const BatchHooks& hooks, const std::stop_token& stop);

 private:
  Token list(const BatchHooks& hooks, const std::stop_token& stop);
  void read(Item& item);
  void caption(Batch& batch);
  void caption_alone(CaptionSession& session, std::vector<const PreparedPicture*>& places, Batch& batch);
  void draw(const BatchHooks& hooks, Item& item);
  void deliver(const BatchHooks& hooks, Batch& batch);
  StageClock clock(double BatchStats::*part) { return {stats_, part, stats_mutex_}; }

  Captioner captioner_;
  BatchOptions options_;
  LoadOptions scaled_;
  int workers_;
  Sessions sessions_;
  std::size_t number_ = 0;  ///< of the next picture in the whole list
  std::mutex stats_mutex_;
  BatchStats stats_;
};

/// The next pictures, up to the end of a batch; null at the end.
Token BatchRunner::Impl::list(const BatchHooks& hooks, const std::stop_token& stop) {
  const StageClock timed = clock(&BatchStats::list);
  const auto size = static_cast<std::size_t>(captioner_.batch());
  auto batch = std::make_shared<Batch>();
  batch->first = number_ % size;
  std::size_t held = 0;
  const auto goes_on = [&] { return !batch->items.empty() && hooks.waits && hooks.waits(); };
  while (batch->first + batch->items.size() < size && held < kMostBytesHeld && !stop.stop_requested() && !goes_on()) {
    std::optional<BatchInput> input = hooks.next();
    if (!input) break;
    if (input->bytes) held += input->bytes->size();
    Item& item = batch->items.emplace_back();
    item.input = std::move(*input);
    if (item.input.error) item.result.outcome = *item.input.error;
    ++number_;
  }
  return batch->items.empty() ? nullptr : batch;
}

void BatchRunner::Impl::read(Item& item) {
  if (item.failed()) return;
  guard(item, [&] {
    const Image image = load(item.input, scaled_);
    item.prepared = captioner_.prepare(image);
    item.result.width = image.source_width;
    item.result.height = image.source_height;
  });
}

void BatchRunner::Impl::caption(Batch& batch) {
  std::vector<const PreparedPicture*> places(batch.first, nullptr);
  for (const Item& item : batch.items) places.push_back(item.failed() ? nullptr : &*item.prepared);
  while (!places.empty() && places.back() == nullptr) places.pop_back();
  if (places.empty()) return;
  CaptionTimes times;
  {
    Loan loan(sessions_);
    loan.session().measure(&times);
    try {
      std::vector<std::vector<Caption>> captions = loan.session().caption(places);
      for (std::size_t place = batch.first; place < places.size(); ++place) {
        if (places[place] != nullptr) batch.items[place - batch.first].result.outcome = std::move(captions[place]);
      }
    } catch (const Error& error) {
      if (error.code() == ErrorCode::kUsage || error.code() == ErrorCode::kModel) throw;
      caption_alone(loan.session(), places, batch);
    } catch (const std::bad_alloc&) {
      caption_alone(loan.session(), places, batch);
    }
  }
  for (Item& item : batch.items) {
    if (item.prepared) item.prepared->input = {};  // of what waits for its turn only the captions are kept
  }
  const std::lock_guard lock(stats_mutex_);
  stats_.encode += times.encode;
  stats_.search += times.search;
}

/// One after the other, each at its place, so that only those fail whose fault it is.
void BatchRunner::Impl::caption_alone(CaptionSession& session, std::vector<const PreparedPicture*>& places,
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

void BatchRunner::Impl::draw(const BatchHooks& hooks, Item& item) {
  if (item.failed()) return;
  guard(item, [&] {
    // Decoded again: at full size pictures are too large to be kept for all that are in flight.
    const Image full = load(item.input, options_.load);
    item.result.drawn =
        hooks.draw({item.input.path, item.input.note, full, item.prepared->transform, *item.result.captions()});
  });
}

void BatchRunner::Impl::deliver(const BatchHooks& hooks, Batch& batch) {
  const StageClock timed = clock(&BatchStats::deliver);
  for (Item& item : batch.items) {
    item.result.path = std::move(item.input.path);
    item.result.note = std::move(item.input.note);
    hooks.deliver(std::move(item.result));
  }
}

BatchStats BatchRunner::Impl::run(const BatchHooks& hooks, const std::stop_token& stop) {
  stats_ = {};
  stats_.workers = workers_;
  number_ = hooks.first;
  const auto begin = std::chrono::steady_clock::now();
  const int threads = workers_ + 1;
  // TBB's own limit is the processors' number unless told otherwise.
  const tbb::global_control limit(
      tbb::global_control::max_allowed_parallelism,
      std::max(tbb::global_control::active_value(tbb::global_control::max_allowed_parallelism),
               static_cast<std::size_t>(threads)));
  tbb::task_arena arena(threads);
  using Mode = tbb::filter_mode;
  // OpenCV and others may use TBB within a stage: isolated, a thread that waits for them takes up no other batch.
  const auto isolated = [](const Token& token, auto body) {
    tbb::this_task_arena::isolate([&] {
      const Holding holding(token.get());
      body(*token);
    });
    return token;
  };
  const auto list_stage = [&](tbb::flow_control& control) {
    const Holding own(this);
    Token token = list(hooks, stop);
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
      if (!hooks.draw) return;
      for (Item& item : batch.items) draw(hooks, item);
    });
  };
  char delivery = 0;
  const auto deliver_stage = [&](const Token& token) {
    const Holding order(&delivery);
    const Holding holding(token.get());
    deliver(hooks, *token);
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
  stats_.elapsed = std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count();
  return stats_;
}

BatchRunner::BatchRunner(const Captioner& captioner, const CaptionOptions& captions, const BatchOptions& options)
    : impl_(std::make_unique<Impl>(captioner, captions, options)) {}
BatchRunner::~BatchRunner() = default;

BatchStats BatchRunner::run(const BatchHooks& hooks, const std::stop_token& stop) { return impl_->run(hooks, stop); }

}  // namespace glimpse
