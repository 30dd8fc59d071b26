#include "commands/caption_run.h"

#include <new>
#include <optional>
#include <utility>

#include "cli/interrupt.h"
#include "cli/locations.h"
#include "cli/stopwatch.h"
#include "cli/terminal.h"
#include "io/records.h"

namespace glimpse::apps {
namespace {

io::RecordLayout make_layout(const ModelConfig& config, const SharedOptions& options, bool overlays) {
  io::RecordLayout layout = io::record_layout(config);
  layout.top = options.caption.search.top;
  layout.attention = options.attention;
  layout.timing = options.timing;
  layout.overlays = overlays;
  layout.emphasis = bold;
  return layout;
}

/// "1 picture", "3 pictures"
std::string pictures(int count) { return std::to_string(count) + (count == 1 ? " picture" : " pictures"); }

class CaptionRun {
 public:
  CaptionRun(const Captioner& captioner, const SharedOptions& options, const DrawOverlays& draw)
      : config_(captioner.config()),
        session_(captioner, options.caption),
        draw_(draw),
        format_(io::make_record_format(options.format, make_layout(config_, options, draw != nullptr))) {}

  void begin() const { write_output(format_->header()); }

  void add(const Picture& picture) {
    if (std::optional<Error> error = picture.error ? picture.error : caption(picture)) {
      ++failed_;
      if (const std::optional<std::string> line = format_->failure(picture.path, *error)) {
        write_output(*line);
      } else {
        report_error(error->what());
      }
    } else {
      ++done_;
    }
  }

  ExitCode finish() const {
    if (interrupted()) {
      report("interrupted after " + pictures(done_ + failed_) + "; what was written is complete");
      return ExitCode::kInterrupted;
    }
    if (failed_ == 0) return ExitCode::kDone;
    if (done_ + failed_ > 1) {
      report(std::to_string(failed_) + " of " + pictures(done_ + failed_) + " failed, the rest is complete");
    }
    return ExitCode::kSomeFailed;
  }

 private:
  /// Captions, draws and writes; what went wrong with this picture alone comes back.
  std::optional<Error> caption(const Picture& picture) {
    io::Record record;
    std::vector<Caption> captions;
    try {
      const Stopwatch watch;
      captions = session_.caption(picture.image);
      record.milliseconds = picture.milliseconds + watch.milliseconds();
      if (draw_) record.overlays = draw_(picture, captions, config_);
    } catch (const Error& error) {
      if (error.code() == ErrorCode::kUsage || error.code() == ErrorCode::kModel) throw;  // no fault of this picture
      return error;
    } catch (const std::bad_alloc&) {
      return Error(ErrorCode::kTooLarge, "not enough memory for " + quote(picture.path));
    }
    record.path = picture.path;
    record.width = picture.image.source_width;
    record.height = picture.image.source_height;
    record.captions = captions;
    write_output(format_->success(record));
    return std::nullopt;
  }

  const ModelConfig& config_;
  CaptionSession session_;
  const DrawOverlays& draw_;
  std::unique_ptr<io::RecordFormat> format_;
  int done_ = 0;
  int failed_ = 0;
};

}  // namespace

ExitCode caption_pictures(const SharedOptions& options, const DrawOverlays& draw) {
  catch_interrupts();
  io::InputOptions input_options;
  input_options.nul_separated = options.nul_separated;
  io::Inputs inputs(options.inputs, input_options);
  const Model model = load_model(options.model);
  PictureReader reader(std::move(inputs), model.config().input,
                       draw != nullptr);  // decodes while the model is compiled
  CaptionerOptions captioner_options;
  captioner_options.threads = options.threads;
  captioner_options.tuning_cache = tuning_cache();
  const Captioner captioner(model, captioner_options);
  CaptionRun run(captioner, options, draw);
  run.begin();
  while (!interrupted()) {
    const std::optional<Picture> picture = reader.next();
    if (!picture) break;
    run.add(*picture);
  }
  return run.finish();
}

}  // namespace glimpse::apps
