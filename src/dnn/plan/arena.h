/// Where buffers with known lifetimes lie in one shared block of memory. Buffers that live at the same time never
/// overlap. Internal to src/dnn.
#pragma once

#include <cstddef>
#include <span>
#include <vector>

namespace glimpse::dnn {

struct Lifetime {
  std::size_t bytes = 0;
  int first = 0;  ///< the first step that touches the buffer
  int last = 0;   ///< the last one, inclusive
};

struct ArenaLayout {
  std::vector<std::size_t> offsets;  ///< by buffer, multiples of AlignedBuffer::kAlignment
  std::size_t bytes = 0;
};

/// Greedy by size: the largest buffer first, each into the smallest gap it fits between those placed before that live
/// at the same time.
ArenaLayout lay_out_arena(std::span<const Lifetime> buffers);

}  // namespace glimpse::dnn
