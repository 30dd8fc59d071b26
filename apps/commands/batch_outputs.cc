#include "commands/batch_outputs.h"

#include <utility>

#include "cli/terminal.h"
#include "core/file.h"
#include "overlay/overlay.h"

namespace glimpse::apps {
namespace {

namespace fs = std::filesystem;

io::RecordLayout make_layout(const BatchCommand& command, const ModelConfig& config) {
  io::RecordLayout layout = io::record_layout(config);
  layout.top = command.caption.search.top;
  layout.attention = command.attention;
  layout.overlays = command.overlays.has_value();
  return layout;
}

bool is_there(const fs::path& file) {
  std::error_code unknown;
  return fs::exists(fs::symlink_status(file, unknown));
}

}  // namespace

/// What a thread made of a picture before its turn came.
struct BatchOutputs::Drawn {
  std::vector<std::vector<std::string>> overlays;
  std::optional<ReportEntry> entry;
};

BatchOutputs::BatchOutputs(const BatchCommand& command, const ModelConfig& config, Tally& tally)
    : command_(command), config_(config), tally_(tally) {
  if (command.report && !command.overwrite && !command.resume && Report::exists(*command.report)) {
    throw Error(ErrorCode::kUsage, quote(command.report->native()) +
                                       " has a report already; --overwrite replaces it, --resume goes on with it");
  }
  if (command.overlays) {
    io::make_folder(*command.overlays, "--overlays");
    overlays_.emplace(*command.overlays);
  }
  if (command.coco_results) coco_.emplace(*command.coco_results, command.overwrite || command.resume);
  if (command.output) {
    format_ = io::make_record_format(command.format, make_layout(command, config));
    records_.emplace(*command.output, start(),
                     [this](std::string_view line, std::size_t /*number*/) { return keep_earlier(line); });
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

io::RecordFile::Start BatchOutputs::start() const {
  if (command_.resume) return io::RecordFile::Start::kContinue;
  return command_.overwrite ? io::RecordFile::Start::kReplace : io::RecordFile::Start::kNew;
}

bool BatchOutputs::keep_earlier(std::string_view line) {
  const std::optional<io::EarlierRecord> record = io::parse_record(line);
  if (!record) return false;
  if (!record->failed && record->model != config_.name) {
    throw Error(ErrorCode::kUsage, "cannot go on with " + quote(command_.output->native()) +
                                       ": its captions are those of the model " + quote(record->model) + ", not of " +
                                       quote(config_.name));
  }
  tally_.add_earlier(record->failed);
  ++done_[record->path];
  if (coco_ && !record->failed) coco_->add(record->path, record->caption);
  return true;
}

/// A path that the list has twice has two records.
bool BatchOutputs::was_done(const std::string& path) {
  if (done_.empty()) return false;
  const auto found = done_.find(io::record_path(path));
  if (found == done_.end()) return false;
  if (--found->second == 0) done_.erase(found);
  return true;
}

bool BatchOutputs::plan(BatchInput& input) {
  BatchNote note;
  if (was_done(input.path)) {
    plan_overlays(input, note);  // names are given as if it was done now
    return false;
  }
  if (!input.error && command_.sidecar && !plan_sidecar(input, note)) {
    ++skipped_;
    return false;
  }
  plan_overlays(input, note);
  note.first = planned_ == 0;
  input.note = std::move(note);
  ++planned_;
  return true;
}

void BatchOutputs::plan_overlays(BatchInput& input, BatchNote& note) {
  if (!overlays_) return;
  for (int i = 0; i < command_.caption.search.top; ++i) note.overlays.push_back(overlays_->next(input.path));
}

bool BatchOutputs::plan_sidecar(BatchInput& input, BatchNote& note) {
  if (input.bytes) {
    throw Error(ErrorCode::kUsage, "--sidecar has no place for " + quote(input.path) +
                                       ": nothing can stand beside a picture in an archive; take -o FILE.jsonl");
  }
  note.sidecar = fs::path(input.path).replace_extension(*command_.sidecar);
  // The first picture without a record may have its sidecar from the run that this one goes on with.
  note.replace_sidecar = command_.overwrite || (command_.resume && planned_ == 0);
  if (note.replace_sidecar || !is_there(note.sidecar)) return true;
  if (command_.skip_existing) return false;
  const Error error = exists_already(note.sidecar, planned_ == 0);
  if (error.code() == ErrorCode::kUsage) throw Error(error);
  input.error = error;
  return true;
}

/// Where the first picture's file is in the way, so are probably all; a later one's is its own failure.
Error BatchOutputs::exists_already(const fs::path& file, bool first) const {
  return {first && !command_.resume ? ErrorCode::kUsage : ErrorCode::kIo,
          quote(file.native()) + " exists already; --overwrite replaces such files" +
              (command_.sidecar ? ", --skip-existing leaves out pictures that have a sidecar" : "")};
}

std::any BatchOutputs::draw(const BatchPicture& picture) const {
  auto drawn = std::make_shared<Drawn>();
  if (overlays_) {
    const auto& note = std::any_cast<const BatchNote&>(picture.note);
    for (std::size_t i = 0; i < picture.captions.size(); ++i) {
      drawn->overlays.emplace_back();
      for (const Overlay& overlay : draw_overlays(picture.picture, picture.captions[i], config_.rows, config_.cols,
                                                  picture.transform, command_.overlay)) {
        const fs::path file = note.overlays[i].native() + overlay.suffix;
        if (!command_.overwrite && !command_.resume && is_there(file)) throw Error(exists_already(file, note.first));
        drawn->overlays.back().push_back(write_overlay(overlay, note.overlays[i]).native());
      }
    }
  }
  if (report_) {
    drawn->entry = report_->success(picture.path, picture.picture, picture.transform, picture.captions);
  }
  return drawn;
}

void BatchOutputs::begin_records() {
  if (records_ && records_->empty()) records_->append(format_->header());
}

void BatchOutputs::add(BatchResult result) {
  if (result.captions() != nullptr && write_sidecar(result)) {
    ++skipped_;
    return;
  }
  begin_records();
  if (result.error() == nullptr) {
    add_success(result);
  } else {
    add_failure(result);
  }
}

bool BatchOutputs::write_sidecar(BatchResult& result) {
  const auto& note = std::any_cast<const BatchNote&>(result.note);
  if (note.sidecar.empty()) return false;
  if (!note.replace_sidecar && is_there(note.sidecar)) {
    if (command_.skip_existing) return true;
    result.outcome = exists_already(note.sidecar, false);
    return false;
  }
  try {
    write_atomically(note.sidecar, [&](std::ostream& stream) {
      for (const Caption& caption : *result.captions()) stream << caption.text << '\n';
    });
  } catch (const Error& error) {
    result.outcome = error;
  }
  return false;
}

void BatchOutputs::add_success(const BatchResult& result) {
  const auto drawn = result.drawn.has_value() ? std::any_cast<std::shared_ptr<Drawn>>(result.drawn) : nullptr;
  if (report_) report_->add(std::move(*drawn->entry));
  if (records_) {
    io::Record record;
    record.path = result.path;
    record.width = result.width;
    record.height = result.height;
    record.captions = *result.captions();
    if (drawn) record.overlays = drawn->overlays;
    records_->append(format_->success(record));
  }
  if (coco_) coco_->add(result.path, result.captions()->front().text);
  tally_.add_done();
}

void BatchOutputs::add_failure(const BatchResult& result) {
  const Error& error = *result.error();
  if (report_) report_->add(report_->failure(result.path, error));
  if (records_) {
    if (const std::optional<std::string> line = format_->failure(result.path, error)) records_->append(*line);
  } else {
    report_error(error.what());
  }
  tally_.add_failure(error);
}

void BatchOutputs::finish() {
  begin_records();
  if (report_) report_->finish();
  if (coco_) coco_->finish();
  if (records_) records_->finish();
}

}  // namespace glimpse::apps
