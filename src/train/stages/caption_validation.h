/// Validation of a captioner under training: captions of held-out pictures, by the search that users get, scored as
/// `glimpse eval` scores.
#pragma once

#include <span>

#include "model/model.h"
#include "data/captioned_set.h"
#include "train/run/observer.h"
#include "autograd/parameters.h"

namespace glimpse::train {

/// "BLEU-4" and "CIDEr" of beam 3 with the default options, over those `pictures` that can be read. Throws
/// Error(kDecode) where none can.
Measures score_captioner(const ModelConfig& config, const ParameterSet& parameters,
                         std::span<const CaptionedPicture> pictures, int threads);

}  // namespace glimpse::train
