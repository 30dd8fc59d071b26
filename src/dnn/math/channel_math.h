/// Weights for channels, as training runs them: those of SCA-CNN (Chen et al. 2017), and one for every cell and
/// channel. Forward and backward, on plain Arrays; the result does not depend on the number of threads.
#pragma once

#include <cstdint>

#include "dnn/kernels/array.h"
#include "dnn/math/step_math.h"

namespace glimpse::dnn {

/// What channels are scored with; see ChannelScores in vector_math.h.
struct ChannelInputs {
  Array values;  ///< [rows, C]
  Part shift;    ///< [rows, k]
  Array slope;   ///< [k, 1]
  Array weight;  ///< [1, k]
};
/// dst [rows, C].
void channel_scores(const ChannelInputs& in, const Array& dst, int threads);
/// All are added to.
struct ChannelGradients {
  Array values;
  Part shift;
  Array slopes;   ///< [rows, k], each row's part
  Array weights;  ///< [rows, k], likewise
};
void channel_scores_backward(const ChannelInputs& in, const Array& d_dst, const ChannelGradients& gradients,
                             int threads);

/// dst [rows · cells, D] = the memory of each row's image, its channels times those of weights [rows, D].
void scale_channels(const MemoryInputs& in, const Array& weights, const Array& dst, int threads);
/// d_memory is added to.
void scale_channels_backward(const MemoryInputs& in, const Array& weights, const Array& d_dst, const Array& d_memory,
                             const Array& d_weights, int threads);

/// What is read with a weight for every cell and channel.
struct ElementInputs {
  MemoryInputs memory;
  Array keys;  ///< [images · cells, D]
};
/// context [rows, D] = Σ over an image's cells of weights [rows, cells] · memory · σ(keys + query [rows, D]).
void element_read(const ElementInputs& in, const Array& weights, const Part& query, const Array& context, int threads);
/// All but d_weights are added to.
struct ElementGradients {
  Array weights;
  Part query;
  Array memory;
  Array keys;
};
void element_read_backward(const ElementInputs& in, const Array& weights, const Part& query, const Array& d_context,
                           const ElementGradients& gradients, int threads);

}  // namespace glimpse::dnn
