/// Chooses by measurement how a network's convolutions are computed. Internal to src/dnn.
///
/// Winograd kernels and the older direct ones work on blocked channels, the newest direct ones on channels-last, and a
/// reorder between them eats what is won: so the layout is chosen once for a network, from the sum of the times of its
/// convolutions, and within the blocked layout Winograd or direct for each.
#pragma once

#include <span>
#include <string>
#include <vector>

#include "dnn/plan/convolution.h"
#include "dnn/plan/network.h"
#include "dnn/plan/tuning_cache.h"

namespace glimpse::dnn {

/// The key of a measured time: instruction set, library version, threads, and everything the kernel depends on.
std::string tuning_key(const ConvolutionProblem& problem, int threads);

struct Measurement {
  VariantTimes times;
  bool reliable = false;  ///< false if other load disturbed it: usable now, not to be cached
};

/// The fastest run of each variant, measured in turns on as many threads as are in force, reorders to and from blocked
/// layout included where kBlocked has no kernel of its own.
Measurement measure_variants(const ConvolutionProblem& problem);

/// One variant for each problem. Differences within the noise of a measurement decide for kPreferred, then kBlocked.
std::vector<ConvolutionVariant> choose_variants(std::span<const VariantTimes> times);

/// One variant for each of a network's convolutions in order, as `options.tuning` says; measures what
/// options.tuning_cache does not know yet and remembers it there. Throws Error(kModel) naming the step that oneDNN
/// refuses.
std::vector<ConvolutionVariant> tune(const Network& network, const PlanOptions& options);

}  // namespace glimpse::dnn
