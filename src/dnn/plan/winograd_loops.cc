#include "dnn/plan/winograd_loops.h"

#include <algorithm>
#include <array>

#include "dnn/math/multiversion.h"

namespace glimpse::dnn {
namespace {

/// `L` neighbouring numbers at each of N places.
template <int N, int L>
using Places = std::array<std::array<float, L>, N>;

// One line of a transform: out = M · in for each lane, `in` and `out` being called with a row and a lane.

struct SourceLine {  // Bᵀ
  static constexpr int kIn = 6;
  static constexpr int kOut = 6;
  template <int L, typename In, typename Out>
  static GLIMPSE_INLINE void apply(In in, Out out) {
#pragma omp simd
    for (int l = 0; l < L; ++l) {
      const float even = in(4, l) - 4 * in(2, l);
      const float odd = in(3, l) - 4 * in(1, l);
      const float even2 = in(4, l) - in(2, l);
      const float odd2 = 2 * (in(3, l) - in(1, l));
      out(0, l) = 4 * in(0, l) - 5 * in(2, l) + in(4, l);
      out(1, l) = even + odd;
      out(2, l) = even - odd;
      out(3, l) = even2 + odd2;
      out(4, l) = even2 - odd2;
      out(5, l) = 4 * in(1, l) - 5 * in(3, l) + in(5, l);
    }
  }
};

struct OutputLine {  // Aᵀ
  static constexpr int kIn = 6;
  static constexpr int kOut = 4;
  template <int L, typename In, typename Out>
  static GLIMPSE_INLINE void apply(In in, Out out) {
#pragma omp simd
    for (int l = 0; l < L; ++l) {
      const float even = in(1, l) + in(2, l);
      const float odd = in(1, l) - in(2, l);
      const float even2 = in(3, l) + in(4, l);
      const float odd2 = in(3, l) - in(4, l);
      out(0, l) = in(0, l) + even + even2;
      out(1, l) = odd + 2 * odd2;
      out(2, l) = even + 4 * even2;
      out(3, l) = odd + 8 * odd2 + in(5, l);
    }
  }
};

struct OutputGradientLine {  // A
  static constexpr int kIn = 4;
  static constexpr int kOut = 6;
  template <int L, typename In, typename Out>
  static GLIMPSE_INLINE void apply(In in, Out out) {
#pragma omp simd
    for (int l = 0; l < L; ++l) {
      const float even = in(0, l) + in(2, l);
      const float odd = in(1, l) + in(3, l);
      const float even2 = in(0, l) + 4 * in(2, l);
      const float odd2 = 2 * in(1, l) + 8 * in(3, l);
      out(0, l) = in(0, l);
      out(1, l) = even + odd;
      out(2, l) = even - odd;
      out(3, l) = even2 + odd2;
      out(4, l) = even2 - odd2;
      out(5, l) = in(3, l);
    }
  }
};

struct FilterLine {  // G
  static constexpr int kIn = 3;
  static constexpr int kOut = 6;
  template <int L, typename In, typename Out>
  static GLIMPSE_INLINE void apply(In in, Out out) {
#pragma omp simd
    for (int l = 0; l < L; ++l) {
      const float even = (in(0, l) + in(2, l)) * (-1.0F / 6);
      const float odd = in(1, l) * (-1.0F / 6);
      const float even2 = in(0, l) * (1.0F / 24) + in(2, l) * (1.0F / 6);
      const float odd2 = in(1, l) * (1.0F / 12);
      out(0, l) = in(0, l) * 0.25F;
      out(1, l) = even + odd;
      out(2, l) = even - odd;
      out(3, l) = even2 + odd2;
      out(4, l) = even2 - odd2;
      out(5, l) = in(2, l);
    }
  }
};

struct FilterGradientLine {  // Gᵀ
  static constexpr int kIn = 6;
  static constexpr int kOut = 3;
  template <int L, typename In, typename Out>
  static GLIMPSE_INLINE void apply(In in, Out out) {
#pragma omp simd
    for (int l = 0; l < L; ++l) {
      const float even = (in(1, l) + in(2, l)) * (-1.0F / 6);
      const float even2 = in(3, l) + in(4, l);
      out(0, l) = in(0, l) * 0.25F + even + even2 * (1.0F / 24);
      out(1, l) = (in(2, l) - in(1, l)) * (1.0F / 6) + (in(3, l) - in(4, l)) * (1.0F / 12);
      out(2, l) = even + even2 * (1.0F / 6) + in(5, l);
    }
  }
};

/// M · in · Mᵀ of kIn² places: columns first, then rows. `in` and `out` are called with a place, for its numbers.
template <typename Line, int L, typename In, typename Out>
GLIMPSE_INLINE void transform(In in, Out out) {
  constexpr int kIn = Line::kIn;
  constexpr int kOut = Line::kOut;
  Places<kOut * kIn, L> half;
  for (int col = 0; col < kIn; ++col) {
    std::array<const float*, kIn> from;
    for (int row = 0; row < kIn; ++row) from[row] = in(row * kIn + col);
    Line::template apply<L>([&](int row, int l) { return from[row][l]; },
                            [&](int row, int l) -> float& { return half[row * kIn + col][l]; });
  }
  for (int row = 0; row < kOut; ++row) {
    std::array<float*, kOut> to;
    for (int col = 0; col < kOut; ++col) to[col] = out(row * kOut + col);
    Line::template apply<L>([&](int col, int l) { return half[row * kIn + col][l]; },
                            [&](int col, int l) -> float& { return to[col][l]; });
  }
}

constexpr std::array<float, 16> kNothing{};

template <typename Line, int L>
GLIMPSE_INLINE void from_cells(const float* picture, const TileCells& cells, float* dst, std::int64_t plane) {
  for (std::int64_t b = 0; b < cells.blocks; ++b) {
    const float* block = picture + b * cells.block_size;
    transform<Line, L>([&](int i) { return cells.at[i] < 0 ? kNothing.data() : block + cells.at[i]; },
                       [&](int i) { return dst + i * plane + b * L; });
  }
}

template <int L>
GLIMPSE_INLINE void to_cells(const float* src, std::int64_t plane, const TileCells& cells, const WinogradEnd& end,
                             float* picture) {
  Places<16, L> tile;
  for (std::int64_t b = 0; b < cells.blocks; ++b) {
    transform<OutputLine, L>([&](int i) { return src + i * plane + b * L; }, [&](int i) { return tile[i].data(); });
    const float* bias = end.bias == nullptr ? kNothing.data() : end.bias + b * L;
    float* block = picture + b * cells.block_size;
    for (int i = 0; i < 16; ++i) {
      if (cells.at[i] < 0) continue;
      float* cell = block + cells.at[i];
#pragma omp simd
      for (int l = 0; l < L; ++l) {
        const float sum = tile[i][l] + bias[l] + (end.add ? cell[l] : 0.0F);
        cell[l] = std::min(std::max(sum, end.lo), end.hi);
      }
    }
  }
}

/// Filters that are transformed together.
constexpr int kFilters = 8;

}  // namespace

GLIMPSE_MULTIVERSION void winograd_source(const float* picture, const TileCells& cells, float* dst,
                                          std::int64_t plane) {
  if (cells.lanes == 16) return from_cells<SourceLine, 16>(picture, cells, dst, plane);
  from_cells<SourceLine, 8>(picture, cells, dst, plane);
}

GLIMPSE_MULTIVERSION void winograd_output(const float* src, std::int64_t plane, const TileCells& cells,
                                          const WinogradEnd& end, float* picture) {
  if (cells.lanes == 16) return to_cells<16>(src, plane, cells, end, picture);
  to_cells<8>(src, plane, cells, end, picture);
}

GLIMPSE_MULTIVERSION void winograd_output_d_src(const float* picture, const TileCells& cells, float* dst,
                                                std::int64_t plane) {
  if (cells.lanes == 16) return from_cells<OutputGradientLine, 16>(picture, cells, dst, plane);
  from_cells<OutputGradientLine, 8>(picture, cells, dst, plane);
}

GLIMPSE_MULTIVERSION void winograd_filters(const float* filters, std::int64_t count, bool turned, float* dst,
                                           std::int64_t plane) {
  Places<9, kFilters> taps;
  for (std::int64_t from = 0; from < count; from += kFilters) {
    for (int i = 0; i < 9; ++i) {
      for (int l = 0; l < kFilters; ++l) taps[i][l] = filters[(from + l) * 9 + (turned ? 8 - i : i)];
    }
    transform<FilterLine, kFilters>([&](int i) { return taps[i].data(); },
                                    [&](int i) { return dst + i * plane + from; });
  }
}

GLIMPSE_MULTIVERSION void winograd_filters_d_src(const float* src, std::int64_t plane, std::int64_t count,
                                                 float* filters) {
  Places<9, kFilters> taps;
  for (std::int64_t from = 0; from < count; from += kFilters) {
    transform<FilterGradientLine, kFilters>([&](int i) { return src + i * plane + from; },
                                            [&](int i) { return taps[i].data(); });
    for (int i = 0; i < 9; ++i) {
      for (int l = 0; l < kFilters; ++l) filters[(from + l) * 9 + i] = taps[i][l];
    }
  }
}

}  // namespace glimpse::dnn
