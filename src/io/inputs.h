/// Expands the inputs of a command line: files, folders, patterns, and `-` for a list on standard input. Pictures come
/// one at a time, in the order given, so that a growing list is processed as it arrives.
#pragma once

#include <cstddef>
#include <deque>
#include <filesystem>
#include <optional>
#include <stop_token>
#include <string>
#include <vector>

#include "core/error.h"

namespace glimpse::io {

/// A picture to caption, or an argument that leads to none and why.
struct Input {
  std::string path;
  std::optional<Error> error = {};
};

/// Which files of a folder or an archive count as pictures: by their extension, in any case; not hidden ones, and not
/// overlays that glimpse drew.
class PictureNames {
 public:
  /// Extensions without their dots; none: those of the formats that glimpse reads.
  explicit PictureNames(std::vector<std::string> extensions = {});
  bool match(const std::filesystem::path& path) const;

 private:
  std::vector<std::string> extensions_;  ///< in lower case, with their dots
};

struct InputOptions {
  bool nul_separated = false;  ///< paths on standard input end with NUL, not with a newline
  bool recursive = false;      ///< folders stand for all that is below them; links to folders are not followed there
  PictureNames names = PictureNames();
};

class Inputs {
 public:
  /// Throws Error(kUsage) where `-` stands twice.
  Inputs(std::vector<std::string> arguments, InputOptions options);

  /// Nothing at the end and soon after `stop` is requested (which ends waiting for standard input).
  std::optional<Input> next(const std::stop_token& stop);

  /// Whether `next` would wait for standard input.
  bool waits() const;

 private:
  /// Puts what `path` leads to into pending_; patterns count only where the shell could have expanded them.
  void expand(const std::string& path, bool patterns);
  void open_folder(const std::string& path);
  char separator() const { return options_.nul_separated ? '\0' : '\n'; }
  std::optional<std::string> next_listed(const std::stop_token& stop);

  std::vector<std::string> arguments_;
  std::size_t next_argument_ = 0;
  InputOptions options_;
  bool reading_list_ = false;
  bool list_ended_ = false;
  std::string list_buffer_;
  /// Pictures to give out, and folders to expand first.
  struct Pending {
    enum class Kind { kInput, kFolder, kFolderWithin, kFolderEnd };
    Input input;
    Kind kind = Kind::kInput;
  };
  std::deque<Pending> pending_;
  std::size_t found_ = 0;  ///< pictures and failures of the folder that is being looked through
};

}  // namespace glimpse::io
