/// Attention among the cells of a map by plain loops in double precision. Maps are [N,C,H,W].
#pragma once

#include <cstdint>

#include "core/tensor.h"

namespace glimpse::net::testing {

/// weight [out,C], bias [out] → [N,out,H,W].
Tensor each_cell(const Tensor& src, const Tensor& weight, const Tensor& bias);

/// `projected` [N,3C,H,W] holds queries, keys and values → [N,C,H,W].
Tensor attend_to_cells(const Tensor& projected, std::int64_t heads);

/// Over the channels of each cell.
Tensor layer_norm(const Tensor& src, const Tensor& scale, const Tensor& shift, double epsilon);

}  // namespace glimpse::net::testing
