// glimpse bench: selects the benchmark.
#include "bench/bench.h"

#include "cli/arguments.h"
#include "cli/command.h"
#include "cli/terminal.h"

namespace glimpse::apps {

ExitCode run_bench(Arguments arguments) {
  static constexpr std::string_view kUsage =
      "usage: glimpse bench encoder|decoder|pipeline [options]\n\n"
      "Measures on this machine: encoder and decoder against the same work run bare through oneDNN in the same run, a\n"
      "batch from files to records against the two alone.\n\n"
      "  encoder   images/s, GFLOP/s and the fraction of the ceiling for whole networks\n"
      "  decoder   milliseconds a decoding step, beside its large products alone\n"
      "  pipeline  pictures/s of a whole batch, and how busy each of its stages is\n\n"
      "glimpse bench encoder --help and so on list their options.\n";
  if (arguments.empty())
    throw Error(ErrorCode::kUsage, "bench needs to know what to measure: encoder, decoder or pipeline");
  const std::string& what = arguments.front();
  if (what == "--help" || what == "-h") {
    write_output(kUsage);
    return ExitCode::kDone;
  }
  if (what == "encoder") return static_cast<ExitCode>(bench_encoder(arguments.subspan(1)));
  if (what == "decoder") return static_cast<ExitCode>(bench_decoder(arguments.subspan(1)));
  if (what == "pipeline") return static_cast<ExitCode>(bench_pipeline(arguments.subspan(1)));
  throw Error(ErrorCode::kUsage, "bench does not know " + quote(what) +
                                     did_you_mean(what, {"encoder", "decoder", "pipeline"}) +
                                     " (it takes: encoder, decoder, pipeline)");
}

}  // namespace glimpse::apps
