/// Counts of a run's pictures: done, skipped, failed by cause.
#pragma once

#include <cstddef>
#include <map>
#include <string>

#include "core/error.h"

namespace glimpse::apps {

class Tally {
 public:
  void add_done() { ++done_; }
  void add_skipped(std::size_t count) { skipped_ += count; }
  void add_failure(const Error& error);
  /// Records of an earlier run that this one goes on with.
  void add_earlier(bool failed);

  std::size_t done() const { return done_; }
  std::size_t skipped() const { return skipped_; }
  std::size_t failed() const { return failed_; }  ///< in this run
  std::size_t earlier() const { return earlier_done_ + earlier_failed_; }
  bool any_failed() const { return failed_ + earlier_failed_ > 0; }

  /// Lines for people: "487 done (120 before), 12 skipped, 13 failed in 41 s, 11.9 a second", then a line a cause with
  /// its first picture.
  std::string summary(double seconds) const;

 private:
  struct Cause {
    std::size_t count = 0;
    std::string first;  ///< message
  };

  std::size_t done_ = 0;
  std::size_t skipped_ = 0;
  std::size_t failed_ = 0;
  std::size_t earlier_done_ = 0;
  std::size_t earlier_failed_ = 0;
  std::map<ErrorCode, Cause> causes_;
};

}  // namespace glimpse::apps
