/// Sizes of a model: parameters, multiply-adds, map.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "model/model.h"

namespace glimpse {

struct TensorTotals {
  std::int64_t count = 0;
  std::int64_t parameters = 0;
  std::int64_t bytes = 0;
};

struct ModelFacts {
  std::int64_t file_bytes = 0;
  std::size_t nodes = 0;  ///< of the encoder's graph
  std::int64_t encoder_parameters = 0;
  std::int64_t decoder_parameters = 0;
  std::int64_t multiply_adds = 0;                           ///< of the encoder, for one picture
  std::int64_t channels = 0;                                ///< of the map
  std::map<std::string_view, TensorTotals> tensors;         ///< by element type
  std::vector<std::pair<std::string, std::int64_t>> sizes;  ///< of the decoder's parts

  std::int64_t parameters() const { return encoder_parameters + decoder_parameters; }
};

/// Throws Error(kModel) for a model that cannot caption.
ModelFacts model_facts(const Model& model);

}  // namespace glimpse
