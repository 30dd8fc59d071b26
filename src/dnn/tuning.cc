#include "dnn/tuning.h"

#include <algorithm>
#include <chrono>
#include <limits>
#include <memory>

#include "dnn/workload.h"

namespace glimpse::dnn {
namespace {

using Variant = ConvolutionVariant;
constexpr std::array<Variant, 3> kVariants = {Variant::kPreferred, Variant::kBlocked, Variant::kWinograd};

/// A slower choice must not win by noise: leaving the default takes at least this.
constexpr double kLayoutMargin = 0.97;
constexpr double kWinogradMargin = 0.95;

/// Rounds stop once every variant's two fastest runs agree, so that a quiet machine measures briefly and a busy one
/// until each variant has twice had the processor to itself.
constexpr int kMinRounds = 2;
constexpr int kMaxRounds = 12;
constexpr double kAgreement = 1.1;

/// The two fastest of many runs.
struct Fastest {
  double first = std::numeric_limits<double>::infinity();
  double second = std::numeric_limits<double>::infinity();

  void add(double seconds) {
    second = std::min(second, std::max(first, seconds));
    first = std::min(first, seconds);
  }
  bool settled() const { return second <= first * kAgreement; }
};

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

VariantTimes measure_variants(const ConvolutionProblem& problem) {
  std::array<std::unique_ptr<Workload>, kVariants.size()> workloads;
  for (std::size_t i = 0; i < kVariants.size(); ++i) {
    workloads[i] = Workload::convolution(problem, kVariants[i]);
    if (workloads[i] != nullptr) workloads[i]->run();  // page faults and cold code are not the kernel's
  }
  std::array<Fastest, kVariants.size()> fastest;
  const auto all_settled = [&] {
    for (std::size_t i = 0; i < kVariants.size(); ++i) {
      if (workloads[i] != nullptr && !fastest[i].settled()) return false;
    }
    return true;
  };
  for (int round = 0; round < kMaxRounds && (round < kMinRounds || !all_settled()); ++round) {
    for (std::size_t i = 0; i < kVariants.size(); ++i) {
      if (workloads[i] != nullptr) fastest[i].add(workloads[i]->run());
    }
  }
  VariantTimes times;
  for (std::size_t i = 0; i < kVariants.size(); ++i) {
    if (workloads[i] != nullptr) times[i] = fastest[i].first;
  }
  return times;
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
      cache.insert(key, translate_errors(op.name, [&] { return measure_variants(convolution->problem); }));
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
