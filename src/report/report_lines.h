/// The report's data files: JavaScript, since a page that is opened from disk may load scripts but no other files. Each
/// line is a call with a JSON object, which is all that is ever read back.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

namespace glimpse {

/// A line of entries.js.
struct EntryLine {
  std::size_t number = 0;
  std::string path;  ///< byte for byte as it was given
  std::size_t begin = 0;
  std::size_t end = 0;  ///< in the file, its newline included
};

/// "glimpse.add({…});" and a newline, with `summary` as the object's other members.
std::string entry_line(std::size_t number, const std::string& summary);

/// The members that say which picture an entry is about: "path":"…", and, where that is not UTF-8 and JSON cannot hold
/// it, its bytes in hexadecimal.
std::string path_members(const std::string& path);

/// All lines of entries.js but for a last one that was cut short. Throws Error(kUsage) naming `file` and the line where
/// it is damaged elsewhere.
std::vector<EntryLine> read_entry_lines(std::string_view text, const std::string& file);

/// The content of run.js.
struct RunLine {
  std::string title;
  std::string model;
  int rows = 0;
  int cols = 0;
  bool complete = false;
};

std::string to_line(const RunLine& run);
/// Throws Error(kUsage) where it is no run.js.
RunLine read_run_line(std::string_view text, const std::string& file);

}  // namespace glimpse
