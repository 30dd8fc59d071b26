/// Runs the real binary as a shell would: arguments, streams, environment, signals.
#pragma once

#include <sys/types.h>

#include <filesystem>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace glimpse::testing {

struct ProcessOptions {
  std::vector<std::string> arguments;  ///< after the program's name
  std::vector<std::string> wrapper;    ///< a command that runs glimpse, with its arguments; empty: none
  std::vector<std::pair<std::string, std::string>> environment;
  std::filesystem::path folder;       ///< to run in; empty: this process's own
  std::string input;                  ///< what stands on standard input
  std::filesystem::path output_file;  ///< standard output goes there instead of into the result
};

struct ProcessResult {
  int code = -1;   ///< exit code; -1 where a signal ended it
  int signal = 0;  ///< that signal
  std::string output;
  std::string errors;
};

/// A running glimpse with pipes on its three streams. It is killed where a test leaves it running.
class Process {
 public:
  explicit Process(const ProcessOptions& options);
  ~Process();
  Process(const Process&) = delete;
  Process& operator=(const Process&) = delete;

  void write(const std::string& text);
  void close_input();
  void close_output();  ///< closes the reading end, as `head -1` does
  void send(int signal);
  /// The next line of standard output with its '\n'; empty at the end.
  std::string read_line();
  /// Closes standard input, reads both streams to their ends and waits.
  ProcessResult finish();

 private:
  pid_t pid_ = -1;
  int input_ = -1;
  int output_ = -1;
  int errors_ = -1;
  std::string pending_;
};

ProcessResult run_glimpse(const ProcessOptions& options);

}  // namespace glimpse::testing
