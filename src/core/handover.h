/// Tells ThreadSanitizer about a happens-before edge through TBB, which is not compiled with it. Nothing in other
/// builds.
#pragma once

#ifdef __SANITIZE_THREAD__
#include <sanitizer/tsan_interface.h>
#endif

namespace glimpse {

#ifdef __SANITIZE_THREAD__
inline void hand_over(void* token) { __tsan_release(token); }
inline void take_over(void* token) { __tsan_acquire(token); }
#else
inline void hand_over(void* /*token*/) {}
inline void take_over(void* /*token*/) {}
#endif

/// Takes `token` over while it lives.
class Holding {
 public:
  explicit Holding(void* token) : token_(token) { take_over(token_); }
  ~Holding() { hand_over(token_); }
  Holding(const Holding&) = delete;
  Holding& operator=(const Holding&) = delete;

 private:
  void* token_;
};

}  // namespace glimpse
