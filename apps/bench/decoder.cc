// glimpse bench decoder: the steps of a beam search, beside the step's matrix products run bare through oneDNN.
#include <numeric>
#include <vector>

#include "bench/bench.h"
#include "bench/report.h"
#include "cli/arguments.h"
#include "cli/stopwatch.h"
#include "cli/terminal.h"
#include "core/random.h"
#include "decoder/decoder.h"
#include "dnn/runtime/threads.h"
#include "dnn/yardsticks/bare_convolution.h"
#include "dnn/yardsticks/bare_matmul.h"
#include "search/search.h"

namespace glimpse::apps {
namespace {

// The published decoder that many others were copied from: 14×14 cells of ResNet-101.
constexpr std::int64_t kFeatures = 2048;
constexpr std::int64_t kCells = 196;
constexpr std::int64_t kAttention = 512;
constexpr std::int64_t kEmbedding = 512;
constexpr std::int64_t kHidden = 512;
constexpr std::int64_t kWords = 9490;
constexpr std::int64_t kCeilingSize = 2048;

struct Options {
  int images = 1;
  int beam = 5;
  int threads = 1;
  int rounds = 5;
  int words = 20;
};

DecoderConfig published_variant() {
  DecoderConfig config;
  config.feature_projection = DecoderConfig::FeatureProjection::kNone;
  config.score = DecoderConfig::Score::kAdditiveRelu;
  config.gate = DecoderConfig::Gate::kVector;
  config.init = DecoderConfig::Init::kLinear;
  config.output = DecoderConfig::Output::kPlain;
  config.never_emit = {0, 1, 3};
  return config;
}

Weights random_weights() {
  Random random(1);
  std::map<std::string, Tensor, std::less<>> tensors;
  const auto add = [&](const std::string& name, const Shape& shape) {
    Tensor tensor(shape);
    for (float& value : tensor.values()) value = static_cast<float>(random.uniform() - 0.5) * 0.1F;
    tensors.emplace(name, std::move(tensor));
  };
  const auto add_linear = [&](const std::string& name, std::int64_t out, std::int64_t in) {
    add(name + ".weight", {out, in});
    add(name + ".bias", {out});
  };
  add_linear("key", kAttention, kFeatures);
  add_linear("query", kAttention, kHidden);
  add("score.weight", {1, kAttention});
  add_linear("gate", kFeatures, kHidden);
  add("embedding.weight", {kWords, kEmbedding});
  add("lstm.weight_ih", {4 * kHidden, kEmbedding + kFeatures});
  add("lstm.weight_hh", {4 * kHidden, kHidden});
  add("lstm.bias", {4 * kHidden});
  add_linear("init_h", kHidden, kFeatures);
  add_linear("init_c", kHidden, kFeatures);
  add_linear("output", kWords, kHidden);
  return {"random weights", std::move(tensors)};
}

/// A decoder session whose every step is timed and followed by the bare products, so that both see the machine in the
/// same state.
class TimedModel : public search::StepModel {
 public:
  TimedModel(const Decoder& decoder, const Options& options) : session_(decoder, options.images, options.beam) {
    Tensor features(Shape{options.images, kCells, kFeatures});
    Random random(2);
    for (float& value : features.values()) value = static_cast<float>(random.uniform());
    features_ = std::move(features);
    for (const StepProduct& product : decoder.step_products(options.images, options.beam)) {
      problems_.push_back({product.name, product.batch, product.rows, product.inner, product.cols, product.constant});
      products_.emplace_back(problems_.back(), options.threads);
    }
    bare_.resize(products_.size());
    session_.measure(&parts_);
  }

  void start() { session_.prepare(features_.values(), session_.images()); }
  /// Milliseconds spent in `step` since the last call: steps and bare products.
  double take_inside() { return std::exchange(inside_, 0); }
  void forget() {
    steps_.clear();
    bare_steps_.clear();
    for (Samples& samples : bare_) samples.clear();
    parts_ = {};
  }

  int images() const override { return session_.images(); }
  int rows_per_image() const override { return session_.rows_per_image(); }
  int vocabulary_size() const override { return session_.vocabulary_size(); }
  int cells() const override { return session_.cells(); }
  int start_id() const override { return session_.start_id(); }
  int end_id() const override { return session_.end_id(); }

  search::StepOutput step(std::span<const int> tokens, std::span<const int> parents) override {
    const Stopwatch whole;
    const Stopwatch stopwatch;
    const search::StepOutput output = session_.step(tokens, parents);
    steps_.push_back(stopwatch.milliseconds());
    const Stopwatch alone;
    for (std::size_t i = 0; i < products_.size(); ++i) bare_[i].push_back(products_[i].run() * 1e3);
    bare_steps_.push_back(alone.milliseconds());
    inside_ += whole.milliseconds();
    return output;
  }

  const Samples& steps() const { return steps_; }
  const Samples& bare_steps() const { return bare_steps_; }
  const StepParts& parts() const { return parts_; }
  const std::vector<dnn::MatmulProblem>& problems() const { return problems_; }
  const std::vector<Samples>& bare() const { return bare_; }
  const dnn::BareMatmul& product(std::size_t i) const { return products_[i]; }

