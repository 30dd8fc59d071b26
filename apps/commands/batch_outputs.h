/// Everything that a batch writes, for one picture after the other.
#pragma once

#include <any>
#include <atomic>
#include <memory>
#include <optional>
#include <string>
#include <unordered_map>
#include <vector>

#include "cli/tally.h"
#include "commands/batch_options.h"
#include "io/coco_file.h"
#include "io/overlay_files.h"
#include "io/record_file.h"
#include "io/records.h"
#include "pipeline/batch_runner.h"
#include "report/report.h"

namespace glimpse::apps {

/// What is decided about a picture when it is listed.
struct BatchNote {
  std::vector<std::filesystem::path> overlays;  ///< what the names of its captions' overlays begin with
  std::filesystem::path sidecar;                ///< empty: none
  bool replace_sidecar = false;
  bool first = false;  ///< of the run
};

class BatchOutputs {
 public:
  /// Opens what the command asks for, and reads what an earlier run left where it is to be gone on with. Throws Error:
  /// kUsage for files that exist already and may not be replaced, kPermission, kIo.
  BatchOutputs(const BatchCommand& command, const ModelConfig& config, Tally& tally);

  /// Decides about the next picture of the list. False: it has been done before, or is to be left out. Throws
  /// Error(kUsage) where the first picture's files are there already and may not be replaced; later ones' are an error
  /// of theirs. From one thread.
  bool plan(BatchInput& input);
  /// Pictures left out since the last call, from any thread.
  std::size_t take_skipped() { return skipped_.exchange(0); }

  /// BatchHooks::draw.
  std::any draw(const BatchPicture& picture) const;

  /// Writes what became of a picture, its record last: what has a record has everything else too. From one thread.
  void add(BatchResult result);
  void finish();

  /// How many records were there already.
  std::size_t earlier() const { return tally_.earlier(); }

 private:
  struct Drawn;

  io::RecordFile::Start start() const;
  bool keep_earlier(std::string_view line);
  bool was_done(const std::string& path);
  void plan_overlays(BatchInput& input, BatchNote& note);
  /// Whether the picture is to be done; may give it an error.
  bool plan_sidecar(BatchInput& input, BatchNote& note);
  Error exists_already(const std::filesystem::path& file, bool first) const;
  /// Whether the picture was left out after all, because of a sidecar that another picture of the run has written.
  bool write_sidecar(BatchResult& result);
  void begin_records();
  void add_success(const BatchResult& result);
  void add_failure(const BatchResult& result);

  const BatchCommand& command_;
  const ModelConfig& config_;
  Tally& tally_;
  std::unordered_map<std::string, std::size_t> done_;  ///< records of each path, as it stands in JSON
  std::size_t planned_ = 0;
  std::atomic<std::size_t> skipped_ = 0;
  std::unique_ptr<io::RecordFormat> format_;
  std::optional<io::CocoFile> coco_;
  std::optional<io::RecordFile> records_;
  std::optional<io::OverlayNames> overlays_;
  std::optional<Report> report_;
};

}  // namespace glimpse::apps
