#include "cli/progress.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdio>
#include <utility>

#include "cli/terminal.h"
#include "core/numbers.h"

namespace glimpse::apps {
namespace {

/// "[######..............] "
std::string bar(std::size_t done, std::size_t total) {
  constexpr std::size_t kWidth = 20;
  const std::size_t full = total == 0 ? 0 : std::min(kWidth, kWidth * done / total);
  return "[" + std::string(full, '#') + std::string(kWidth - full, '.') + "] ";
}

}  // namespace

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

std::string progress_text(std::size_t done, std::optional<std::size_t> total, const std::string& unit, double seconds,
                          std::size_t before) {
  std::string text = std::to_string(done) + (total ? " of " + std::to_string(*total) : "") + ' ' + unit;
  if (done <= before || seconds <= 0) return text;
  const double rate = static_cast<double>(done - before) / seconds;
  text += ", " + fixed(rate, rate < 100 ? 1 : 0) + " a second";
  if (!total || *total < done) return text;
  return text + ", " + duration(static_cast<double>(*total - done) / rate) + " left";
}

Progress::Progress(std::optional<std::size_t> total, std::string unit, double plain_seconds)
    : total_(total), unit_(std::move(unit)), plain_seconds_(plain_seconds), on_terminal_(errors_on_terminal()) {}

Progress::~Progress() { clear(); }

std::string Progress::text() const {
  return progress_text(done_, total_, unit_, watch_.milliseconds() / 1000, skipped_);
}

void Progress::skip(std::size_t count) {
  done_ += count;
  skipped_ += count;
}

void Progress::advance(std::size_t count) {
  done_ += count;
  if (on_terminal_) {
    write_status((total_ ? bar(done_, *total_) : "") + text());
    shown_ = true;
  } else if (const double now = watch_.milliseconds() / 1000;
             plain_seconds_ > 0 && now - last_plain_ >= plain_seconds_) {
    report(text());
    last_plain_ = now;
  }
}

void Progress::clear() {
  if (shown_) write_status("");
  shown_ = false;
}

}  // namespace glimpse::apps
