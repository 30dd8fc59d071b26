// glimpse bench pipeline: a whole batch from files to records, beside encoder and decoder alone on the same pictures.
#include <stdlib.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <filesystem>
#include <thread>
#include <utility>

#include "bench/bench.h"
#include "bench/report.h"
#include "cli/arguments.h"
#include "cli/options.h"
#include "cli/stopwatch.h"
#include "cli/terminal.h"
#include "dnn/runtime/threads.h"
#include "io/inputs.h"
#include "io/record_sink.h"
#include "pipeline/batch_runner.h"
#include "pipeline/locations.h"

namespace glimpse::apps {
namespace {

namespace fs = std::filesystem;

struct Options {
  ModelOptions model;
  std::vector<std::string> inputs;
  bool recursive = false;
  int images = 256;
  int batch = 8;
  int workers = 1;
  int rounds = 5;
};

/// The pictures in memory, as the encoder takes them, and the files that they came from.
struct Pictures {
  std::vector<std::string> files;
  std::vector<PreparedPicture> prepared;
};

Pictures read_pictures(const Options& options, const Captioner& captioner) {
  LoadOptions load;
  load.min_width = captioner.config().input.width;
  load.min_height = captioner.config().input.height;
  io::InputOptions input_options;
  input_options.recursive = options.recursive;
  io::Inputs inputs(options.inputs, input_options);
  Pictures pictures;
  while (pictures.files.size() < static_cast<std::size_t>(options.images)) {
    std::optional<io::Input> input = inputs.next({});
    if (!input) break;
    if (input->error) throw Error(*input->error);
    pictures.prepared.push_back(captioner.prepare(load_image(input->path, load)));
    pictures.files.push_back(std::move(input->path));
  }
  if (pictures.files.empty()) throw Error(ErrorCode::kUsage, "bench pipeline found no pictures");
  return pictures;
}

/// Seconds that encoder and decoder take for all pictures, each worker taking one batch after the other.
double run_alone(const Pictures& pictures, std::vector<CaptionSession>& sessions, std::size_t batch) {
  std::atomic<std::size_t> next = 0;
  const Stopwatch watch;
  std::vector<std::jthread> threads;
  for (CaptionSession& session : sessions) {
    threads.emplace_back([&] {
      while (true) {
        const std::size_t begin = next.fetch_add(batch);
        if (begin >= pictures.prepared.size()) return;
        const std::size_t end = std::min(begin + batch, pictures.prepared.size());
        std::vector<const PreparedPicture*> places;
        for (std::size_t i = begin; i < end; ++i) places.push_back(&pictures.prepared[i]);
        session.caption(places);
      }
    });
  }
  threads.clear();
  return watch.milliseconds() / 1000;
}

/// A file for records that goes away with the object.
class ScratchFile {
 public:
  ScratchFile() {
    std::string pattern = (fs::temp_directory_path() / "glimpse-bench-XXXXXX").string();
    const int descriptor = mkstemp(pattern.data());
    if (descriptor < 0) throw Error(ErrorCode::kIo, "cannot make a file in " + quote(pattern));
    ::close(descriptor);
    path_ = pattern;
  }
  ~ScratchFile() {
    std::error_code ignored;
    fs::remove(path_, ignored);
  }
  ScratchFile(const ScratchFile&) = delete;
  ScratchFile& operator=(const ScratchFile&) = delete;
  const fs::path& path() const { return path_; }

