#include "dnn/winograd.h"

#include <algorithm>
#include <array>

#include "dnn/over_rows.h"
#include "dnn/winograd_loops.h"

namespace glimpse::dnn {
namespace {

constexpr std::int64_t kValues = 36;  ///< of a transformed tile or filter
constexpr std::int64_t kTile = 4;     ///< outputs along a tile's side

/// Fewer channels leave the products too small for what the transforms cost.
constexpr std::int64_t kLeastChannels = 32;

/// Numbers of transformed tiles at a time: what a processor's last cache holds.
constexpr std::int64_t kPiece = 1 << 21;

/// How a map's cells meet the tiles of one that is computed from it.
struct Geometry {
  Extent extent;
  std::int64_t rows;
  std::int64_t cols;
  std::array<std::int64_t, 2> first;  ///< row and column of the first tile's first cell, may be negative

  std::int64_t picture() const { return extent.blocks * extent.cells * extent.lanes; }
  std::int64_t channels() const { return extent.blocks * extent.lanes; }
};

Geometry geometry(const Shape& shape, std::int64_t block, std::array<std::int64_t, 2> first) {
  return {extent_of(shape, block), shape[2], shape[3], first};
}

/// The tiles that cover an output, numbered picture by picture.
class Tiles {
 public:
  Tiles(const Shape& dst, const std::array<std::int64_t, 2>& dilation) : dilation_(dilation) {
    for (std::size_t i = 0; i < 2; ++i) {
      const std::int64_t longest = (dst[2 + i] + dilation[i] - 1) / dilation[i];  // every dilation-th row or column
      along_[i] = (longest + kTile - 1) / kTile;
    }
  }

  std::int64_t per_picture() const { return dilation_[0] * dilation_[1] * along_[0] * along_[1]; }

  /// Where the tile's `side`² cells stand.
  void find(std::int64_t tile, const Geometry& map, int side, std::int64_t* at) const {
    const std::int64_t col = tile % along_[1] * kTile;
    tile /= along_[1];
    const std::int64_t row = tile % along_[0] * kTile;
    tile /= along_[0];
    const std::int64_t top = tile / dilation_[1] + dilation_[0] * row + map.first[0];
    const std::int64_t left = tile % dilation_[1] + dilation_[1] * col + map.first[1];
    for (int i = 0; i < side * side; ++i) {
      const std::int64_t y = top + dilation_[0] * (i / side);
      const std::int64_t x = left + dilation_[1] * (i % side);
      const bool inside = y >= 0 && y < map.rows && x >= 0 && x < map.cols;
      at[i] = inside ? (y * map.cols + x) * map.extent.lanes : -1;
    }
  }

  /// Calls body(picture, its cells, row) for each tile of the pictures [from, from + count); `row` counts from 0.
  template <typename Body>
  void each(std::int64_t from, std::int64_t count, const Geometry& map, int side, int threads, Body body) const {
    over_rows(count * per_picture(), kValues * map.channels(), threads, [&](std::int64_t row) {
      std::array<std::int64_t, kValues> at;
      find(row % per_picture(), map, side, at.data());
      const Extent& e = map.extent;
      body((from + row / per_picture()) * map.picture(), TileCells{at.data(), e.blocks, e.cells * e.lanes, e.lanes},
           row);
    });
  }

