// glimpse bench encoder: whole networks as plans, beside their convolutions run bare through oneDNN.
#include <algorithm>
#include <filesystem>
#include <map>
#include <string_view>
#include <vector>

#include "bench/bench.h"
#include "bench/report.h"
#include "cli/arguments.h"
#include "cli/terminal.h"
#include "core/file.h"
#include "core/random.h"
#include "dnn/runtime/threads.h"
#include "dnn/yardsticks/bare_convolution.h"
#include "net/compile.h"
#include "net/tensors.h"
#include "pipeline/locations.h"

namespace glimpse::apps {
namespace {

constexpr std::int64_t kProductSize = 2048;

struct Options {
  std::int64_t batch = 8;
  std::int64_t size = 224;
  int threads = 1;
  int rounds = 9;
};

/// A plan and the seconds its steps took.
struct TimedPlan {
  TimedPlan(const char* plan_label, dnn::Plan built) : label(plan_label), plan(std::move(built)), session(plan) {
    samples.resize(plan.steps().size());
    Random random(1);
    for (float& value : session.input()) value = static_cast<float>(random.uniform() * 2 - 1);
  }

  void run() {
    const std::vector<double> seconds = session.run_timed();
    for (std::size_t i = 0; i < seconds.size(); ++i) samples[i].push_back(seconds[i]);
  }
  void forget() { std::fill(samples.begin(), samples.end(), Samples()); }

  const char* label;
  dnn::Plan plan;
  dnn::Session session;
  std::vector<Samples> samples;  // by step
};

/// Every convolution of a network alone: its source, destination and weights in memory of its own.
struct TimedConvolutions {
  TimedConvolutions(const dnn::Plan& plan, int threads) {
    for (const dnn::StepInfo& step : plan.steps()) {
      if (!step.convolution) continue;
      dnn::ConvolutionProblem problem = *step.convolution;
      // Only the convolution and its bias: the plan's also adds the residual and applies the activation.
      problem.residual = false;
      problem.options.activation = {};
      convolutions.emplace_back(problem, threads);
      flops.push_back(problem.flops());
    }
    samples.resize(convolutions.size());
  }

  void run() {
    for (std::size_t i = 0; i < convolutions.size(); ++i) samples[i].push_back(convolutions[i].run());
  }
  void forget() { std::fill(samples.begin(), samples.end(), Samples()); }

  std::vector<dnn::BareConvolution> convolutions;
  std::vector<std::int64_t> flops;
  std::vector<Samples> samples;  // by convolution
};

/// Sums over steps of the median and of the fastest round.
struct Total {
  double median = 0;
  double fastest = 0;

