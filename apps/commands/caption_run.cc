#include "commands/caption_run.h"

#include <optional>
#include <utility>
#include <vector>

#include "cli/interrupt.h"
#include "cli/terminal.h"
#include "io/inputs.h"
#include "io/overlay_sink.h"
#include "io/record_sink.h"
#include "pipeline/batch_runner.h"
#include "pipeline/locations.h"

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

/// Records on standard output; failures that the format cannot hold on standard error.
class OutputSink : public io::RecordSink {
 public:
  explicit OutputSink(std::unique_ptr<io::RecordFormat> format) : RecordSink(std::move(format)) {}

  ExitCode exit() const {
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

 protected:
  void deliver(BatchResult& result) override {
    RecordSink::deliver(result);
    ++(result.error() == nullptr ? done_ : failed_);
  }
  void write(std::string_view lines) override { write_output(lines); }
  void unrecorded(const Error& error) override { report_error(error.what()); }

 private:
  int done_ = 0;
  int failed_ = 0;
};

io::OverlaySink overlay_sink(const OverlayCommand& overlays, const SharedOptions& options, const ModelConfig& config) {
  io::OverlaySinkOptions sink;
  sink.rows = config.rows;
  sink.cols = config.cols;
  sink.captions = options.caption.search.top;
  sink.existing.replace = true;
  return {overlays.folder, overlays.options, sink};
}

}  // namespace

ExitCode caption_pictures(const SharedOptions& options, const OverlayCommand* overlays) {
  catch_interrupts();
  io::InputOptions input_options;
  input_options.nul_separated = options.nul_separated;
  io::Inputs inputs(options.inputs, input_options);
  CaptionerOptions captioner_options;
  captioner_options.threads = options.threads;
  captioner_options.tuning = dnn::Tuning::kMeasure;
  captioner_options.tuning_cache = tuning_cache();
  const Captioner captioner(load_model(options.model), captioner_options);
  const ModelConfig& config = captioner.config();

  OutputSink output(io::make_record_format(options.format, make_layout(config, options, overlays != nullptr)));
  std::optional<io::OverlaySink> drawing;
  std::vector<PictureSink*> sinks = {&output};
  if (overlays != nullptr) {
    drawing.emplace(overlay_sink(*overlays, options, config));
    sinks.insert(sinks.begin(), &*drawing);
  }
  BatchList list;
  list.next = [&](const std::stop_token& stop) -> std::optional<BatchInput> {
    std::optional<io::Input> input = inputs.next(stop);
    if (!input) return std::nullopt;
    return BatchInput{.path = std::move(input->path), .error = std::move(input->error)};
  };
  BatchRunner runner(captioner, options.caption, {.workers = 1});
  output.begin();
  runner.run(list, sinks, interrupt_token());
  return output.exit();
}

}  // namespace glimpse::apps
