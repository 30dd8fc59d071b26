/// Where pooling windows lie along one side of a map. Internal to src/dnn.
#pragma once

#include <cstdint>
#include <vector>

namespace glimpse::dnn {

/// The cells that one window averages along a side.
struct Bin {
  std::int64_t begin = 0, end = 0;  ///< the cells that are there, [begin, end)
  std::int64_t divisor = 1;         ///< how many the sum is divided by along this side
};

/// Cells of one side that a pooling window starts at, and how far outside the input it may read.
struct Side {
  std::int64_t size, kernel, stride, before, after;
};

/// As torch counts: with `ceil` a last, partial window counts if it starts inside the input or the padding before it.
std::int64_t pooled_size(const Side& side, bool ceil);

/// As torch divides when padding counts: by the part of the window that lies in the input or its padding, not by what
/// ceil mode adds beyond. When it does not, by the part that lies in the input.
std::vector<Bin> window_bins(const Side& side, std::int64_t count, bool count_padding);

/// Bin i of `out` over `in`: from ⌊in·i/out⌋ to ⌈in·(i+1)/out⌉.
std::vector<Bin> adaptive_bins(std::int64_t in, std::int64_t out);

}  // namespace glimpse::dnn
