#include "io/sidecar_sink.h"

#include <filesystem>
#include <utility>

#include "core/file.h"

namespace glimpse::io {

namespace fs = std::filesystem;

class SidecarSink::Task : public PictureTask {
 public:
  /// No file: the picture has failed already.
  Task(SidecarSink& sink, fs::path file, bool replace) : sink_(sink), file_(std::move(file)), replace_(replace) {}

  bool deliver(BatchResult& result) override {
    if (result.error() != nullptr || file_.empty()) return true;
    if (!replace_ && is_there(file_)) {  // written for another picture of this run
      if (sink_.existing_.skip) {
        ++sink_.skipped_;
        return false;
      }
      result.outcome = exists_already(file_, sink_.existing_, false, true);
      return true;
    }
    try {
      write_atomically(file_, [&](std::ostream& stream) {
        for (const Caption& caption : *result.captions()) stream << caption.text << '\n';
      });
    } catch (const Error& error) {
      result.outcome = error;
    }
    return true;
  }

 private:
  SidecarSink& sink_;
  fs::path file_;
  bool replace_;
};

std::unique_ptr<PictureTask> SidecarSink::plan(BatchInput& input) {
  const bool first = planned_ == 0;
  fs::path file;
  // The first picture without a record may have its sidecar from the run that this one goes on with.
  const bool replace = existing_.replace || (existing_.resume && first);
  if (!input.error) {
    if (input.bytes) {
      throw Error(ErrorCode::kUsage, "--sidecar has no place for " + quote(input.path) +
                                         ": nothing can stand beside a picture in an archive; take -o FILE.jsonl");
    }
    file = fs::path(input.path).replace_extension(extension_);
    if (!replace && is_there(file)) {
      if (existing_.skip) {
        ++skipped_;
        return nullptr;
      }
      const Error error = exists_already(file, existing_, first, true);
      if (error.code() == ErrorCode::kUsage) throw Error(error);
      input.error = error;
    }
  }
  ++planned_;
  return std::make_unique<Task>(*this, std::move(file), replace);
}

}  // namespace glimpse::io
