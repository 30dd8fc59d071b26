#include "report/report.h"

#include <algorithm>
#include <array>
#include <cstdio>
#include <system_error>
#include <utility>
#include <vector>

#include "core/file.h"
#include "core/text.h"
#include "report/report_assets.h"
#include "report/report_entry.h"
#include "report/report_lines.h"

namespace glimpse {
namespace {

namespace fs = std::filesystem;

constexpr const char* kPage = "index.html";
constexpr const char* kData = "glimpse";
constexpr const char* kRun = "run.js";
constexpr const char* kEntries = "entries.js";
constexpr std::size_t kMaxBytes = std::size_t{4} << 30;  // of a file that is read back

Error cannot_write(const fs::path& path, const std::error_code& error) {
  const bool denied = error == std::errc::permission_denied || error == std::errc::read_only_file_system;
  return Error(denied ? ErrorCode::kPermission : ErrorCode::kIo,
               "cannot write " + quote(path.native()) + ": " + error.message());
}

void make_folder(const fs::path& folder) {
  std::error_code error;
  fs::create_directories(folder, error);
  std::error_code ignored;
  if (fs::is_directory(folder, ignored)) return;
  throw cannot_write(folder, error ? error : std::make_error_code(std::errc::not_a_directory));
}

void write_text(const fs::path& path, std::string_view text) {
  write_atomically(path, [&](std::ostream& stream) { stream << text; });
}

/// Not flushed to disk: flushing three files a picture would take longer than captioning it.
void write_quickly(const fs::path& path, std::string_view bytes) {
  std::ofstream stream(path, std::ios::binary | std::ios::trunc);
  stream << bytes;
  stream.close();
  if (!stream) throw Error(ErrorCode::kIo, "cannot write " + quote(path.native()) + "; is the disk full?");
}

/// pictures/008/090, to which endings are added.
fs::path stem_of(const fs::path& folder, std::size_t number) {
  constexpr std::size_t kPerFolder = 1000;
  std::array<char, 64> name{};
  std::snprintf(name.data(), name.size(), "%03zu/%03zu", number / kPerFolder, number % kPerFolder);
  return folder / kData / "pictures" / name.data();
}

}  // namespace

bool Report::exists(const fs::path& folder) {
  std::error_code ignored;
  return fs::is_regular_file(folder / kData / kEntries, ignored);
}

Report::Report(fs::path folder, ReportOptions options, Start start)
    : folder_(std::move(folder)), options_(std::move(options)) {
  std::error_code error;
  if (exists(folder_)) {
    if (start == Start::kNew) {
      fs::remove(folder_ / kPage, error);
      fs::remove_all(folder_ / kData, error);
      if (error) throw cannot_write(folder_ / kData, error);
    }
  } else if (fs::exists(folder_ / kPage, error)) {
    throw Error(ErrorCode::kUsage,
                "there is an index.html in " + quote(folder_.native()) + " that is no report; choose another folder");
  }
  make_folder(folder_ / kData);
  if (exists(folder_)) read_entries();
  open_entries();
  write_run(false);
  for (const ReportAsset& asset : report_assets()) {
    if (asset.name != kPage) write_text(folder_ / kData / asset.name, asset.text);
  }
  for (const ReportAsset& asset : report_assets()) {
    if (asset.name == kPage) write_text(folder_ / kPage, asset.text);
  }
}

void Report::read_entries() {
  const fs::path run_file = folder_ / kData / kRun;
  std::error_code error;
  if (fs::exists(run_file, error)) {
    const RunLine run = read_run_line(read_file(run_file, kMaxBytes), run_file.native());
    if (run.model != to_valid_utf8(options_.model) || run.rows != options_.rows || run.cols != options_.cols) {
      throw Error(ErrorCode::kUsage, "the report in " + quote(folder_.native()) + " was made with the model " +
                                         quote(run.model) + ", not " + quote(options_.model) +
                                         ", and cannot be continued with it; begin it anew");
    }
  }
  const fs::path file = folder_ / kData / kEntries;
  for (const EntryLine& line : read_entry_lines(read_file(file, kMaxBytes), file.native())) {
    const auto [place, is_new] = numbers_.emplace(line.path, line.number);
    if (is_new ? line.number + 1 != numbers_.size() : line.number != place->second) {
      throw Error(ErrorCode::kUsage, quote(file.native()) + ": the pictures' numbers are in disorder; begin it anew");
    }
    replaced_ = replaced_ || !is_new;
    bytes_ = line.end;
  }
  fs::resize_file(file, bytes_, error);
  if (error) throw cannot_write(file, error);
}

void Report::open_entries() {
  const fs::path file = folder_ / kData / kEntries;
  entries_.close();
  entries_.clear();
  entries_.open(file, std::ios::binary | std::ios::app);
  if (!entries_) throw Error(ErrorCode::kIo, "cannot write " + quote(file.native()));
}

void Report::write_run(bool complete) const {
  write_text(folder_ / kData / kRun, to_line({options_.title, options_.model, options_.rows, options_.cols, complete}));
}

ReportEntry Report::success(const std::string& path, const Image& picture, const ViewTransform& transform,
                            std::span<const Caption> captions) const {
  if (captions.empty()) throw Error(ErrorCode::kInternal, "a picture without captions, for the report");
  ReportEntry entry;
  entry.path_ = path;
  entry.details_ = report_details(transform, captions, options_.rows, options_.cols);
  ReportPictures pictures = report_pictures(picture);
  entry.picture_ = std::move(pictures.picture);
  entry.thumb_ = std::move(pictures.thumb);
  entry.summary_ = path_members(path) + ',' + report_summary(transform, captions.front(), !entry.thumb_.empty());
  return entry;
}

ReportEntry Report::failure(const std::string& path, const Error& error) const {
  ReportEntry entry;
  entry.path_ = path;
  entry.summary_ = path_members(path) + ',' + report_summary(error);
  return entry;
}

void Report::add(ReportEntry entry) {
  const auto earlier = numbers_.find(entry.path_);
  const bool is_new = earlier == numbers_.end();
  const std::size_t number = is_new ? numbers_.size() : earlier->second;
  const fs::path stem = stem_of(folder_, number);
  const auto file = [&](const char* ending) { return fs::path(stem).concat(ending); };
  const std::string call = "glimpse.picture(" + std::to_string(number) + ',' + entry.details_ + ");\n";
  const std::array<std::pair<fs::path, std::string_view>, 3> files = {{
      {file(".js"), entry.details_.empty() ? std::string_view() : call},
      {file(".jpg"), entry.picture_},
      {file(".thumb.jpg"), entry.thumb_},
  }};
  make_folder(stem.parent_path());
  for (const auto& [path, bytes] : files) {
    std::error_code ignored;
    if (!bytes.empty()) {
      write_quickly(path, bytes);
    } else {
      fs::remove(path, ignored);  // what a replaced entry had, or one that was cut short
    }
  }
  // The line is written last, so that every listed picture is complete.
  const std::string line = entry_line(number, entry.summary_);
  entries_ << line << std::flush;
  if (!entries_) {
    std::error_code ignored;
    fs::resize_file(folder_ / kData / kEntries, bytes_, ignored);
    throw Error(ErrorCode::kIo, "cannot write " + quote((folder_ / kData / kEntries).native()) + "; is the disk full?");
  }
  bytes_ += line.size();
  numbers_.emplace(std::move(entry.path_), number);
  replaced_ = replaced_ || !is_new;
}

void Report::finish() {
  if (replaced_) {
    const fs::path file = folder_ / kData / kEntries;
    const std::string text = read_file(file, kMaxBytes);
    std::vector<std::string_view> last(numbers_.size());
    for (const EntryLine& line : read_entry_lines(text, file.native())) {
      last.at(line.number) = std::string_view(text).substr(line.begin, line.end - line.begin);
    }
    bytes_ = 0;
    write_atomically(file, [&](std::ostream& stream) {
      for (const std::string_view line : last) {
        stream << line;
        bytes_ += line.size();
      }
    });
    open_entries();
    replaced_ = false;
  }
  write_run(true);
}

}  // namespace glimpse
