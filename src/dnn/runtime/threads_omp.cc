#include <omp.h>

#include <algorithm>

#include "dnn/runtime/engine.h"
#include "dnn/runtime/threads.h"

#ifdef __SANITIZE_THREAD__
#include <sanitizer/tsan_interface.h>
#endif

namespace glimpse::dnn {
namespace {

// ThreadSanitizer does not see libgomp's forks and joins: it is told of them, and looks away where the compiler packs
// what they hand over.
#ifdef __SANITIZE_THREAD__
#define GLIMPSE_FORKS __attribute__((no_sanitize("thread")))
void hand_over(void* token) { __tsan_release(token); }
void take_over(void* token) { __tsan_acquire(token); }
#else
#define GLIMPSE_FORKS
void hand_over(void* /*token*/) {}
void take_over(void* /*token*/) {}
#endif

}  // namespace

void set_thread_count(int count) { omp_set_num_threads(std::max(1, count)); }

int thread_count() { return omp_get_max_threads(); }

namespace detail {

void run_on_threads(int count, void (*body)(void*), void* argument) {
  const ThreadCountScope scope(count);
  body(argument);
}

}  // namespace detail

GLIMPSE_FORKS void parallel_for(std::int64_t count, std::int64_t grain,
                                const std::function<void(std::int64_t, std::int64_t)>& body) {
  if (count <= 0) return;
  const std::int64_t most = (count + std::max<std::int64_t>(1, grain) - 1) / std::max<std::int64_t>(1, grain);
  const auto threads = static_cast<int>(std::min<std::int64_t>(most, thread_count()));
  if (threads <= 1 || omp_in_parallel() != 0) {
    body(0, count);
    return;
  }
  char fork = 0;
  char join = 0;
  hand_over(&fork);
#pragma omp parallel num_threads(threads)
  {
    take_over(&fork);
    // The runtime may grant fewer threads than asked for.
    const std::int64_t granted = omp_get_num_threads();
    const std::int64_t index = omp_get_thread_num();
    const std::int64_t begin = count * index / granted;
    const std::int64_t end = count * (index + 1) / granted;
    if (begin < end) body(begin, end);
    hand_over(&join);
  }
  take_over(&join);
}

}  // namespace glimpse::dnn
