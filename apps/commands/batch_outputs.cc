#include "commands/batch_outputs.h"

#include "io/overlay_files.h"

namespace glimpse::apps {
namespace {

io::RecordLayout make_layout(const BatchCommand& command, const ModelConfig& config) {
  io::RecordLayout layout = io::record_layout(config);
  layout.top = command.caption.search.top;
  layout.attention = command.attention;
  layout.overlays = command.overlays.has_value();
  return layout;
}

io::RecordFile::Start records_start(const BatchCommand& command) {
  if (command.resume) return io::RecordFile::Start::kContinue;
  return command.overwrite ? io::RecordFile::Start::kReplace : io::RecordFile::Start::kNew;
}

io::OverlaySinkOptions overlay_options(const BatchCommand& command, const ModelConfig& config,
                                       const io::ExistingFiles& existing) {
  io::OverlaySinkOptions options;
  options.rows = config.rows;
  options.cols = config.cols;
  options.captions = command.caption.search.top;
  options.existing = existing;
  options.sidecars = command.sidecar.has_value();
  return options;
}

}  // namespace

BatchOutputs::BatchOutputs(const BatchCommand& command, const ModelConfig& config, Tally& tally) {
  if (command.report && !command.overwrite && !command.resume && Report::exists(*command.report)) {
    throw Error(ErrorCode::kUsage, quote(command.report->native()) +
                                       " has a report already; --overwrite replaces it, --resume goes on with it");
  }
  const io::ExistingFiles existing{command.overwrite, command.resume, command.skip_existing};
  if (command.sidecar) sidecars_.emplace(*command.sidecar, existing);
  if (command.overlays) {
    io::make_folder(*command.overlays, "--overlays");
    overlays_.emplace(*command.overlays, command.overlay, overlay_options(command, config, existing));
  }
  if (command.coco_results) coco_.emplace(*command.coco_results, command.overwrite || command.resume);
  if (command.output) {
    records_.emplace(*command.output, records_start(command), command.format, make_layout(command, config),
                     [&](const io::EarlierRecord& record) {
                       tally.add_earlier(record.failed);
                       if (coco_ && !record.failed) coco_->add(record.path, record.caption);
                     });
  }
  if (command.report) {
    ReportOptions options;
    options.title = "Captions";
    options.model = config.name;
    options.rows = config.rows;
    options.cols = config.cols;
    report_.emplace(*command.report, options, command.resume ? Report::Start::kContinue : Report::Start::kNew);
  }
}

std::vector<PictureSink*> BatchOutputs::sinks() {
  std::vector<PictureSink*> sinks;
  const auto add = [&sinks](auto& sink) {
    if (sink) sinks.push_back(&*sink);
  };
  add(sidecars_);
  add(overlays_);
  add(report_);
  add(records_);
  add(coco_);
  return sinks;
}

bool BatchOutputs::was_done(const std::string& path) {
  if (!records_ || !records_->was_done(path)) return false;
  if (overlays_) overlays_->pass(path);
  return true;
}

}  // namespace glimpse::apps