  void add(const Samples& samples) {
    median += apps::median(samples);
    fastest += apps::fastest(samples);
  }
};

/// Of a plan: its convolutions with the layout changes they need, or all of it.
Total total(const TimedPlan& timed, bool convolutions_only) {
  Total result;
  for (std::size_t i = 0; i < timed.samples.size(); ++i) {
    const std::string& kind = timed.plan.steps()[i].kind;
    if (!convolutions_only || kind == "convolution" || kind == "reorder") result.add(timed.samples[i]);
  }
  return result;
}

/// What a network's convolutions cost, as a row of the table.
struct Row {
  const char* label;
  Total convolutions;
  double whole = 0;  ///< median seconds of the whole network; 0: not run
};

std::string format_row(const Row& row, const Row& bare, double flops, double ceiling, const Options& options) {
  const auto batch = static_cast<double>(options.batch);
  const double seconds = row.convolutions.median;
  std::string text = line("  %-28s %8.1f %9.1f %8.0f %8.0f%% %9.3f %9.3f", row.label, seconds * 1e3, batch / seconds,
                          flops / seconds / 1e9, 100 * flops / seconds / ceiling, bare.convolutions.median / seconds,
                          bare.convolutions.fastest / row.convolutions.fastest);
  text.pop_back();
  return text + (row.whole > 0 ? line(" %9.1f %9.1f", row.whole * 1e3, batch / row.whole) : line("%s", ""));
}

/// "jit_fp32_wino_4x3:avx512_core ×30, …", the most frequent first.
std::string kernels(const dnn::Plan& plan) {
  std::map<std::string, int> counts;
  for (const dnn::StepInfo& step : plan.steps()) {
    if (step.kind == "convolution") ++counts[step.implementation];
    if (step.kind == "reorder") ++counts["reorder"];
  }
  std::vector<std::pair<int, std::string>> order;
  order.reserve(counts.size());
  for (const auto& [name, count] : counts) order.emplace_back(-count, name);
  std::sort(order.begin(), order.end());
  std::string text;
  for (const auto& [count, name] : order) text += (text.empty() ? "" : ", ") + name + " x" + std::to_string(-count);
  return text;
}

void bench_graph(const std::filesystem::path& path, const Options& options, dnn::BareProduct& product) {
  const net::GraphSpec graph = net::read_graph(path);
  net::CompileOptions compile;
  compile.batch = options.batch;
  compile.height = options.size;
  compile.width = options.size;
  compile.plan.threads = options.threads;
  const Weights weights = net::random_weights(graph, compile.input_shape(), 1);
  compile.plan.tuning = dnn::Tuning::kDirect;
  TimedPlan direct("plan, direct", net::compile(graph, weights, compile));
  compile.plan.tuning = dnn::Tuning::kMeasure;
  TimedPlan measured("plan, measured", net::compile(graph, weights, compile));
  TimedConvolutions bare(direct.plan, options.threads);

  // A shared machine slows down and recovers: everything takes its turn in every round, and rounds are compared.
  Samples ceiling;
  for (int round = -1; round < options.rounds; ++round) {
    ceiling.push_back(product.run());
    bare.run();
    direct.run();
    measured.run();
    if (round >= 0) continue;
    // The first round warms up.
    bare.forget();
    direct.forget();
    measured.forget();
  }

  Row base{"bare oneDNN, direct", {}, 0};
  for (const Samples& samples : bare.samples) base.convolutions.add(samples);
  double flops = 0;
  double best = static_cast<double>(product.flops()) / fastest(ceiling);
  for (std::size_t i = 0; i < bare.flops.size(); ++i) {
    flops += static_cast<double>(bare.flops[i]);
    best = std::max(best, static_cast<double>(bare.flops[i]) / fastest(bare.samples[i]));
  }
  std::string text = line("%s: %zu convolutions, %.1f GFLOP an image; ceiling %.0f GFLOP/s", path.stem().c_str(),
                          bare.flops.size(), flops / static_cast<double>(options.batch) / 1e9, best / 1e9);
  text += line("  %-28s %8s %9s %8s %9s %9s %9s %9s %9s", "", "ms", "images/s", "GFLOP/s", "ceiling", "vs bare",
               "(fastest)", "whole ms", "images/s");
  text += format_row(base, base, flops, best, options);
  for (const TimedPlan* timed : {&direct, &measured}) {
    const Row row{timed->label, total(*timed, true), total(*timed, false).median};
    text += format_row(row, base, flops, best, options);
  }
  text += line("  direct: %s\n  measured: %s\n", kernels(direct.plan).c_str(), kernels(measured.plan).c_str());
  write_output(text);
}

OptionGroup option_group() {
  return {
      "What to measure",
      {{"graph,g", "FILE",
        "a network as graph text, with random weights; may be given again (default: ResNet-101, ResNet-34 and VGG-16)",
        kRepeatable},
       {"batch,b", "N", "images at a time (default: 8)"},
       {"size,s", "N", "height and width of the images (default: 224)"},
       {"threads,t", "N", "processor threads (default: all it may use)"},
       {"repeat,r", "N", "rounds; medians over them are compared (default: 9)"}}};
}

std::vector<std::filesystem::path> graph_files(const ParsedArguments& parsed) {
  if (parsed.has("graph")) {
    const std::vector<std::string> given = parsed.list("graph");
    return {given.begin(), given.end()};
  }
  std::vector<std::filesystem::path> files;
  for (const char* name : {"resnet101", "resnet34", "vgg16"}) {
    files.push_back(shipped_file(std::filesystem::path("graphs") / (std::string(name) + ".graph"),
                                 std::string("graph of ") + name, "give one with --graph FILE"));
  }
  return files;
}

}  // namespace

int bench_encoder(std::span<const std::string> args) {
  const CommandLine command = {
      "glimpse bench encoder [options]",
      "Runs whole networks as glimpse does, and each of their convolutions alone, bare through oneDNN: direct, in the "
      "layout oneDNN prefers for it, weights packed, buffers of its own, nothing fused.",
      {option_group()},
      "ms, images/s and GFLOP/s are of the convolutions; a plan's include the layout changes between them and what is "
      "fused into them (activation, residual). 'vs bare' is how many times as fast as bare: sums over the convolutions "
      "of each one's median time, and the same of each one's fastest. Winograd's operations are counted as the direct "
      "algorithm's, so it can exceed the ceiling, which is the fastest of a large matrix product and the bare "
      "convolutions. 'whole' is everything, pooling and linear layers too.",
  };
  const std::optional<ParsedArguments> parsed = parse_arguments(command, args);
  if (!parsed) return static_cast<int>(ExitCode::kDone);
  if (!parsed->positional.empty()) {
    throw Error(ErrorCode::kUsage, "bench encoder takes no argument " + quote(parsed->positional.front()) +
                                       "; networks are given with --graph FILE");
  }
  Options options;
  options.batch = parsed->integer("batch", 8, 1, 1024);
  options.size = parsed->integer("size", 224, 32, 4096);
  options.threads = parsed->integer("threads", dnn::available_threads(), 1, 1024);
  options.rounds = parsed->integer("repeat", 9, 1, 1000);
  const std::vector<std::filesystem::path> files = graph_files(*parsed);
  write_output(line("%s; %d threads, batch %d, %dx%d, f32, median of %d rounds\n", dnn::version().c_str(),
                    options.threads, static_cast<int>(options.batch), static_cast<int>(options.size),
                    static_cast<int>(options.size), options.rounds));
  dnn::BareProduct product(kProductSize, options.threads);
  for (const std::filesystem::path& file : files) bench_graph(file, options, product);
  return static_cast<int>(ExitCode::kDone);
}

}  // namespace glimpse::apps
