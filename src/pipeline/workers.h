/// Threads that encode and search, each with a session of its own.
#pragma once

#include <condition_variable>
#include <deque>
#include <functional>
#include <future>
#include <mutex>
#include <vector>

#include "pipeline/captioner.h"

namespace glimpse {

class Workers {
 public:
  /// Throws as CaptionSession.
  Workers(const Captioner& captioner, const CaptionOptions& options, int count);

  int count() const { return static_cast<int>(sessions_.size()); }

  /// Calls `body` on a thread of its own and works until it has returned, with count() - 1 more threads. The caller
  /// works too: OpenMP keeps a team for every thread that asks for one, and the caller may have one. Throws what
  /// `body` throws.
  void work_during(const std::function<void()>& body);

  /// Has one of the threads that work do `job`, and waits for it. From threads that do not work themselves, within
  /// `body`. Throws what `job` throws.
  void run(std::function<void(CaptionSession&)> job);

 private:
  class Closing;
  void serve(CaptionSession& session);
  void close();

  std::vector<CaptionSession> sessions_;
  std::mutex mutex_;
  std::condition_variable changed_;
  std::deque<std::packaged_task<void(CaptionSession&)>> jobs_;
  bool closed_ = true;
};

}  // namespace glimpse
