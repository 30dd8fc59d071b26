/// Compiled networks beside the slow reference.
#pragma once

#include "net/compile.h"

namespace glimpse::net::testing {

/// Expects that `graph` with random weights, run on a random `input` as the Plan that compile() makes, gives what it
/// gives when run literally: relative error at most `tolerance` for each output that `options` ask for.
void expect_like_reference(const GraphSpec& graph, const Shape& input, CompileOptions options, double tolerance);

}  // namespace glimpse::net::testing
