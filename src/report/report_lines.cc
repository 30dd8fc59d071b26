#include "report/report_lines.h"

#include <charconv>
#include <optional>

#include "core/error.h"
#include "core/json.h"
#include "core/text.h"

namespace glimpse {
namespace {

constexpr std::string_view kAdd = "glimpse.add(";
constexpr std::string_view kRun = "glimpse.run(";
constexpr std::string_view kEnd = ");\n";

std::string dump(const Json& json) { return json.dump({.ascii = true, .lenient = true}); }

std::string to_hex(std::string_view bytes) {
  static constexpr char kDigits[] = "0123456789abcdef";
  std::string text;
  for (const char c : bytes) {
    text += kDigits[static_cast<unsigned char>(c) >> 4];
    text += kDigits[static_cast<unsigned char>(c) & 15];
  }
  return text;
}

std::optional<std::string> from_hex(std::string_view text) {
  std::string bytes;
  for (std::size_t i = 0; i + 1 < text.size(); i += 2) {
    const char* end = text.data() + i + 2;
    unsigned char byte = 0;
    if (std::from_chars(end - 2, end, byte, 16).ptr != end) return std::nullopt;
    bytes += static_cast<char>(byte);
  }
  return bytes;
}

Error damaged(const std::string& file, std::size_t line) {
  return Error(ErrorCode::kUsage, quote(file) + ", line " + std::to_string(line) +
                                      ": damaged; this report cannot be continued, begin it anew");
}

/// The JSON inside `call`…); or nothing.
std::optional<std::string_view> argument(std::string_view line, std::string_view call) {
  if (!line.starts_with(call) || !line.ends_with(kEnd)) return {};
  return line.substr(call.size(), line.size() - call.size() - kEnd.size());
}

}  // namespace

std::string entry_line(std::size_t number, const std::string& summary) {
  return std::string(kAdd) + "{\"n\":" + std::to_string(number) + ',' + summary + '}' + std::string(kEnd);
}

std::string path_members(const std::string& path) {
  std::string members = "\"path\":" + dump(path);
  if (to_valid_utf8(path) != path) members += ",\"bytes\":\"" + to_hex(path) + '"';
  return members;
}

std::vector<EntryLine> read_entry_lines(std::string_view text, const std::string& file) {
  std::vector<EntryLine> lines;
  std::size_t begin = 0;
  for (std::size_t end = 0; (end = text.find('\n', begin)) != std::string_view::npos; begin = end) {
    ++end;
    const auto json_text = argument(text.substr(begin, end - begin), kAdd);
    if (!json_text) throw damaged(file, lines.size() + 1);
    const Json json = parse_json(*json_text, file, {.first_line = static_cast<int>(lines.size()) + 1});
    const auto number = json.at("n").get<std::uint64_t>();
    std::optional<std::string> path = json.at("path").get<std::string>();
    if (path && json.find("bytes") != nullptr) {
      const auto hex = json.at("bytes").get<std::string>();
      path = hex ? from_hex(*hex) : std::nullopt;
    }
    if (!number || !path) throw damaged(file, lines.size() + 1);
    lines.push_back({.number = *number, .path = *std::move(path), .begin = begin, .end = end});
  }
  return lines;
}

std::string to_line(const RunLine& run) {
  return std::string(kRun) +
         dump({{"title", run.title},
               {"model", run.model},
               {"rows", run.rows},
               {"cols", run.cols},
               {"complete", run.complete}}) +
         std::string(kEnd);
}

RunLine read_run_line(std::string_view text, const std::string& file) {
  const auto json_text = argument(text, kRun);
  if (!json_text) throw damaged(file, 1);
  const Json json = parse_json(*json_text, file);
  const auto title = json.at("title").get<std::string>();
  const auto model = json.at("model").get<std::string>();
  const auto rows = json.at("rows").get<int>();
  const auto cols = json.at("cols").get<int>();
  const auto complete = json.at("complete").get<bool>();
  if (!title || !model || !rows || !cols || !complete) throw damaged(file, 1);
  return {*title, *model, *rows, *cols, *complete};
}

}  // namespace glimpse
