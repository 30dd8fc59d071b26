#include "io/report_sink.h"

#include <optional>
#include <utility>

namespace glimpse::io {

class ReportSink::Task : public PictureTask {
 public:
  explicit Task(Report& report) : report_(report) {}

  void draw(const BatchPicture& picture, BatchResult& /*result*/) override {
    entry_ = report_.success(picture.path, picture.picture, picture.transform, picture.captions);
  }

  bool deliver(BatchResult& result) override {
    report_.add(result.error() != nullptr ? report_.failure(result.path, *result.error()) : std::move(*entry_));
    return true;
  }

 private:
  Report& report_;
  std::optional<ReportEntry> entry_;  ///< of a picture that has captions
};

std::unique_ptr<PictureTask> ReportSink::plan(BatchInput& /*input*/) { return std::make_unique<Task>(report_); }

}  // namespace glimpse::io
