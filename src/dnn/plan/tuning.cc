#include "dnn/plan/tuning.h"

#include <algorithm>
#include <cmath>
#include <ctime>
#include <limits>
#include <memory>

#include "dnn/plan/workload.h"

namespace glimpse::dnn {
namespace {

using Variant = ConvolutionVariant;
constexpr std::array<Variant, 3> kVariants = {Variant::kPreferred, Variant::kBlocked, Variant::kWinograd};

/// The least gain for leaving the default, so that noise does not decide.
constexpr double kLayoutMargin = 0.97;
constexpr double kWinogradMargin = 0.95;

// Rounds stop once every variant's two fastest undisturbed runs agree: a quiet machine measures briefly, a busy one
// until each variant has twice had the processors to itself, or until the time is up.
constexpr int kMinRounds = 2;
constexpr int kMaxRounds = 24;
constexpr double kMaxSeconds = 0.05;
// Kernels too short to be disturbed are not waited for as long: small networks start quickly the first time too.
constexpr double kBriefSeconds = 0.003;
constexpr double kAgreement = 1.1;
/// Threads that wait for each other burn time while they do, so an undisturbed run takes nearly `threads` times its
/// wall time of the processors. One that was kept from a processor takes less, and a scheduler's tick longer.
constexpr double kUndisturbed = 0.9;
/// Shorter times cannot have a scheduler's tick in them.
constexpr double kTick = 1e-3;

/// The fastest of many runs.
class Fastest {
 public:
  void add(double seconds, bool undisturbed) {
    any_ = std::min(any_, seconds);
    if (!undisturbed) return;
    second_ = std::min(second_, std::max(first_, seconds));
    first_ = std::min(first_, seconds);
  }
  bool settled() const { return std::isfinite(second_) && second_ <= first_ * kAgreement; }
  bool reliable() const { return settled() || any_ < kTick; }
  double seconds() const { return std::isfinite(first_) ? first_ : any_; }

 private:
  double any_ = std::numeric_limits<double>::infinity();
  double first_ = std::numeric_limits<double>::infinity();   // of undisturbed runs
  double second_ = std::numeric_limits<double>::infinity();  // of undisturbed runs
};

double processor_seconds() {
  timespec time = {};
  ::clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &time);
  return static_cast<double>(time.tv_sec) + 1e-9 * static_cast<double>(time.tv_nsec);
}

std::string dims(std::initializer_list<std::int64_t> values) {
  std::string text;
  for (const std::int64_t value : values) {
    if (!text.empty()) text += 'x';
    text += std::to_string(value);
  }
  return text;
}

}  // namespace

std::string tuning_key(const ConvolutionProblem& problem, int threads) {
  const Shape& s = problem.src;
  const Shape& w = problem.weight;
  const ConvolutionOptions& o = problem.options;
  return std::string(instruction_set()) + ' ' + library_version() + " threads=" + std::to_string(threads) +
         " src=" + dims({s[0], s[1], s[2], s[3]}) + " weight=" + dims({w[0], w[1], w[2], w[3]}) +
         " stride=" + dims({o.stride[0], o.stride[1]}) + " dilation=" + dims({o.dilation[0], o.dilation[1]}) +
         " padding=" + dims({o.padding.top, o.padding.left, o.padding.bottom, o.padding.right}) +
         " groups=" + std::to_string(o.groups) + " activation=" + std::to_string(static_cast<int>(o.activation.kind)) +
         " bias=" + std::to_string(static_cast<int>(problem.bias)) +
         " residual=" + std::to_string(static_cast<int>(problem.residual));
}

Measurement measure_variants(const ConvolutionProblem& problem) {
  std::array<std::unique_ptr<Workload>, kVariants.size()> workloads;
  std::array<Fastest, kVariants.size()> fastest;
  const auto all = [&](auto condition) {
    for (std::size_t i = 0; i < kVariants.size(); ++i) {
      if (workloads[i] != nullptr && !condition(fastest[i])) return false;
    }
    return true;
  };
  for (std::size_t i = 0; i < kVariants.size(); ++i) {
    workloads[i] = Workload::convolution(problem, kVariants[i]);
    if (workloads[i] != nullptr) workloads[i]->run();  // warm-up: excludes page faults and cold code
  }
  double spent = 0;
  for (int round = 0; round < kMaxRounds; ++round) {
    const bool settled = all([](const Fastest& f) { return f.settled(); });
    const bool reliable = all([](const Fastest& f) { return f.reliable(); });
    if (round >= kMinRounds && (settled || spent > kMaxSeconds || (reliable && spent > kBriefSeconds))) break;
    for (std::size_t i = 0; i < kVariants.size(); ++i) {
      if (workloads[i] == nullptr) continue;
      const double before = processor_seconds();
      const double seconds = workloads[i]->run();
      const double busy = processor_seconds() - before;
      fastest[i].add(seconds, busy >= kUndisturbed * seconds * thread_count());
      spent += seconds;
    }
  }
  Measurement result;
  for (std::size_t i = 0; i < kVariants.size(); ++i) {
    if (workloads[i] != nullptr) result.times[i] = fastest[i].seconds();
  }
  result.reliable = all([](const Fastest& f) { return f.reliable(); });
  return result;
}

std::vector<ConvolutionVariant> choose_variants(std::span<const VariantTimes> times) {
  double preferred = 0;
  double blocked = 0;
  std::vector<Variant> variants;
  for (const VariantTimes& time : times) {
    // Preferred always exists; where nothing else does, a blocked network runs it between reorders.
    const double direct = time[1].value_or(*time[0]);
    const bool winograd = time[2] && *time[2] < direct * kWinogradMargin;
    variants.push_back(winograd ? Variant::kWinograd : Variant::kBlocked);
    preferred += *time[0];
    blocked += winograd ? *time[2] : direct;
  }
  if (blocked < preferred * kLayoutMargin) return variants;
  return std::vector<Variant>(times.size(), Variant::kPreferred);
}

std::vector<ConvolutionVariant> tune(const Network& network, const PlanOptions& options) {
  const bool measure = options.tuning == Tuning::kMeasure;
  TuningCache cache(measure ? options.tuning_cache : std::filesystem::path());
  std::vector<VariantTimes> times;
  for (const Op& op : network.ops) {
    const auto* convolution = std::get_if<ConvolutionOp>(&op.what);
    if (convolution == nullptr) continue;
    VariantTimes& time = times.emplace_back();
    if (!measure) continue;
    const std::string key = tuning_key(convolution->problem, options.threads);
    if (cache.find(key) == nullptr) {
      const Measurement measured = translate_errors(op.name, [&] { return measure_variants(convolution->problem); });
      cache.insert(key, measured.times, measured.reliable);
    }
    time = *cache.find(key);
  }
  if (measure) {
    cache.save();
    return choose_variants(times);
  }
  const bool direct = options.tuning == Tuning::kDirect;
  return std::vector<Variant>(times.size(), direct ? Variant::kPreferred : Variant::kWinograd);
}

}  // namespace glimpse::dnn
