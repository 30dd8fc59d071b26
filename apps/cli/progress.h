/// Progress of a long run: on a terminal, one rewritten line of standard error with a bar; elsewhere, if wanted, a
/// plain line now and then.
#pragma once

#include <cstddef>
#include <optional>
#include <string>

#include "cli/stopwatch.h"

namespace glimpse::apps {

/// "37 s", "12 min", "3 h 05 min"
std::string duration(double seconds);

/// "320 of 1000 pictures, 18.2 a second, 37 s left"; without a total "320 pictures, 18.2 a second". `before` of those
/// done were done before the `seconds` began.
std::string progress_text(std::size_t done, std::optional<std::size_t> total, const std::string& unit, double seconds,
                          std::size_t before = 0);

class Progress {
 public:
  /// `unit` in the plural; `plain_seconds`: between lines where standard error is no terminal, 0: none there.
  Progress(std::optional<std::size_t> total, std::string unit, double plain_seconds = 0);
  ~Progress();  ///< leaves no trace on the terminal
  Progress(const Progress&) = delete;
  Progress& operator=(const Progress&) = delete;

  void set_total(std::size_t total) { total_ = total; }
  /// Counts skipped pictures, which do not enter the rate.
  void skip(std::size_t count);
  void advance(std::size_t count);
  /// Clears the line; call before writing anything else. The next advance shows it again.
  void clear();

 private:
  std::string text() const;

  std::optional<std::size_t> total_;
  std::string unit_;
  double plain_seconds_;
  double last_plain_ = 0;
  std::size_t done_ = 0;
  std::size_t skipped_ = 0;  ///< of those done
  bool shown_ = false;
  bool on_terminal_;
  Stopwatch watch_;
};

}  // namespace glimpse::apps
