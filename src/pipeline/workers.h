/// Worker threads that encode and search, one session each.
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

  /// Runs `job` on a worker and waits for it. Call it within `body`, from threads that are not workers. Throws what
  /// `job` throws.
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
