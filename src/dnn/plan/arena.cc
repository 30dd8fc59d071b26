#include "dnn/plan/arena.h"

#include <algorithm>
#include <numeric>

#include "core/buffer.h"

namespace glimpse::dnn {
namespace {

std::size_t rounded_up(std::size_t bytes) {
  return (bytes + AlignedBuffer::kAlignment - 1) / AlignedBuffer::kAlignment * AlignedBuffer::kAlignment;
}

bool overlap(const Lifetime& a, const Lifetime& b) { return a.first <= b.last && b.first <= a.last; }

struct Block {
  std::size_t begin, end;
};

/// The start of the smallest gap of at least `bytes` between `taken`, or the end of the last block.
std::size_t best_gap(std::vector<Block>& taken, std::size_t bytes) {
  std::sort(taken.begin(), taken.end(), [](const Block& a, const Block& b) { return a.begin < b.begin; });
  std::size_t end = 0;
  std::size_t best = 0;
  std::size_t best_size = 0;
  for (const Block& block : taken) {
    if (block.begin >= end + bytes && (best_size == 0 || block.begin - end < best_size)) {
      best = end;
      best_size = block.begin - end;
    }
    end = std::max(end, block.end);
  }
  return best_size > 0 ? best : end;
}

}  // namespace

ArenaLayout lay_out_arena(std::span<const Lifetime> buffers) {
  std::vector<std::size_t> order(buffers.size());
  std::iota(order.begin(), order.end(), std::size_t{0});
  std::stable_sort(order.begin(), order.end(),
                   [&](std::size_t a, std::size_t b) { return buffers[a].bytes > buffers[b].bytes; });
  ArenaLayout layout;
  layout.offsets.resize(buffers.size());
  std::vector<std::size_t> placed;
  std::vector<Block> taken;
  for (const std::size_t i : order) {
    const std::size_t bytes = rounded_up(buffers[i].bytes);
    taken.clear();
    for (const std::size_t other : placed) {
      if (!overlap(buffers[i], buffers[other])) continue;
      taken.push_back({layout.offsets[other], layout.offsets[other] + rounded_up(buffers[other].bytes)});
    }
    layout.offsets[i] = bytes == 0 ? 0 : best_gap(taken, bytes);
    layout.bytes = std::max(layout.bytes, layout.offsets[i] + bytes);
    if (bytes > 0) placed.push_back(i);
  }
  return layout;
}

}  // namespace glimpse::dnn
