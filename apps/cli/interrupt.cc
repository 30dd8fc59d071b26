#include "cli/interrupt.h"

#include <fcntl.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <csignal>
#include <cstring>
#include <string>
#include <thread>

#include "core/error.h"

namespace glimpse::apps {
namespace {

/// A pipe from the handler to a waiting thread: request_stop is not async-signal-safe.
std::atomic<int> alarm_pipe = -1;
static_assert(std::atomic<int>::is_always_lock_free, "a signal handler may only touch lock-free atomics");

extern "C" void ask_to_stop(int /*signal*/) {
  const int before = errno;
  (void)!::write(alarm_pipe, "", 1);
  errno = before;
}

/// Never destroyed: the thread that waits outlives main.
std::stop_source& source() {
  static auto* const kSource = new std::stop_source;
  return *kSource;
}

void wait_for_signal(int descriptor) {
  char byte = 0;
  while (::read(descriptor, &byte, 1) < 0 && errno == EINTR) {
  }
  source().request_stop();
}

}  // namespace

void catch_interrupts() {
  int ends[2] = {};
  if (::pipe2(ends, O_CLOEXEC) != 0) {
    throw Error(ErrorCode::kInternal, std::string("cannot make a pipe: ") + std::strerror(errno));
  }
  alarm_pipe = ends[1];
  std::thread(wait_for_signal, ends[0]).detach();
  for (const int signal : {SIGINT, SIGTERM}) {
    struct sigaction old {};
    if (sigaction(signal, nullptr, &old) == 0 && old.sa_handler == SIG_IGN) continue;
    struct sigaction action {};
    action.sa_handler = ask_to_stop;
    action.sa_flags = static_cast<int>(SA_RESETHAND);
    sigemptyset(&action.sa_mask);
    sigaction(signal, &action, nullptr);
  }
}

std::stop_token interrupt_token() { return source().get_token(); }

}  // namespace glimpse::apps
