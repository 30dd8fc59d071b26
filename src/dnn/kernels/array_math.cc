#include "dnn/kernels/array_math.h"

#include <algorithm>
#include <cassert>
#include <cstring>
#include <limits>

#include "dnn/runtime/engine.h"
#include "dnn/math/activation.h"
#include "dnn/math/lane_loops.h"
#include "dnn/runtime/over_rows.h"
#include "dnn/runtime/threads.h"
#include "dnn/math/vector_math.h"

namespace glimpse::dnn {
namespace {

/// Calls body(n, block index, offset of the block) for each block of channels of each picture.
template <typename Body>
void over_blocks(const Extent& e, int threads, Body body) {
  const std::int64_t size = e.cells * e.lanes;
  run_on_threads(threads, [&] {
    parallel_for(e.n * e.blocks, std::max<std::int64_t>(1, kGrain / std::max<std::int64_t>(1, size)),
                 [&](std::int64_t begin, std::int64_t end) {
                   for (std::int64_t i = begin; i < end; ++i) body(i / e.blocks, i % e.blocks, i * size);
                 });
  });
}

/// The same for each picture.
template <typename Body>
void over_pictures(const Extent& e, int threads, Body body) {
  run_on_threads(threads, [&] {
    parallel_for(e.n, 1, [&](std::int64_t begin, std::int64_t end) {
      for (std::int64_t n = begin; n < end; ++n) body(n);
    });
  });
}

/// Channels of the block that are there; those beyond are padding.
std::int64_t lanes_used(const Shape& shape, const Extent& e, std::int64_t block) {
  return std::min(e.lanes, shape[1] - block * e.lanes);
}

/// The numbers of a plain [N,C,1,1] that a block of channels meets, with zeros for the padding.
class Lanes {
 public:
  Lanes(const Array& plain, std::int64_t n, std::int64_t block, std::int64_t lanes) {
    const std::int64_t channels = plain.dim(1);
    const float* from = plain.data() + n * channels + block * lanes;
    if ((block + 1) * lanes <= channels) {
      numbers_ = from;
      return;
    }
    std::fill_n(padded_, lanes, 0.0F);
    std::copy_n(from, channels - block * lanes, padded_);
    numbers_ = padded_;
  }
  const float* data() const { return numbers_; }

