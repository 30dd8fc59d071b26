/// Writes each caption's overlay to a folder.
#pragma once

#include <filesystem>
#include <memory>
#include <string>

#include "io/existing_files.h"
#include "io/overlay_files.h"
#include "overlay/overlay.h"
#include "pipeline/picture_sink.h"

namespace glimpse::io {

struct OverlaySinkOptions {
  int rows = 0;  ///< of the attention map
  int cols = 0;
  int captions = 1;  ///< of a picture, at most
  ExistingFiles existing = {};
  bool sidecars = false;  ///< the run writes sidecars, of which messages then tell
};

/// Pictures' files are named when they are listed, so that a run that goes on names them as an uninterrupted one does.
class OverlaySink : public PictureSink {
 public:
  OverlaySink(const std::filesystem::path& folder, const OverlayOptions& overlay, const OverlaySinkOptions& options)
      : names_(folder), overlay_(overlay), options_(options) {}

  bool draws() const override { return true; }
  std::unique_ptr<PictureTask> plan(BatchInput& input) override;

  /// Reserves the names of a picture that an earlier run has done.
  void pass(const std::string& path);

 private:
  class Task;

  OverlayNames names_;
  OverlayOptions overlay_;
  OverlaySinkOptions options_;
  std::size_t planned_ = 0;
};

}  // namespace glimpse::io
