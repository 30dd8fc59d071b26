/// Compares compiled networks with the reference.
#pragma once

#include <vector>

#include "net/compile.h"

namespace glimpse::net::testing {

struct TunedTolerance {
  dnn::Tuning tuning = dnn::Tuning::kDirect;
  double relative_error = 0;
};

/// Expects that `graph` with random weights, run on a random `input` as the Plan that compile() makes, gives what it
/// gives when run literally, for each output that `options` ask for; once for each of `tunings`.
void expect_like_reference(const GraphSpec& graph, const Shape& input, CompileOptions options,
                           const std::vector<TunedTolerance>& tunings);

}  // namespace glimpse::net::testing
