/// Writes a run's HTML report.
#pragma once

#include <memory>

#include "pipeline/picture_sink.h"
#include "report/report.h"

namespace glimpse::io {

class ReportSink : public PictureSink {
 public:
  /// Throws as Report.
  ReportSink(const std::filesystem::path& folder, const ReportOptions& options, Report::Start start)
      : report_(folder, options, start) {}

  bool draws() const override { return true; }
  std::unique_ptr<PictureTask> plan(BatchInput& input) override;
  void finish() override { report_.finish(); }

 private:
  class Task;

  Report report_;
};

}  // namespace glimpse::io
