#include "cli/tally.h"

#include <string_view>

#include "core/numbers.h"

namespace glimpse::apps {
namespace {

/// The cause in words, to stand after a count.
std::string_view in_words(ErrorCode code) {
  switch (code) {
    case ErrorCode::kMissing:
      return "do not exist";
    case ErrorCode::kPermission:
      return "may not be read or written";
    case ErrorCode::kIo:
      return "could not be read or written";
    case ErrorCode::kDecode:
      return "cannot be decoded";
    case ErrorCode::kTooLarge:
      return "are too large";
    default:
      return "met a defect of glimpse";
  }
}

}  // namespace

void Tally::add_failure(const Error& error) {
  ++failed_;
  Cause& cause = causes_[error.code()];
  if (cause.count++ == 0) cause.first = error.what();
}

void Tally::add_earlier(bool failed) { ++(failed ? earlier_failed_ : earlier_done_); }

std::string Tally::summary(double seconds) const {
  const auto count = [](const char* what, std::size_t now, std::size_t before) {
    return (before == 0 ? std::to_string(now)
                        : std::to_string(now + before) + " (" + std::to_string(before) + " before)") +
           " " + what;
  };
  std::string text = count("done", done_, earlier_done_);
  if (skipped_ > 0) text += ", " + std::to_string(skipped_) + " skipped";
  if (any_failed()) text += ", " + count("failed", failed_, earlier_failed_);
  const double rate = static_cast<double>(done_ + failed_) / seconds;
  text += " in " + fixed(seconds, 1) + " s, " + fixed(rate, 1) + " a second\n";
  for (const auto& [code, cause] : causes_) {
    text +=
        "  " + std::to_string(cause.count) + " " + std::string(in_words(code)) + ", the first: " + cause.first + "\n";
  }
  return text;
}

}  // namespace glimpse::apps
