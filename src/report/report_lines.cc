#include "report/report_lines.h"

#include <nlohmann/json.hpp>
#include <optional>

#include "core/error.h"
#include "core/json_check.h"
#include "core/text.h"

namespace glimpse {
namespace {

using Json = nlohmann::ordered_json;

constexpr std::string_view kAdd = "glimpse.add(";
constexpr std::string_view kRun = "glimpse.run(";
constexpr std::string_view kEnd = ");\n";

/// ASCII only, so that no reader can take it for another encoding; bytes that are not UTF-8 become U+FFFD.
std::string dump(const Json& json) { return json.dump(-1, ' ', true, Json::error_handler_t::replace); }

std::string to_hex(std::string_view bytes) {
  static constexpr char kDigits[] = "0123456789abcdef";
  std::string text;
  for (const char c : bytes) {
    text += kDigits[static_cast<unsigned char>(c) >> 4];
    text += kDigits[static_cast<unsigned char>(c) & 15];
  }
  return text;
}

std::string from_hex(const std::string& text) {
  std::string bytes;
  for (std::size_t i = 0; i + 1 < text.size(); i += 2) {
    bytes += static_cast<char>(std::stoi(text.substr(i, 2), nullptr, 16));
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
    check_json(*json_text, file, {.first_line = static_cast<int>(lines.size()) + 1});
    try {
      const Json json = Json::parse(*json_text);
      EntryLine line{.number = json.at("n"), .path = json.at("path"), .begin = begin, .end = end};
      if (json.contains("bytes")) line.path = from_hex(json.at("bytes"));
      lines.push_back(std::move(line));
    } catch (const std::exception&) {  // of the parser, or of a number that is none
      throw damaged(file, lines.size() + 1);
    }
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
  check_json(*json_text, file);
  try {
    const Json json = Json::parse(*json_text);
    return {json.at("title"), json.at("model"), json.at("rows"), json.at("cols"), json.at("complete")};
  } catch (const Json::exception&) {
    throw damaged(file, 1);
  }
}

}  // namespace glimpse
