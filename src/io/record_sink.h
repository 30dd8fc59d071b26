/// Writes one record a picture, in the order of the list.
#pragma once

#include <cstddef>
#include <filesystem>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <unordered_map>

#include "io/record_file.h"
#include "io/records.h"
#include "pipeline/picture_sink.h"

namespace glimpse::io {

/// Formats delivered results; `write` stores the lines.
class RecordSink : public DeliverySink {
 public:
  explicit RecordSink(std::unique_ptr<RecordFormat> format) : format_(std::move(format)) {}

  /// Writes what stands before the first record, unless something was written already. Called before the first record
  /// and by `finish`.
  void begin();
  void finish() override { begin(); }

 protected:
  void deliver(BatchResult& result) override;
  virtual void write(std::string_view lines) = 0;
  /// A failure that has no place among the records of this format.
  virtual void unrecorded(const Error& /*error*/) {}

  bool begun_ = false;

 private:
  std::unique_ptr<RecordFormat> format_;
};

/// Records in a file, resumable. Put it after sinks that write files of their own, so that a record means that
/// everything else is written too.
class RecordFileSink : public RecordSink {
 public:
  /// Called for each record of the run that is resumed.
  using Earlier = std::function<void(const EarlierRecord& record)>;

  /// Opens `path`. Throws as RecordFile; Error(kUsage) also for a file with captions of another model.
  RecordFileSink(const std::filesystem::path& path, RecordFile::Start start, Format format, const RecordLayout& layout,
                 const Earlier& earlier = nullptr);

  /// Whether an earlier run has a record of the picture: a path that the list has twice has two. Asked once for every
  /// picture of the list.
  bool was_done(const std::string& path);

  void finish() override;

 protected:
  void write(std::string_view lines) override { file_.append(lines); }

 private:
  std::unordered_map<std::string, std::size_t> done_;  ///< records of each path, as it stands in JSON
  RecordFile file_;
};

}  // namespace glimpse::io
