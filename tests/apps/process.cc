#include "process.h"

#include <fcntl.h>
#include <poll.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <csignal>
#include <cstring>
#include <map>
#include <stdexcept>
#include <string_view>

namespace glimpse::testing {
namespace {

struct Pipe {
  Pipe() {
    std::array<int, 2> ends{};
    if (pipe2(ends.data(), O_CLOEXEC) != 0) throw std::runtime_error("pipe2 failed");
    read = ends[0];
    write = ends[1];
  }
  int read = -1;
  int write = -1;
};

void close_end(int& descriptor) {
  if (descriptor >= 0) ::close(descriptor);
  descriptor = -1;
}

/// This process's environment with `changes`; an empty value removes the variable.
std::vector<std::string> environment_with(const std::vector<std::pair<std::string, std::string>>& changes) {
  std::map<std::string, std::string> values;
  for (char** entry = environ; *entry != nullptr; ++entry) {
    const std::string_view text = *entry;
    const std::size_t equals = text.find('=');
    values[std::string(text.substr(0, equals))] = text.substr(equals + 1);
  }
  for (const auto& [name, value] : changes) {
    values.erase(name);
    if (!value.empty()) values[name] = value;
  }
  std::vector<std::string> entries;
  for (const auto& [name, value] : values) {
    entries.push_back(name);
    entries.back() += '=' + value;
  }
  return entries;
}

std::vector<char*> pointers(std::vector<std::string>& texts) {
  std::vector<char*> result;
  result.reserve(texts.size() + 1);
  for (std::string& text : texts) result.push_back(text.data());
  result.push_back(nullptr);
  return result;
}

}  // namespace

Process::Process(const ProcessOptions& options) {
  std::signal(SIGPIPE, SIG_IGN);  // a child that ends early must not end the test
  Pipe in;
  Pipe out;
  Pipe err;
  posix_spawn_file_actions_t actions;
  posix_spawn_file_actions_init(&actions);
  if (!options.folder.empty()) posix_spawn_file_actions_addchdir_np(&actions, options.folder.c_str());
  posix_spawn_file_actions_adddup2(&actions, in.read, STDIN_FILENO);
  posix_spawn_file_actions_adddup2(&actions, out.write, STDOUT_FILENO);
  posix_spawn_file_actions_adddup2(&actions, err.write, STDERR_FILENO);
  if (!options.output_file.empty()) {
    posix_spawn_file_actions_addopen(&actions, STDOUT_FILENO, options.output_file.c_str(), O_WRONLY | O_CREAT, 0644);
  }
  posix_spawnattr_t attributes;  // the child gets SIGPIPE and SIGINT as a shell gives them
  posix_spawnattr_init(&attributes);
  sigset_t defaults;
  sigemptyset(&defaults);
  for (const int signal : {SIGPIPE, SIGINT, SIGTERM}) sigaddset(&defaults, signal);
  posix_spawnattr_setsigdefault(&attributes, &defaults);
  posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETSIGDEF);

  std::vector<std::string> arguments = options.wrapper;
  arguments.emplace_back(GLIMPSE_BINARY);
  arguments.insert(arguments.end(), options.arguments.begin(), options.arguments.end());
  std::vector<std::string> environment = environment_with(options.environment);
  const int status = posix_spawnp(&pid_, arguments[0].c_str(), &actions, &attributes, pointers(arguments).data(),
                                  pointers(environment).data());
  posix_spawn_file_actions_destroy(&actions);
  posix_spawnattr_destroy(&attributes);
  close_end(in.read);
  close_end(out.write);
  close_end(err.write);
  input_ = in.write;
  output_ = out.read;
  errors_ = err.read;
  if (status != 0) throw std::runtime_error(std::string("cannot run " GLIMPSE_BINARY ": ") + std::strerror(status));
}

Process::~Process() {
  if (pid_ > 0) {
    ::kill(pid_, SIGKILL);
    ::waitpid(pid_, nullptr, 0);
  }
  close_end(input_);
  close_end(output_);
  close_end(errors_);
}

void Process::write(const std::string& text) {
  std::string_view rest = text;
  while (!rest.empty()) {
    const ssize_t count = ::write(input_, rest.data(), rest.size());
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) return;  // the child does not read on; its exit code says why
    rest.remove_prefix(static_cast<std::size_t>(count));
  }
}

void Process::close_input() { close_end(input_); }
void Process::close_output() { close_end(output_); }
void Process::send(int signal) { ::kill(pid_, signal); }

std::string Process::read_line() {
  while (true) {
    if (const std::size_t end = pending_.find('\n'); end != std::string::npos) {
      std::string line = pending_.substr(0, end + 1);
      pending_.erase(0, end + 1);
      return line;
    }
    std::array<char, 4096> chunk{};
    const ssize_t count = ::read(output_, chunk.data(), chunk.size());
    if (count < 0 && errno == EINTR) continue;
    if (count <= 0) return std::exchange(pending_, {});
    pending_.append(chunk.data(), static_cast<std::size_t>(count));
  }
}

ProcessResult Process::finish() {
  close_input();
  ProcessResult result;
  result.output = std::exchange(pending_, {});
  while (output_ >= 0 || errors_ >= 0) {
    std::array<pollfd, 2> streams = {pollfd{output_, POLLIN, 0}, pollfd{errors_, POLLIN, 0}};
    if (::poll(streams.data(), streams.size(), -1) < 0 && errno != EINTR) break;
    const auto drain = [](const pollfd& stream, int& descriptor, std::string& text) {
      if (stream.revents == 0) return;
      std::array<char, 4096> chunk{};
      const ssize_t count = ::read(descriptor, chunk.data(), chunk.size());
      if (count > 0) text.append(chunk.data(), static_cast<std::size_t>(count));
      if (count == 0) close_end(descriptor);
    };
    drain(streams[0], output_, result.output);
    drain(streams[1], errors_, result.errors);
  }
  int status = 0;
  while (::waitpid(pid_, &status, 0) < 0 && errno == EINTR) {
  }
  pid_ = -1;
  if (WIFEXITED(status)) result.code = WEXITSTATUS(status);
  if (WIFSIGNALED(status)) result.signal = WTERMSIG(status);
  return result;
}

ProcessResult run_glimpse(const ProcessOptions& options) {
  Process process(options);
  process.write(options.input);
  return process.finish();
}

}  // namespace glimpse::testing
