#include "pipeline/workers.h"

#include <thread>
#include <utility>

namespace glimpse {

Workers::Workers(const Captioner& captioner, const CaptionOptions& options, int count) {
  for (int i = 0; i < count; ++i) sessions_.emplace_back(captioner, options);
}

/// Lets the threads go when it ends.
class Workers::Closing {
 public:
  explicit Closing(Workers& workers) : workers_(workers) {}
  ~Closing() { workers_.close(); }
  Closing(const Closing&) = delete;
  Closing& operator=(const Closing&) = delete;

 private:
  Workers& workers_;
};

void Workers::close() {
  {
    const std::lock_guard lock(mutex_);
    closed_ = true;
  }
  changed_.notify_all();
}

void Workers::serve(CaptionSession& session) {
  std::unique_lock lock(mutex_);
  while (true) {
    changed_.wait(lock, [this] { return closed_ || !jobs_.empty(); });
    if (jobs_.empty()) return;
    std::packaged_task<void(CaptionSession&)> job = std::move(jobs_.front());
    jobs_.pop_front();
    lock.unlock();
    job(session);
    lock.lock();
  }
}

void Workers::work_during(const std::function<void()>& body) {
  closed_ = false;
  std::vector<std::jthread> others;
  const Closing on_failure(*this);  // lets the others go before they are waited for
  for (std::size_t i = 1; i < sessions_.size(); ++i) others.emplace_back([this, i] { serve(sessions_[i]); });
  std::future<void> done = std::async(std::launch::async, [&] {
    const Closing at_the_end(*this);
    body();
  });
  serve(sessions_.front());
  done.get();
}

void Workers::run(std::function<void(CaptionSession&)> job) {
  std::packaged_task<void(CaptionSession&)> task(std::move(job));
  std::future<void> done = task.get_future();
  {
    const std::lock_guard lock(mutex_);
    jobs_.push_back(std::move(task));
  }
  changed_.notify_one();
  done.get();
}

}  // namespace glimpse
