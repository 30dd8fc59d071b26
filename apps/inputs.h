/// Which pictures a command line means: files, folders, patterns, and `-` for a list on standard input. They come one
/// at a time, in the order given, so that a list that is still being written is worked on as it arrives.
#pragma once

#include <deque>
#include <optional>
#include <stop_token>
#include <string>
#include <vector>

#include "core/error.h"

namespace glimpse::apps {

/// A picture to caption, or an argument that leads to none and why.
struct Input {
  std::string path;
  std::optional<Error> error;
};

class Inputs {
 public:
  /// Throws Error(kUsage) where `-` stands twice.
  Inputs(std::vector<std::string> arguments, bool nul_separated);

  /// Nothing at the end, on Ctrl-C, and soon after `stop` is requested (which ends waiting for standard input).
  std::optional<Input> next(const std::stop_token& stop);

 private:
  /// Puts what `path` leads to into pending_; patterns count only where the shell could have expanded them.
  void expand(const std::string& path, bool patterns);
  std::optional<std::string> next_listed(const std::stop_token& stop);

  std::vector<std::string> arguments_;
  std::size_t next_argument_ = 0;
  char separator_;
  bool reading_list_ = false;
  bool list_ended_ = false;
  std::string list_buffer_;
  std::deque<Input> pending_;
};

}  // namespace glimpse::apps