 private:
  float padded_[16];
  const float* numbers_;
};

template <typename Same, typename ByLane, typename ByCell>
void combine(const Array& a, const Array& b, const Array& dst, int threads, Same same, ByLane by_lane, ByCell by_cell) {
  const Spread spread = spread_of(a.shape(), b.shape());
  if (spread == Spread::kSame) {
    assert(a.block() == b.block());
    over_numbers(static_cast<std::int64_t>(a.values().size()), threads, [&](std::int64_t from, std::int64_t count) {
      same(a.data() + from, b.data() + from, dst.data() + from, count);
    });
    return;
  }
  const Extent e = extent_of(a.shape(), a.block());
  over_blocks(e, threads, [&](std::int64_t n, std::int64_t block, std::int64_t at) {
    if (spread == Spread::kChannel) {
      by_lane(a.data() + at, Lanes(b, n, block, e.lanes).data(), dst.data() + at, Block{e.cells, e.lanes});
    } else {
      by_cell(a.data() + at, b.data() + n * e.cells, dst.data() + at, Block{e.cells, e.lanes});
    }
  });
}

}  // namespace

void add_to(const Array& sum, const Array& more, int threads) {
  assert(sum.block() == more.block());
  over_numbers(static_cast<std::int64_t>(sum.values().size()), threads,
               [&](std::int64_t from, std::int64_t count) { add_to(sum.data() + from, more.data() + from, count); });
}

void activate(const Activation& activation, const Array& src, const Array& dst, int threads) {
  const auto forward = function_of(activation.kind).forward;
  over_numbers(static_cast<std::int64_t>(src.values().size()), threads, [&](std::int64_t from, std::int64_t count) {
    forward(activation, src.data() + from, dst.data() + from, count);
  });
  dst.clear_padding();  // sigmoid(0) is not 0
}

void activate_d_src(const Activation& activation, const Array& src, const Array& dst, const Array& d_dst,
                    const Array& d_src, int threads) {
  const auto backward = function_of(activation.kind).backward;
  over_numbers(static_cast<std::int64_t>(dst.values().size()), threads, [&](std::int64_t from, std::int64_t count) {
    backward(activation, src.data() + from, dst.data() + from, d_dst.data() + from, d_src.data() + from, count);
  });
}

Spread spread_of(const Shape& larger, const Shape& smaller) {
  if (larger == smaller) return Spread::kSame;
  return smaller[1] == larger[1] ? Spread::kChannel : Spread::kCell;
}

void add_spread(const Array& a, const Array& b, const Array& dst, int threads) {
  using Loop = void (*)(const float*, const float*, float*, std::int64_t);
  combine(a, b, dst, threads, static_cast<Loop>(add), add_lanes, add_cells);
  dst.clear_padding();
}

void multiply_spread(const Array& a, const Array& b, const Array& dst, int threads) {
  combine(a, b, dst, threads, multiply, multiply_lanes, multiply_cells);
}

void gather_spread(const Array& d_dst, const Array* a, const Array& d_b, int threads) {
  const Extent e = extent_of(d_dst.shape(), d_dst.block());
  const Spread spread = spread_of(d_dst.shape(), d_b.shape());
  const Block size{e.cells, e.lanes};
  if (spread == Spread::kChannel) {
    const std::int64_t channels = d_b.dim(1);
    over_blocks(e, threads, [&](std::int64_t n, std::int64_t block, std::int64_t at) {
      float sums[16] = {};
      if (a != nullptr) {
        sum_to_lanes(d_dst.data() + at, a->data() + at, sums, size);
      } else {
        sum_to_lanes(d_dst.data() + at, sums, size);
      }
      std::copy_n(sums, lanes_used(d_dst.shape(), e, block), d_b.data() + n * channels + block * e.lanes);
    });
    return;
  }
  assert(spread == Spread::kCell);
  over_pictures(e, threads, [&](std::int64_t n) {
    float* sums = d_b.data() + n * e.cells;
    std::fill_n(sums, e.cells, 0.0F);
    for (std::int64_t block = 0; block < e.blocks; ++block) {
      const std::int64_t at = (n * e.blocks + block) * e.cells * e.lanes;
      if (a != nullptr) {
        sum_to_cells(d_dst.data() + at, a->data() + at, sums, size);
      } else {
        sum_to_cells(d_dst.data() + at, sums, size);
      }
    }
  });
}

void channel_mean(const Array& src, const Array& dst, int threads) {
  gather_spread(src, nullptr, dst, threads);
  const float scale = 1.0F / static_cast<float>(src.dim(1));
  for (float& value : dst.values()) value *= scale;
}

void channel_max(const Array& src, const Array& dst, std::int32_t* channel, int threads) {
  const Extent e = extent_of(src.shape(), src.block());
  over_pictures(e, threads, [&](std::int64_t n) {
    float* best = dst.data() + n * e.cells;
    std::int32_t* which = channel + n * e.cells;
    std::fill_n(best, e.cells, -std::numeric_limits<float>::infinity());
    for (std::int64_t block = 0; block < e.blocks; ++block) {
      const float* at = src.data() + (n * e.blocks + block) * e.cells * e.lanes;
      const std::int64_t lanes = lanes_used(src.shape(), e, block);
      for (std::int64_t i = 0; i < e.cells; ++i) {
        for (std::int64_t l = 0; l < lanes; ++l) {
          if (at[i * e.lanes + l] <= best[i]) continue;
          best[i] = at[i * e.lanes + l];
          which[i] = static_cast<std::int32_t>(block * e.lanes + l);
        }
      }
    }
  });
}

void channel_max_d_src(const Array& d_dst, const std::int32_t* channel, const Array& d_src, int threads) {
  const Extent e = extent_of(d_src.shape(), d_src.block());
  over_pictures(e, threads, [&](std::int64_t n) {
    for (std::int64_t i = 0; i < e.cells; ++i) {
      const std::int64_t c = channel[n * e.cells + i];
      d_src.data()[((n * e.blocks + c / e.lanes) * e.cells + i) * e.lanes + c % e.lanes] +=
          d_dst.data()[n * e.cells + i];
    }
  });
}

}  // namespace glimpse::dnn
