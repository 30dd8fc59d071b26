#include "train/run/journal.h"

#include <algorithm>
#include <optional>
#include <string_view>
#include <system_error>
#include <utility>

#include "core/error.h"
#include "core/file.h"
#include "core/json.h"

namespace glimpse::train {
namespace {

constexpr std::size_t kMaxBytes = std::size_t{1} << 30;

/// A line of the file and where it ends there, its newline included.
struct Line {
  JournalEntry entry;
  std::size_t end = 0;
};

std::optional<Measures> read_measures(const Json& json) {
  Measures measures;
  for (const auto& [name, value] : json.members()) {
    if (value.is_null()) continue;
    const auto number = value.get<double>();
    if (!number) return std::nullopt;
    measures.emplace_back(name, *number);
  }
  return json.is_object() ? std::optional(measures) : std::nullopt;
}

JournalEntry parse_line(std::string_view text, const std::string& file, int number) {
  const Json json = parse_json(text, file, {.first_line = number});
  const auto stage = json.at("stage").get<std::string>();
  const auto epoch = json.at("epoch").get<int>();
  const auto step = json.at("step").get<std::int64_t>();
  const bool is_validation = json.find("validation") != nullptr;
  std::optional<Measures> values = read_measures(json.at(is_validation ? "validation" : "loss"));
  if (!stage || !epoch || !step || !values) {
    throw Error(ErrorCode::kUsage, quote(file) + " line " + std::to_string(number) +
                                       " is no line of a journal: it has no stage, epoch, step and loss or validation");
  }
  return {*stage, *epoch, *step, is_validation, *std::move(values)};
}

std::vector<Line> read_lines(const std::filesystem::path& path) {
  const std::string text = read_file(path, kMaxBytes);
  std::vector<Line> lines;
  std::size_t begin = 0;
  // A process killed while writing leaves a truncated last line.
  for (std::size_t end = 0; (end = text.find('\n', begin)) != std::string::npos; begin = end + 1) {
    const std::string_view line = std::string_view(text).substr(begin, end - begin);
    lines.push_back({parse_line(line, path.native(), static_cast<int>(lines.size()) + 1), end + 1});
  }
  return lines;
}

/// The size of the journal up to and including step `step` of `stage`.
std::size_t bytes_until(const std::vector<Line>& lines, const std::string& stage, std::int64_t step) {
  std::size_t before_stage = lines.empty() ? 0 : lines.back().end;
  std::size_t after_step = 0;
  for (std::size_t i = 0; i < lines.size(); ++i) {
    if (lines[i].entry.stage != stage) continue;
    const std::size_t begin = i == 0 ? 0 : lines[i - 1].end;
    before_stage = std::min(before_stage, begin);
    if (lines[i].entry.step <= step) after_step = lines[i].end;
  }
  return after_step != 0 ? after_step : before_stage;
}

Json to_json(const Measures& measures) {
  Json json = Json::object();
  for (const auto& [name, value] : measures) json[name] = value;  // JSON has no NaN: the writer makes it null
  return json;
}

}  // namespace

Journal::Journal(std::filesystem::path path, const std::string& stage, std::int64_t step) : path_(std::move(path)) {
  std::error_code error;
  if (std::filesystem::is_regular_file(path_, error)) {
    const std::size_t kept = stage.empty() ? 0 : bytes_until(read_lines(path_), stage, step);
    std::filesystem::resize_file(path_, kept, error);
    if (error) {
      throw Error(ErrorCode::kPermission, "cannot write " + quote(path_.native()) + ": " + error.message());
    }
  }
  stream_.open(path_, std::ios::binary | std::ios::app);
  if (!stream_) throw Error(ErrorCode::kIo, "cannot write " + quote(path_.native()) + "; does its folder exist?");
}

void Journal::write(const StepRecord& record) {
  write_line(Json{{"stage", record.stage},
                  {"epoch", record.epoch},
                  {"step", record.step},
                  {"loss", to_json(record.losses)},
                  {"learning_rate", record.learning_rate},
                  {"pictures_per_second", record.pictures_per_second}}
                 .dump());
}

void Journal::write(const Validation& validation) {
  write_line(Json{{"stage", std::string(validation.stage)},
                  {"epoch", validation.epoch},
                  {"step", validation.step},
                  {"validation", to_json(validation.scores)},
                  {"best", validation.best}}
                 .dump());
}

void Journal::write_line(const std::string& line) {
  stream_ << line << '\n' << std::flush;
  if (!stream_) throw Error(ErrorCode::kIo, "cannot write " + quote(path_.native()) + "; is the disk full?");
}

std::vector<JournalEntry> read_journal(const std::filesystem::path& path) {
  std::vector<JournalEntry> entries;
  for (Line& line : read_lines(path)) entries.push_back(std::move(line.entry));
  return entries;
}

}  // namespace glimpse::train
