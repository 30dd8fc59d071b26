/// The tensors of a decoder under training: their names and shapes, which are those that Decoder reads, and the numbers
/// that they start from.
#pragma once

#include <cstdint>

#include "autograd/parameters.h"
#include "core/safetensors.h"
#include "model/model.h"

namespace glimpse::train {

/// The statistic that hard attention's choices are measured against: the moving mean of captions' log-likelihoods.
constexpr const char* kHardBaseline = "hard.baseline";

struct DecoderShape {
  std::int64_t features = 0;     ///< D, channels of the encoder's map
  std::int64_t projected = 512;  ///< of the projected map; without meaning where the config has no projection
  std::int64_t attention = 256;  ///< of keys and queries
  std::int64_t hidden = 512;     ///< of the LSTM
  std::int64_t embedding = 256;  ///< of a word
  std::int64_t init = 512;       ///< hidden layer of a two-layer start
  std::int64_t deep = 512;       ///< of the deep output
  std::int64_t vocabulary = 0;
  bool query_bias = false;  ///< beside the key's bias, which makes it superfluous: for sets that come with one
};

/// The shape of a decoder that stands in a weights file, to go on training it. Throws Error(kModel) for tensors that
/// are missing or no matrices.
DecoderShape decoder_shape(const DecoderConfig& config, const Weights& weights);

/// Adds the decoder's tensors with random numbers: matrices uniform in ±√(6 / (in + out)) (Glorot and Bengio 2010), the
/// embedding uniform in ±0.1, biases 0 but the LSTM's forget gates' 1 (Jozefowicz et al. 2015). Throws Error(kUsage)
/// for heads that cannot share the sizes evenly.
void add_decoder_parameters(const DecoderConfig& config, const DecoderShape& shape, std::uint64_t seed,
                            ParameterSet& parameters);

}  // namespace glimpse::train