 private:
  DecoderSession session_;
  Tensor features_;  // [images, cells, features]
  std::vector<dnn::MatmulProblem> problems_;
  std::vector<dnn::BareMatmul> products_;
  Samples steps_;              // milliseconds
  Samples bare_steps_;         // milliseconds, all products
  std::vector<Samples> bare_;  // by product, milliseconds
  StepParts parts_;            // seconds, summed over steps
  double inside_ = 0;
};

std::string report(const TimedModel& model, const Options& options, double search_ms, double ceiling) {
  const Samples& steps = model.steps();
  const double bare = median(model.bare_steps());
  double flops = 0;
  std::string products;
  for (std::size_t i = 0; i < model.problems().size(); ++i) {
    const dnn::MatmulProblem& problem = model.problems()[i];
    const double ms = median(model.bare()[i]);
    flops += problem.flops();
    products +=
        line("  %-34s %2d x %3d x %4d x %4d %9.3f %8.0f  %s", problem.name.c_str(), static_cast<int>(problem.batch),
             static_cast<int>(problem.rows), static_cast<int>(problem.inner), static_cast<int>(problem.cols), ms,
             problem.flops() / ms / 1e6, model.product(i).implementation().c_str());
  }
  const double step = median(steps);
  const auto row = [&](const char* label, double ms) {
    return line("  %-55s %9.3f %8.0f %8.0f%%", label, ms, flops / ms / 1e6, 100 * flops / ms / 1e6 / ceiling);
  };
  std::string text = line("%d images, beam %d: %.2f GFLOP a step; ceiling %.0f GFLOP/s", options.images, options.beam,
                          flops / 1e9, ceiling);
  text += line("  %-55s %9s %8s %9s", "", "ms", "GFLOP/s", "ceiling");
  text += row("a step", step) + row("its products, bare", bare);
  text += line("  a step takes %.3f times its products (fastest of each: %.3f)", step / bare,
               fastest(steps) / fastest(model.bare_steps()));
  text += line("  with the search: %.1f steps/s, %.1f captions/s of %d words\n", 1e3 / (step + search_ms),
               1e3 * options.images / (step + search_ms) / options.words, options.words);
  text += line("  %-34s %23s %9s %8s", "products, bare", "batch x rows x inner x cols", "ms", "GFLOP/s") + products;
  const auto count = static_cast<double>(steps.size());
  const StepParts& parts = model.parts();
  text += line("\n  parts of a step, means over %d", static_cast<int>(count));
  const auto part = [&](const char* label, double ms) { return line("  %-55s %9.3f", label, ms); };
  text += part("products", parts.products / count * 1e3) +
          part("attention: scores, softmax", parts.attention / count * 1e3) +
          part("gates: context, LSTM", parts.gates / count * 1e3) +
          part("log-softmax", parts.log_softmax / count * 1e3) +
          part("embeddings, states of the rows that live on", parts.gather / count * 1e3) +
          part("search, beside the step", search_ms);
  return text;
}

void bench(const Decoder& decoder, const Options& options) {
  TimedModel model(decoder, options);
  dnn::BareProduct ceiling(kCeilingSize, options.threads);
  search::SearchOptions search;
  search.beam = options.beam;
  search.max_words = options.words;
  search.min_words = options.words;
  Samples search_ms;
  Samples ceiling_seconds;
  for (int round = -1; round < options.rounds; ++round) {
    model.start();
    model.take_inside();
    const Stopwatch whole;
    search::search(model, search);
    const double outside = whole.milliseconds() - model.take_inside();
    if (round < 0) {
      model.forget();  // the first round warms up
      continue;
    }
    search_ms.push_back(outside / options.words);
    ceiling_seconds.push_back(ceiling.run());
  }
  const double best = static_cast<double>(ceiling.flops()) / fastest(ceiling_seconds) / 1e9;
  write_output(report(model, options, median(search_ms), best) + "\n");
}

OptionGroup option_group() {
  return {"What to measure",
          {{"images,n", "N", "images at a time (default: 1, then 16)"},
           {"beam,b", "N", "beam width (default: 5)"},
           {"threads,t", "N", "processor threads (default: all it may use)"},
           {"repeat,r", "N", "searches of 20 words each; medians over their steps are compared (default: 5)"}}};
}

}  // namespace

int bench_decoder(std::span<const std::string> args) {
  const CommandLine command = {
      "glimpse bench decoder [options]",
      "Runs beam searches with a decoder of random weights and the size of the well-known PyTorch tutorial's "
      "(512/512/512, 196 cells of 2048 features, 9,490 words), and after every step the step's matrix products alone, "
      "bare through oneDNN: weights packed, dense buffers of their own, whichever of matmul and inner product is "
      "faster, nothing else.",
      {option_group()},
      "A step is everything from word ids to log-probabilities. GFLOP/s counts the products only; the ceiling is a "
      "large square product's. Few rows cannot reach it: they read every weight for a few multiplications each.",
  };
  const std::optional<ParsedArguments> parsed = parse_arguments(command, args);
  if (!parsed) return static_cast<int>(ExitCode::kDone);
  if (!parsed->positional.empty()) {
    throw Error(ErrorCode::kUsage, "bench decoder takes no argument " + quote(parsed->positional.front()));
  }
  Options options;
  options.beam = parsed->integer("beam", 5, 1, 100);
  options.threads = parsed->integer("threads", dnn::available_threads(), 1, 1024);
  options.rounds = parsed->integer("repeat", 5, 1, 1000);
  std::vector<int> image_counts = {1, 16};
  if (parsed->has("images")) image_counts = {parsed->integer("images", 1, 1, 1024)};
  write_output(line("%s; %d threads, f32, median of %d steps\n", dnn::version().c_str(), options.threads,
                    options.rounds * options.words));
  dnn::set_thread_count(options.threads);
  const Decoder decoder(published_variant(), random_weights(), {1, static_cast<int>(kCells)}, static_cast<int>(kWords));
  for (const int images : image_counts) {
    options.images = images;
    bench(decoder, options);
  }
  return static_cast<int>(ExitCode::kDone);
}

}  // namespace glimpse::apps
