#include "train/nets/decoder_parameters.h"

#include <algorithm>
#include <cmath>
#include <utility>

#include "core/error.h"
#include "core/random.h"

namespace glimpse::train {
namespace {

using Role = ops::TensorSpec::Role;

/// Of cosines at first: between −1 and 1 alone a softmax can hardly choose (Liu et al. 2022 begin with 10, too).
constexpr float kSharpness = 10;

void check(const DecoderConfig& config, const DecoderSizes& sizes) {
  if (!config.graph.empty()) return;  // its text is checked node by node
  const bool projects = config.feature_projection != DecoderConfig::FeatureProjection::kNone;
  const std::int64_t memory = projects ? sizes.memory : sizes.features;
  if (memory % config.heads != 0 || sizes.attention % config.heads != 0) {
    throw Error(ErrorCode::kUsage, std::to_string(config.heads) + " heads cannot share maps of " +
                                       std::to_string(memory) + " channels and keys of " +
                                       std::to_string(sizes.attention) + " evenly");
  }
  if (config.history != DecoderConfig::History::kNone && config.output == DecoderConfig::Output::kPlain) {
    throw Error(ErrorCode::kUsage, "a decoder that looks at its past (decoder.history) needs a deep output to read it");
  }
}

/// Matrices uniform in ±√(6 / (in + out)), the embedding in ±0.1; no random numbers are spent on the others.
Tensor start_of(const ops::TensorSpec& spec, Random& random) {
  Tensor tensor(spec.shape);
  const auto uniform = [&](double bound) {
    for (float& value : tensor.values()) value = static_cast<float>(bound * (2 * random.uniform() - 1));
  };
  const auto fill = [&](float value) { std::ranges::fill(tensor.values(), value); };
  switch (spec.role) {
    case Role::kWeight:
      uniform(std::sqrt(6.0 / static_cast<double>(spec.shape[0] + spec.shape[1])));
      break;
    case Role::kEmbedding:
      uniform(0.1);
      break;
    case Role::kSharpness:
      fill(kSharpness);
      break;
    case Role::kScale:
    case Role::kVariance:
      fill(1);
      break;
    case Role::kGateBias: {
      fill(0);
      const std::size_t n = tensor.values().size() / 4;
      std::ranges::fill(tensor.values().subspan(n, n), 1.0F);
      break;
    }
    case Role::kBias:
    case Role::kShift:
    case Role::kMean:
      fill(0);
      break;
  }
  return tensor;
}

std::size_t place_of(const std::string& name) {
  const auto& order = tensor_order();
  return static_cast<std::size_t>(std::ranges::find(order, name) - order.begin());
}

}  // namespace

void add_decoder_parameters(const DecoderConfig& config, const DecoderSizes& sizes, std::uint64_t seed,
                            ParameterSet& parameters) {
  check(config, sizes);
  const net::StepGraph graph = decoder_graph(config, sizes);
  std::vector<ops::TensorSpec> specs = net::step_tensors(graph, 1, sizes.features);
  std::ranges::stable_sort(specs, {}, [](const ops::TensorSpec& spec) { return place_of(spec.name); });
  const bool hard = std::ranges::any_of(graph.graph.nodes, [](const net::Node& node) {
    return node.is("attend") && node.attributes.text("select").starts_with("hard");
  });
  if (hard) {
    Tensor baseline(Shape{1});
    baseline.values()[0] = 0;
    parameters.add_statistic(kHardBaseline, std::move(baseline));
  }
  Random random(seed);
  for (const ops::TensorSpec& spec : specs) {
    const bool decays = spec.role == Role::kWeight || spec.role == Role::kEmbedding;
    parameters.add(spec.name, start_of(spec, random), decays);
  }
}

}  // namespace glimpse::train
