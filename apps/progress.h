/// How far a long run has come, on one line of standard error that rewrites itself; nothing where that is no terminal.
#pragma once

#include <cstddef>
#include <string>

#include "stopwatch.h"

namespace glimpse::apps {

/// "320 of 1000 pictures, 18.2 a second, 37 s left"
std::string progress_text(std::size_t done, std::size_t total, const std::string& unit, double seconds);

class Progress {
 public:
  Progress(std::size_t total, std::string unit);  ///< `unit` in the plural
  ~Progress();                                    ///< leaves no trace on the terminal
  Progress(const Progress&) = delete;
  Progress& operator=(const Progress&) = delete;

  void advance(std::size_t count);
  /// Takes the line away; call before anything else is written. The next advance brings it back.
  void clear();

 private:
  std::size_t total_;
  std::string unit_;
  std::size_t done_ = 0;
  bool shown_ = false;
  bool on_terminal_;
  Stopwatch watch_;
};

}  // namespace glimpse::apps