 private:
  std::array<std::int64_t, 2> dilation_;
  std::array<std::int64_t, 2> along_{};
};

/// Rows of a product of `tiles` tiles. An odd number, since planes a power of two apart would share the same few lines
/// of the first cache; the row more is zero.
std::int64_t odd(std::int64_t tiles) { return tiles | 1; }

Array take_values(Kernels& kernels, std::int64_t tiles, std::int64_t channels) {
  Array values = kernels.take({kValues, odd(tiles), channels});
  if (odd(tiles) != tiles) {
    for (std::int64_t p = 0; p < kValues; ++p) {
      std::fill_n(values.data() + (p * odd(tiles) + tiles) * channels, channels, 0.0F);
    }
  }
  return values;
}

/// Numbers from one value's plane to the next's.
std::int64_t plane(const Array& values) { return values.dim(1) * values.dim(2); }

Array source_values(Kernels& kernels, const Tiles& tiles, const Array& src, const Geometry& map, std::int64_t from,
                    std::int64_t count) {
  Array values = take_values(kernels, count * tiles.per_picture(), map.channels());
  tiles.each(from, count, map, 6, kernels.threads(),
             [&](std::int64_t picture, const TileCells& cells, std::int64_t row) {
               winograd_source(src.data() + picture, cells, values.data() + row * map.channels(), plane(values));
             });
  return values;
}

/// [36, out, in]
Array filter_values(Kernels& kernels, const Array& weight, bool turned) {
  const std::int64_t in = weight.dim(1);
  Array values = kernels.take({kValues, weight.dim(0), in});
  over_rows(weight.dim(0), kValues * in, kernels.threads(), [&](std::int64_t out) {
    winograd_filters(weight.data() + out * in * 9, in, turned, values.data() + out * in, plane(values));
  });
  return values;
}

/// Calls body(from, count) on as many pictures at a time as are best transformed together.
template <typename Body>
void over_pieces(std::int64_t pictures, std::int64_t numbers_a_picture, Body body) {
  const std::int64_t pieces = std::clamp<std::int64_t>(pictures * numbers_a_picture / kPiece, 1, pictures);
  for (std::int64_t i = 0; i < pieces; ++i) {
    const std::int64_t from = pictures * i / pieces;
    body(from, pictures * (i + 1) / pieces - from);
  }
}

/// `filters` [36, out, in], or, `transposed`, [36, in, out].
Array filtered(Kernels& kernels, const Tiles& tiles, const Array& src, const Geometry& from, const Shape& dst_shape,
               const Array& filters, bool transposed) {
  Array dst = kernels.take(dst_shape, kernels.block());
  const Geometry to = geometry(dst_shape, kernels.block(), {0, 0});
  over_pieces(dst_shape[0], tiles.per_picture() * kValues * (from.channels() + to.channels()),
              [&](std::int64_t first, std::int64_t count) {
                const Array values = source_values(kernels, tiles, src, from, first, count);
                const Array products = kernels.take({kValues, values.dim(1), to.channels()});
                kernels.batched_product(values, filters, products, {.transpose_right = !transposed});
                tiles.each(first, count, to, kTile, kernels.threads(),
                           [&](std::int64_t picture, const TileCells& cells, std::int64_t row) {
                             winograd_output(products.data() + row * to.channels(), plane(products), cells,
                                             dst.data() + picture);
                           });
              });
  return dst;
}

std::array<std::int64_t, 2> padding(const ConvolutionProblem& problem) {
  return {problem.options.padding.top, problem.options.padding.left};
}

}  // namespace

bool winograd_fits(const ConvolutionProblem& problem, std::int64_t block) {
  const ConvolutionOptions& o = problem.options;
  const Shape& w = problem.weight;
  const bool channels = std::min(w[0], w[1]) >= kLeastChannels && w[0] % block == 0 && w[1] % block == 0;
  return channels && w[2] == 3 && w[3] == 3 && o.stride[0] == 1 && o.stride[1] == 1 && o.groups == 1 && !problem.bias;
}

Array winograd(Kernels& kernels, const ConvolutionProblem& problem, const Array& src, const Array& weight) {
  const auto [top, left] = padding(problem);
  return filtered(kernels, Tiles(problem.dst(), problem.options.dilation), kernels.reordered(src, kernels.block()),
                  geometry(problem.src, kernels.block(), {-top, -left}), problem.dst(),
                  filter_values(kernels, weight, false), false);
}

Array winograd_d_src(Kernels& kernels, const ConvolutionProblem& problem, const Array& d_dst, const Array& weight) {
  // The same with turned filters and what of a full padding of 2 cells the forward pass left.
  const auto [top, left] = padding(problem);
  const auto& dilation = problem.options.dilation;
  return filtered(kernels, Tiles(problem.src, dilation), kernels.reordered(d_dst, kernels.block()),
                  geometry(problem.dst(), kernels.block(), {top - 2 * dilation[0], left - 2 * dilation[1]}),
                  problem.src, filter_values(kernels, weight, true), true);
}

Array winograd_d_weight(Kernels& kernels, const ConvolutionProblem& problem, const Array& src, const Array& d_dst) {
  const auto [top, left] = padding(problem);
  const Tiles tiles(problem.dst(), problem.options.dilation);
  const Geometry from = geometry(problem.src, kernels.block(), {-top, -left});
  const Geometry to = geometry(problem.dst(), kernels.block(), {0, 0});
  const Array input = kernels.reordered(src, kernels.block());
  const Array gradient = kernels.reordered(d_dst, kernels.block());
  const Array products = kernels.take({kValues, to.channels(), from.channels()});
  over_pieces(problem.src[0], tiles.per_picture() * kValues * (from.channels() + to.channels()),
              [&](std::int64_t first, std::int64_t count) {
                const Array values = source_values(kernels, tiles, input, from, first, count);
                const Array gradients = take_values(kernels, count * tiles.per_picture(), to.channels());
                tiles.each(first, count, to, kTile, kernels.threads(),
                           [&](std::int64_t picture, const TileCells& cells, std::int64_t row) {
                             winograd_output_d_src(gradient.data() + picture, cells,
                                                   gradients.data() + row * to.channels(), plane(gradients));
                           });
                kernels.batched_product(gradients, values, products, {.transpose_left = true, .accumulate = first > 0});
              });
  Array d_weight = kernels.take(problem.weight);
  over_rows(to.channels(), kValues * from.channels(), kernels.threads(), [&](std::int64_t out) {
    winograd_filters_d_src(products.data() + out * from.channels(), plane(products), from.channels(),
                           d_weight.data() + out * from.channels() * 9);
  });
  return d_weight;
}

}  // namespace glimpse::dnn
