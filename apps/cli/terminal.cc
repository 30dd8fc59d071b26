#include "cli/terminal.h"

#include <sys/ioctl.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <cstring>

#include "core/error.h"

namespace glimpse::apps {
namespace {

bool colours(int descriptor) {
  const char* no_color = std::getenv("NO_COLOR");
  if (no_color != nullptr && *no_color != '\0') return false;
  const char* term = std::getenv("TERM");
  return isatty(descriptor) != 0 && term != nullptr && std::strcmp(term, "dumb") != 0;
}

/// Writes all of `text`; false, with errno, where that fails.
bool write_all(int descriptor, std::string_view text) {
  while (!text.empty()) {
    const ssize_t written = ::write(descriptor, text.data(), text.size());
    if (written < 0 && errno == EINTR) continue;
    if (written < 0) return false;
    text.remove_prefix(static_cast<std::size_t>(written));
  }
  return true;
}

/// A message is one line, whatever names are in it; where standard error fails too there is nobody left to tell.
void write_message(std::string_view label, std::string_view message) {
  std::string line(label);
  for (const char c : message) line += static_cast<unsigned char>(c) < 0x20 || c == 0x7f ? ' ' : c;
  line += '\n';
  (void)write_all(STDERR_FILENO, line);
}

}  // namespace

void write_output(std::string_view text) {
  if (write_all(STDOUT_FILENO, text)) return;
  if (errno == EPIPE) throw ReaderGone();
  throw Error(ErrorCode::kIo, std::string("cannot write to standard output: ") + std::strerror(errno));
}

void report_error(std::string_view message) {
  write_message(colours(STDERR_FILENO) ? "glimpse: \033[1;31merror:\033[0m " : "glimpse: error: ", message);
}

void report(std::string_view message) { write_message("glimpse: ", message); }

bool errors_on_terminal() { return isatty(STDERR_FILENO) != 0; }

void write_status(std::string_view text) { (void)write_all(STDERR_FILENO, "\r" + std::string(text) + "\033[K"); }

std::string bold(std::string_view text) {
  static const bool kEnabled = colours(STDOUT_FILENO);
  return kEnabled ? "\033[1m" + std::string(text) + "\033[0m" : std::string(text);
}

int terminal_width() {
  constexpr int kDefault = 100;
  winsize size{};
  if (ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) != 0 || size.ws_col == 0) return kDefault;
  return std::clamp<int>(size.ws_col, 60, 120);
}

}  // namespace glimpse::apps
