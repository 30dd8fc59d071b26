/// The reference network: every node computed literally, in the order of the text, in plain loops over NCHW. Nothing is
/// fused or folded, no oneDNN, no shape inference of net's; sums are kept in double.
#pragma once

#include <cstdint>
#include <map>
#include <span>
#include <string>

#include "core/safetensors.h"
#include "core/tensor.h"
#include "net/graph.h"

namespace glimpse::net::testing {

/// Every node's value by name, and `image` itself.
std::map<std::string, Tensor> run_reference(const GraphSpec& graph, const Weights& weights, const Tensor& image);

/// ‖a − b‖ / ‖b‖ over all elements; 0 where both are zero, infinite where the counts differ.
double relative_error(std::span<const float> a, std::span<const float> b);

}  // namespace glimpse::net::testing
