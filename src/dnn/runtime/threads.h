/// How many processor threads an operation may use, and the loops that use them. Nothing above this level knows the
/// threading runtime.
///
/// One image at a time: all threads inside each primitive. Many images: one worker a thread, each with
/// `set_thread_count(1)` on entry. A primitive's scratchpad and weight layout depend on the count in force when it was
/// built, so a Plan is built and run at the same count.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>

namespace glimpse::dnn {

/// Processors that this process may use: the affinity mask, cut by the cgroup's CPU quota (rounded up); at least 1.
int available_threads();

/// Sets the count for primitives and loops run from the calling thread. `count` ≥ 1.
void set_thread_count(int count);
int thread_count();

/// The count while it lives, on the thread that made it; the count before comes back.
class ThreadCountScope {
 public:
  explicit ThreadCountScope(int count) : before_(thread_count()) { set_thread_count(count); }
  ~ThreadCountScope() { set_thread_count(before_); }
  ThreadCountScope(const ThreadCountScope&) = delete;
  ThreadCountScope& operator=(const ThreadCountScope&) = delete;

 private:
  int before_;
};

/// Calls body(begin, end) on disjoint ranges that cover [0, count), on the calling thread's share of threads; runs
/// inline where one range of at least `grain` items is all there is. `body` must not throw.
void parallel_for(std::int64_t count, std::int64_t grain, const std::function<void(std::int64_t, std::int64_t)>& body);

/// For `--version`: "oneDNN 2.6.3, OpenMP, avx512_core_amx".
std::string version();
std::string library_version();       ///< "2.6.3"
std::string_view instruction_set();  ///< what oneDNN dispatches to here: "avx2", "avx512_core_amx", …

}  // namespace glimpse::dnn
