/// The few operations that oneDNN has no fast primitive for, as vectorised loops over channels-last tensors. Internal
/// to src/dnn.
#pragma once

#include <cstdint>

#include "dnn/plan/network.h"

namespace glimpse::dnn {

/// src [n, in_rows, in_cols, channels] → dst [n, rows, cols, channels].
void binned_average(const BinnedAverageOp& op, const Shape& src_nchw, const float* src, float* dst);

/// src [cells, channels] → dst [cells].
void reduce_channels(const ChannelReductionOp& op, std::int64_t cells, std::int64_t channels, const float* src,
                     float* dst);

/// src [n, cells, 3 · channels]: queries, keys, values → dst [n, cells, channels]; scratch [n, heads, cells, cells].
struct SelfAttentionShape {
  std::int64_t pictures = 1;
  std::int64_t cells = 1;
  std::int64_t channels = 1;
  std::int64_t heads = 1;
};
void self_attention(const SelfAttentionShape& shape, const float* src, float* dst, float* scratch);

/// Each row of src [rows, channels].
void layer_norm(const Tensor& scale, const Tensor& shift, float epsilon, std::int64_t rows, const float* src,
                float* dst);

}  // namespace glimpse::dnn
