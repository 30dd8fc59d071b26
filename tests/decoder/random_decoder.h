/// Decoders of any variant and size with random weights.
#pragma once

#include <string>
#include <vector>

#include "core/random.h"
#include "core/safetensors.h"
#include "model/model.h"

namespace glimpse::testing {

/// Of the variants with several: they divide the sizes below.
constexpr int kHeads = 3;

/// Odd sizes by default, so that every vectorised loop has a rest.
struct RandomDecoderShape {
  std::int64_t features = 15;
  std::int64_t projected = 9;  ///< ignored without feature projection
  std::int64_t attention = 21;
  std::int64_t embedding = 9;
  std::int64_t hidden = 21;
  std::int64_t init = 10;  ///< hidden layer of a two-layer init
  std::int64_t deep = 17;
  std::int64_t words = 37;
  int cells = 15;
  bool optional_biases = true;  ///< query.bias and score.bias

  /// Of several rows where the cells allow it.
  Grid grid() const {
    for (const int rows : {3, 2}) {
      if (cells % rows == 0) return {rows, cells / rows};
    }
    return {1, cells};
  }
};

using TensorMap = std::map<std::string, Tensor, std::less<>>;

/// Every combination of the variants that DecoderConfig lists.
std::vector<DecoderConfig> all_variants();
/// "relu(feature), additive tanh, scalar gate, …", to repeat a failing case by.
std::string describe(const DecoderConfig& config);

TensorMap random_tensors(const DecoderConfig& config, const RandomDecoderShape& shape, std::uint64_t seed);
/// [images, cells, features]
Tensor random_features(const RandomDecoderShape& shape, int images, std::uint64_t seed);

}  // namespace glimpse::testing