 private:
  fs::path path_;
};

/// The whole way: files in, records of a file out.
BatchStats run_whole(const Pictures& pictures, BatchRunner& runner, const ModelConfig& config) {
  const ScratchFile scratch;
  CallingSink complaint([](const BatchResult& result) {
    if (result.error() != nullptr) throw Error(*result.error());
  });
  io::RecordFileSink records(scratch.path(), io::RecordFile::Start::kReplace, Format::kJson, io::record_layout(config));
  std::size_t next = 0;
  BatchList list;
  list.next = [&](const std::stop_token& /*stop*/) -> std::optional<BatchInput> {
    if (next == pictures.files.size()) return std::nullopt;
    return BatchInput{.path = pictures.files[next++]};
  };
  return runner.run(list, {&complaint, &records});
}

std::string report(const Options& options, std::size_t count, const Samples& alone,
                   const std::vector<BatchStats>& whole) {
  Samples seconds;
  Samples ratios;
  BatchStats sum;
  for (std::size_t i = 0; i < whole.size(); ++i) {
    seconds.push_back(whole[i].elapsed);
    ratios.push_back(alone[i] / whole[i].elapsed);
    sum.elapsed += whole[i].elapsed;
    for (double BatchStats::*part : {&BatchStats::list, &BatchStats::read, &BatchStats::encode, &BatchStats::search,
                                     &BatchStats::draw, &BatchStats::deliver}) {
      sum.*part += whole[i].*part;
    }
  }
  const auto pictures = static_cast<double>(count);
  std::string text = line("%zu pictures, %d workers, batches of %d, median of %d rounds", count, options.workers,
                          options.batch, options.rounds);
  text += line("  %-44s %10s %14s", "", "pictures/s", "ms a picture");
  const auto row = [&](const char* label, double median_seconds) {
    return line("  %-44s %10.1f %14.2f", label, pictures / median_seconds, 1e3 * median_seconds / pictures);
  };
  text += row("encoder and decoder alone, pictures in memory", median(alone)) +
          row("the whole run, files to records", median(seconds));
  text += line("  the whole run reaches %.1f %% of the two alone (rounds: %.1f to %.1f %%)\n", 100 * median(ratios),
               100 * fastest(ratios), 100 * *std::max_element(ratios.begin(), ratios.end()));
  text += line("  %-44s %10s %14s", "stage", "threads", "ms a picture");
  const auto stage = [&](const char* label, double total) {
    return line("  %-44s %10.3f %14.3f", label, total / sum.elapsed,
                1e3 * total / pictures / static_cast<double>(whole.size()));
  };
  text += stage("list", sum.list) + stage("read, decode, resize", sum.read) + stage("encode", sum.encode) +
          stage("search", sum.search) + stage("write", sum.deliver);
  return text +
         line("  threads: how many were busy with it, on average; %d encode and search, one more reads and writes",
              options.workers);
}

CommandLine command_line() {
  OptionGroup group{
      "What to measure",
      {{"images", "N", "of those given, the first N (default: 256); they are held in memory"},
       {"batch", "N", "pictures at a time in each worker (default: 8)"},
       {"recursive,r", "", "folders stand for all that is below them"},
       {"repeat", "N", "rounds, in each both are measured, in turns; medians are compared (default: 5)"}}};
  CommandLine command = {
      "glimpse bench pipeline [options] PICTURE…",
      "Captions pictures as glimpse batch does, from files to records, and with the encoder and the decoder alone, the "
      "same pictures held in memory ready for the encoder, on as many threads.",
      {group},
      "The alone rate leaves out reading, decoding, resizing, batching, the order of results and writing: what is left "
      "of it in the whole run is how well those hide behind it.",
  };
  for (OptionGroup& shared : model_option_groups()) command.groups.push_back(std::move(shared));
  return command;
}

}  // namespace

int bench_pipeline(std::span<const std::string> args) {
  const std::optional<ParsedArguments> parsed = parse_arguments(command_line(), args);
  if (!parsed) return static_cast<int>(ExitCode::kDone);
  if (parsed->positional.empty()) throw Error(ErrorCode::kUsage, "bench pipeline needs pictures to caption");
  Options options;
  options.model = read_model_options(*parsed);
  options.inputs = parsed->positional;
  options.recursive = parsed->has("recursive");
  options.images = parsed->integer("images", options.images, 1, 100'000);
  options.batch = parsed->integer("batch", options.batch, 1, 1024);
  options.rounds = parsed->integer("repeat", options.rounds, 1, 1000);
  options.workers = options.model.threads == 0 ? dnn::available_threads() : options.model.threads;

  CaptionerOptions captioner_options;
  captioner_options.batch = options.batch;
  captioner_options.threads = 1;
  captioner_options.tuning = dnn::Tuning::kWinograd;
  const Captioner captioner(load_model(options.model.model), captioner_options);
  const Pictures pictures = read_pictures(options, captioner);
  std::vector<CaptionSession> sessions;
  for (int i = 0; i < options.workers; ++i) sessions.emplace_back(captioner, options.model.caption);
  BatchRunner runner(captioner, options.model.caption, {.workers = options.workers});

  write_output(line("%s; model %s", dnn::version().c_str(), captioner.config().name.c_str()));
  run_alone(pictures, sessions, static_cast<std::size_t>(options.batch));  // warms up
  Samples alone;
  std::vector<BatchStats> whole;
  for (int round = 0; round < options.rounds; ++round) {
    alone.push_back(run_alone(pictures, sessions, static_cast<std::size_t>(options.batch)));
    whole.push_back(run_whole(pictures, runner, captioner.config()));
  }
  write_output(report(options, pictures.files.size(), alone, whole));
  return static_cast<int>(ExitCode::kDone);
}

}  // namespace glimpse::apps
