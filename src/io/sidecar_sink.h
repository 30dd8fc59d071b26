/// A text file beside each picture, with its captions.
#pragma once

#include <atomic>
#include <cstddef>
#include <memory>
#include <string>

#include "io/existing_files.h"
#include "pipeline/picture_sink.h"

namespace glimpse::io {

/// photo.jpg has photo.txt. Stands before sinks that say what became of a picture: a sidecar that cannot be written is
/// the picture's failure. Planning throws Error(kUsage) where the first picture's file is there already and is in the
/// way, and for a picture in an archive, beside which nothing can stand.
class SidecarSink : public PictureSink {
 public:
  /// `extension` with its dot.
  SidecarSink(std::string extension, const ExistingFiles& existing)
      : extension_(std::move(extension)), existing_(existing) {}

  std::unique_ptr<PictureTask> plan(BatchInput& input) override;

  /// Pictures left out since the last call, because they have a sidecar. From any thread.
  std::size_t take_skipped() { return skipped_.exchange(0); }

 private:
  class Task;

  std::string extension_;
  ExistingFiles existing_;
  std::size_t planned_ = 0;
  std::atomic<std::size_t> skipped_ = 0;
};

}  // namespace glimpse::io
