#include <tbb/blocked_range.h>
#include <tbb/parallel_for.h>
#include <tbb/task_arena.h>

#include <algorithm>
#include <map>
#include <memory>

#include "dnn/runtime/engine.h"
#include "dnn/runtime/threads.h"

namespace glimpse::dnn {
namespace {

/// What set_thread_count asked for; 0: never called, so all that the process may use.
thread_local int t_count = 0;

/// oneDNN takes its concurrency from the arena it is called in. Arenas are costly to make: each thread keeps the few
/// sizes that it uses.
tbb::task_arena& arena(int count) {
  thread_local std::map<int, std::unique_ptr<tbb::task_arena>> arenas;
  std::unique_ptr<tbb::task_arena>& slot = arenas[count];
  if (slot == nullptr) slot = std::make_unique<tbb::task_arena>(count);
  return *slot;
}

}  // namespace

void set_thread_count(int count) { t_count = std::max(1, count); }

int thread_count() {
  if (t_count == 0) t_count = available_threads();
  return t_count;
}

namespace detail {

void run_on_threads(int count, void (*body)(void*), void* argument) {
  const ThreadCountScope scope(count);
  if (tbb::this_task_arena::max_concurrency() == t_count) {
    body(argument);
    return;
  }
  arena(t_count).execute([body, argument] { body(argument); });
}

}  // namespace detail

void parallel_for(std::int64_t count, std::int64_t grain, const std::function<void(std::int64_t, std::int64_t)>& body) {
  if (count <= 0) return;
  const std::int64_t least = std::max<std::int64_t>(1, grain);
  const int threads = thread_count();
  if (threads <= 1 || count <= least) {
    body(0, count);
    return;
  }
  const std::int64_t size = std::max(least, (count + threads - 1) / threads);
  run_on_threads(threads, [&] {
    tbb::parallel_for(
        tbb::blocked_range<std::int64_t>(0, count, static_cast<std::size_t>(size)),
        [&body](const tbb::blocked_range<std::int64_t>& range) { body(range.begin(), range.end()); },
        tbb::simple_partitioner());
  });
}

}  // namespace glimpse::dnn
