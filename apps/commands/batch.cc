// glimpse batch: folders, lists and archives of pictures in; records, text files, overlays and a report out.
#include <chrono>
#include <functional>
#include <future>
#include <optional>
#include <stop_token>
#include <utility>

#include "cli/command.h"
#include "cli/interrupt.h"
#include "cli/progress.h"
#include "cli/stopwatch.h"
#include "cli/terminal.h"
#include "commands/batch_outputs.h"
#include "core/text.h"
#include "io/picture_list.h"
#include "pipeline/batch_runner.h"
#include "pipeline/locations.h"

namespace glimpse::apps {
namespace {

/// Between lines where standard error is no terminal.
constexpr double kPlainSeconds = 30;

Captioner compile(const Model& model, const BatchCommand& command) {
  CaptionerOptions options;
  options.batch = command.batch;
  options.threads = 1;
  // No kernels chosen by measurement: they may differ from run to run, and with them the last bits of results. A
  // resumed run must equal an uninterrupted one.
  options.tuning = dnn::Tuning::kWinograd;
  return Captioner(model, options);
}

class BatchRun {
 public:
  BatchRun(const BatchCommand& command, const Captioner& captioner)
      : command_(command),
        list_(command.inputs, command.input, command.shard),
        runner_(captioner, command.caption, {.workers = command.threads}),
        outputs_(command, captioner.config(), tally_),
        progress_(std::nullopt, "pictures", kPlainSeconds) {}

  ~BatchRun() {
    stop_.request_stop();
    if (total_.valid()) total_.wait();
  }
  BatchRun(const BatchRun&) = delete;
  BatchRun& operator=(const BatchRun&) = delete;

  ExitCode run() {
    total_ = std::async(std::launch::async, [this] {
      return io::count_pictures(command_.inputs, command_.input, command_.shard, stop_.get_token());
    });
    if (tally_.earlier() > 0) {
      report("going on after " + std::to_string(tally_.earlier()) + " records of an earlier run");
    }
    progress_.skip(tally_.earlier());
    BatchList list;
    list.next = [this](const std::stop_token& stop) { return next(stop); };
    list.waits = [this] { return list_.waits(); };
    list.first = tally_.earlier();
    CallingSink counting([this](const BatchResult& result) { count(result); });
    std::vector<PictureSink*> sinks = outputs_.sinks();
    sinks.push_back(&counting);
    runner_.run(list, sinks, stop_.get_token());
    progress_.clear();
    count_skipped();
    return finish();
  }

 private:
  std::optional<BatchInput> next(const std::stop_token& stop) {
    while (std::optional<BatchInput> input = list_.next(stop)) {
      if (!outputs_.was_done(input->path)) return input;
    }
    return std::nullopt;
  }

  void count(const BatchResult& result) {
    using namespace std::chrono_literals;
    if (total_.valid() && total_.wait_for(0s) == std::future_status::ready) {
      if (const std::optional<std::size_t> total = total_.get()) progress_.set_total(*total);
    }
    if (const Error* error = result.error()) {
      if (!command_.output) {  // there are no records to tell of it
        progress_.clear();
        report_error(error->what());
      }
      tally_.add_failure(*error);
      if (command_.fail_fast) stop_.request_stop();
    } else {
      tally_.add_done();
    }
    count_skipped();
    progress_.advance(1);
  }

  void count_skipped() {
    const std::size_t skipped = outputs_.take_skipped();
    tally_.add_skipped(skipped);
    progress_.skip(skipped);
  }

  ExitCode finish() const {
    const std::string summary = tally_.summary(watch_.milliseconds() / 1000);
    for (const std::string_view line : split_lines(summary)) report(line);
    if (interrupted()) {
      std::string how = "interrupted; what was written is whole";
      if (command_.output && command_.format == Format::kJson) {
        how += "; the same command with --resume goes on";
      } else if (command_.sidecar) {
        how += "; the same command with --skip-existing goes on";
      }
      report(how);
      return ExitCode::kInterrupted;
    }
    if (command_.fail_fast && tally_.failed() > 0) report("stopped at the first failure (--fail-fast)");
    return tally_.any_failed() ? ExitCode::kSomeFailed : ExitCode::kDone;
  }

  const BatchCommand& command_;
  Tally tally_;
  io::PictureList list_;
  BatchRunner runner_;
  BatchOutputs outputs_;  // after all else that may refuse the command: then no file has been made
  std::stop_source stop_;
  std::stop_callback<std::function<void()>> on_interrupt_{interrupt_token(), [this] { stop_.request_stop(); }};
  std::future<std::optional<std::size_t>> total_;
  Stopwatch watch_;
  Progress progress_;
};

}  // namespace

ExitCode run_batch(Arguments arguments) {
  const std::optional<ParsedArguments> parsed = parse_arguments(batch_command_line(), arguments);
  if (!parsed) return ExitCode::kDone;
  const BatchCommand command = read_batch_command(*parsed);
  catch_interrupts();
  const Model model = load_model(command.model);
  return BatchRun(command, compile(model, command)).run();
}

}  // namespace glimpse::apps
