/// The few operations that oneDNN has no fast primitive for, as vectorised loops over channels-last tensors. Internal
/// to src/dnn.
#pragma once

#include <cstdint>

#include "dnn/network.h"

namespace glimpse::dnn {

/// src [n, in_rows, in_cols, channels] → dst [n, rows, cols, channels].
void binned_average(const BinnedAverageOp& op, const Shape& src_nchw, const float* src, float* dst);

/// src [cells, channels] → dst [cells].
void reduce_channels(const ChannelReductionOp& op, std::int64_t cells, std::int64_t channels, const float* src,
                     float* dst);

}  // namespace glimpse::dnn
