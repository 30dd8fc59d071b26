/// The tensors of a decoder under training, as its text names them (decoder/formulas.h), and their initial values.
#pragma once

#include <cstdint>

#include "autograd/parameters.h"
#include "core/safetensors.h"
#include "decoder/formulas.h"
#include "model/model.h"

namespace glimpse::train {

/// Hard attention's baseline: the moving mean of captions' log-likelihoods.
constexpr const char* kHardBaseline = "hard.baseline";

/// Adds the decoder's tensors with random numbers: matrices uniform in ±√(6 / (in + out)) (Glorot and Bengio 2010), the
/// embedding uniform in ±0.1, biases 0 but the LSTM's forget gates' 1 (Jozefowicz et al. 2015). Throws Error(kUsage)
/// for heads that cannot share the sizes evenly.
void add_decoder_parameters(const DecoderConfig& config, const DecoderSizes& sizes, std::uint64_t seed,
                            ParameterSet& parameters);

}  // namespace glimpse::train
