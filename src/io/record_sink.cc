#include "io/record_sink.h"

#include <optional>
#include <utility>

namespace glimpse::io {

void RecordSink::begin() {
  if (begun_) return;
  begun_ = true;
  if (const std::string header = format_->header(); !header.empty()) write(header);
}

void RecordSink::deliver(BatchResult& result) {
  begin();
  if (const Error* error = result.error()) {
    if (const std::optional<std::string> line = format_->failure(result.path, *error)) {
      write(*line);
    } else {
      unrecorded(*error);
    }
    return;
  }
  Record record;
  record.path = result.path;
  record.width = result.width;
  record.height = result.height;
  record.captions = *result.captions();
  record.overlays = result.files;
  record.milliseconds = 1000 * result.seconds;
  write(format_->success(record));
}

RecordFileSink::RecordFileSink(const std::filesystem::path& path, RecordFile::Start start, Format format,
                               const RecordLayout& layout, const Earlier& earlier)
    : RecordSink(make_record_format(format, layout)),
      file_(path, start, [&](std::string_view line, std::size_t /*number*/) {
        const std::optional<EarlierRecord> record = parse_record(line);
        if (!record) return false;
        if (!record->failed && record->model != layout.model) {
          throw Error(ErrorCode::kUsage, "cannot go on with " + quote(path.native()) +
                                             ": its captions are those of the model " + quote(record->model) +
                                             ", not of " + quote(layout.model));
        }
        ++done_[record->path];
        if (earlier) earlier(*record);
        return true;
      }) {
  begun_ = !file_.empty();
}

bool RecordFileSink::was_done(const std::string& path) {
  if (done_.empty()) return false;
  const auto found = done_.find(record_path(path));
  if (found == done_.end()) return false;
  if (--found->second == 0) done_.erase(found);
  return true;
}

void RecordFileSink::finish() {
  RecordSink::finish();
  file_.finish();
}

}  // namespace glimpse::io
