#include "dnn/plan/tuning_cache.h"

#include <charconv>
#include <cmath>
#include <string_view>
#include <system_error>
#include <utility>

#include "core/error.h"
#include "core/file.h"
#include "core/text.h"

namespace glimpse::dnn {
namespace {

constexpr std::string_view kHeader = "glimpse tuning 2";
constexpr std::string_view kSeparator = " | ";
/// Room for some 10,000 problems; a larger file is started anew.
constexpr std::size_t kMaxBytes = std::size_t{1} << 20;

/// Empty unless `text` is three times; only the first is required.
std::optional<VariantTimes> parse_times(std::string_view text) {
  const std::vector<std::string_view> words = split_words(text);
  VariantTimes times;
  if (words.size() != times.size()) return std::nullopt;
  for (std::size_t i = 0; i < words.size(); ++i) {
    if (words[i] == "-") continue;
    double seconds = 0;
    const char* end = words[i].data() + words[i].size();
    const auto [stop, error] = std::from_chars(words[i].data(), end, seconds);
    if (error != std::errc() || stop != end || !std::isfinite(seconds) || seconds <= 0) return std::nullopt;
    times[i] = seconds;
  }
  if (!times[0]) return std::nullopt;
  return times;
}

std::string format_times(const VariantTimes& times) {
  std::string text;
  for (const std::optional<double>& seconds : times) {
    if (!text.empty()) text += ' ';
    text += seconds ? std::to_string(*seconds) : "-";
  }
  return text;
}

}  // namespace

TuningCache::TuningCache(std::filesystem::path path) : path_(std::move(path)) {
  if (!path_.empty()) entries_ = read(path_);
}

TuningCache::Entries TuningCache::read(const std::filesystem::path& path) {
  Entries entries;
  std::string text;
  try {
    text = read_file(path, kMaxBytes);
  } catch (const Error&) {
    return entries;
  }
  const std::vector<std::string_view> lines = split_lines(text);
  if (lines.empty() || lines[0] != kHeader) return entries;
  for (const std::string_view line : lines) {
    const std::size_t separator = line.find(kSeparator);
    if (separator == std::string_view::npos) continue;
    if (const auto times = parse_times(line.substr(separator + kSeparator.size()))) {
      entries.insert_or_assign(std::string(line.substr(0, separator)), *times);
    }
  }
  return entries;
}

const VariantTimes* TuningCache::find(const std::string& key) const {
  const auto found = entries_.find(key);
  return found == entries_.end() ? nullptr : &found->second;
}

void TuningCache::insert(const std::string& key, const VariantTimes& times, bool keep) {
  entries_.insert_or_assign(key, times);
  if (keep) fresh_.insert_or_assign(key, times);
}

void TuningCache::save() {
  if (path_.empty() || fresh_.empty()) return;
  Entries all = read(path_);
  for (const auto& [key, times] : fresh_) all.insert_or_assign(key, times);
  fresh_.clear();
  std::error_code ignored;
  if (path_.has_parent_path()) std::filesystem::create_directories(path_.parent_path(), ignored);
  try {
    write_atomically(path_, [&](std::ostream& out) {
      out << kHeader << '\n';
      for (const auto& [key, times] : all) out << key << kSeparator << format_times(times) << '\n';
    });
  } catch (const Error&) {
    // Failing to write is silent: the next process measures again.
    return;
  }
}

}  // namespace glimpse::dnn
