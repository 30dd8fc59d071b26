#include "progress.h"

#include <array>
#include <cmath>
#include <cstdio>
#include <utility>

#include "terminal.h"

namespace glimpse::apps {
namespace {

/// "37 s", "12 min", "3 h 05 min"
std::string duration(double seconds) {
  std::array<char, 64> text{};
  const auto minutes = static_cast<long>(std::ceil(seconds / 60));
  if (seconds < 100) {
    std::snprintf(text.data(), text.size(), "%.0f s", std::ceil(seconds));
  } else if (minutes < 100) {
    std::snprintf(text.data(), text.size(), "%ld min", minutes);
  } else {
    std::snprintf(text.data(), text.size(), "%ld h %02ld min", minutes / 60, minutes % 60);
  }
  return text.data();
}

}  // namespace

std::string progress_text(std::size_t done, std::size_t total, const std::string& unit, double seconds) {
  std::string text = std::to_string(done) + " of " + std::to_string(total) + ' ' + unit;
  if (done == 0 || seconds <= 0) return text;
  const double rate = static_cast<double>(done) / seconds;
  std::array<char, 64> shown{};
  std::snprintf(shown.data(), shown.size(), rate < 100 ? "%.1f" : "%.0f", rate);
  return text + ", " + shown.data() + " a second, " + duration(static_cast<double>(total - done) / rate) + " left";
}

Progress::Progress(std::size_t total, std::string unit)
    : total_(total), unit_(std::move(unit)), on_terminal_(errors_on_terminal()) {}

Progress::~Progress() { clear(); }

void Progress::advance(std::size_t count) {
  done_ += count;
  if (!on_terminal_) return;
  write_status(progress_text(done_, total_, unit_, watch_.milliseconds() / 1000));
  shown_ = true;
}

void Progress::clear() {
  if (shown_) write_status("");
  shown_ = false;
}

}  // namespace glimpse::apps
