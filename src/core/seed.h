/// Derives seeds from seeds.
#pragma once

#include <cstdint>

#include "core/random.h"

namespace glimpse {

/// A seed of its own for each `which`.
inline std::uint64_t mixed(std::uint64_t seed, std::uint64_t which) {
  return Random(Random(seed).next() ^ which).next();
}

}  // namespace glimpse
