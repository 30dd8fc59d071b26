/// The sinks of a batch.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "cli/tally.h"
#include "commands/batch_options.h"
#include "io/coco_file.h"
#include "io/overlay_sink.h"
#include "io/record_sink.h"
#include "io/report_sink.h"
#include "io/sidecar_sink.h"

namespace glimpse::apps {

class BatchOutputs {
 public:
  /// Opens what the command asks for, and reads what an earlier run left where it is to be gone on with. Throws Error:
  /// kUsage for files that exist already and may not be replaced, kPermission, kIo.
  BatchOutputs(const BatchCommand& command, const ModelConfig& config, Tally& tally);

  /// In the order in which pictures come to them.
  std::vector<PictureSink*> sinks();

  /// Whether an earlier run has done the picture, and names its files as if it was done now. Asked once for every
  /// picture of the list.
  bool was_done(const std::string& path);

  /// Pictures left out since the last call, from any thread.
  std::size_t take_skipped() { return sidecars_ ? sidecars_->take_skipped() : 0; }

 private:
  std::optional<io::SidecarSink> sidecars_;
  std::optional<io::OverlaySink> overlays_;
  std::optional<io::CocoFile> coco_;
  std::optional<io::RecordFileSink> records_;
  std::optional<io::ReportSink> report_;
};

}  // namespace glimpse::apps
