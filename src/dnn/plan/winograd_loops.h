/// The transforms of Winograd's minimal filtering F(4×4, 3×3) (see winograd.h), one tile or filter a call, each
/// compiled once per instruction set. With Lavin and Gray's matrices, the points of which are 0, ±1, ±2 and ∞.
#pragma once

#include <cstdint>

namespace glimpse::dnn {

/// A tile's cells in a picture whose channels stand in blocks.
struct TileCells {
  const std::int64_t* at;  ///< of each cell the place of its first number in a block; negative: outside the picture
  std::int64_t blocks;
  std::int64_t block_size;  ///< numbers from block to block
  std::int64_t lanes;       ///< numbers of a cell in a block: 8 or 16
};

/// Bᵀ d B of 6×6 cells: value p (of 36) of channel c goes to dst[p · plane + c].
void winograd_source(const float* picture, const TileCells& cells, float* dst, std::int64_t plane);
/// What happens to an output before it is stored.
struct WinogradEnd {
  const float* bias;  ///< a channel; none: null
  bool add = false;   ///< to what stands there
  float lo = 0;       ///< then clipped to [lo, hi]
  float hi = 0;
};
/// Aᵀ m A: 36 values to 4×4 cells.
void winograd_output(const float* src, std::int64_t plane, const TileCells& cells, const WinogradEnd& end,
                     float* picture);
/// A y Aᵀ of 4×4 cells, the transpose of winograd_output: what the gradient of an output is to the 36 values.
void winograd_output_d_src(const float* picture, const TileCells& cells, float* dst, std::int64_t plane);

/// G g Gᵀ of `count` filters of 3×3: value p of filter i goes to dst[p · plane + i]. `turned`: of the filters turned by
/// half a circle. `count` is a multiple of 8.
void winograd_filters(const float* filters, std::int64_t count, bool turned, float* dst, std::int64_t plane);
/// Gᵀ p G, its transpose.
void winograd_filters_d_src(const float* src, std::int64_t plane, std::int64_t count, float* filters);

}  // namespace glimpse::dnn
