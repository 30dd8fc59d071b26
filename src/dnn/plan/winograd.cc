#include "dnn/plan/winograd.h"

#include <algorithm>
#include <array>
#include <limits>
#include <vector>

#include "dnn/runtime/over_rows.h"
#include "dnn/products/sgemm.h"
#include "dnn/plan/winograd_loops.h"

namespace glimpse::dnn {
namespace {

constexpr std::int64_t kValues = 36;  ///< of a transformed tile or filter
constexpr std::int64_t kTile = 4;     ///< outputs along a tile's side

/// With fewer channels the transforms cost more than the products save.
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

/// Calls body(from, count) on as many pictures at a time as are best transformed together.
class Pieces {
 public:
  Pieces(std::int64_t pictures, std::int64_t numbers_a_picture)
      : pictures_(pictures), count_(std::clamp<std::int64_t>(pictures * numbers_a_picture / kPiece, 1, pictures)) {}

  std::int64_t largest() const { return (pictures_ + count_ - 1) / count_; }

  template <typename Body>
  void each(Body body) const {
    for (std::int64_t i = 0; i < count_; ++i) {
      const std::int64_t from = pictures_ * i / count_;
      body(from, pictures_ * (i + 1) / count_ - from);
    }
  }

 private:
  std::int64_t pictures_;
  std::int64_t count_;
};

/// Which way cells are transformed.
using Transform = void (*)(const float* picture, const TileCells& cells, float* dst, std::int64_t plane);

/// [36, odd(tiles), channels] of `count` pictures from `from` on.
void to_values(const Tiles& tiles, const Geometry& map, Transform transform, int side, const float* src,
               std::int64_t from, std::int64_t count, float* values, int threads) {
  const std::int64_t used = count * tiles.per_picture();
  const std::int64_t plane = odd(used) * map.channels();
  if (odd(used) != used) {
    for (std::int64_t p = 0; p < kValues; ++p) {
      std::fill_n(values + p * plane + used * map.channels(), map.channels(), 0.0F);
    }
  }
  tiles.each(from, count, map, side, threads, [&](std::int64_t picture, const TileCells& cells, std::int64_t row) {
    transform(src + picture, cells, values + row * map.channels(), plane);
  });
}

/// weight [out, in, 3, 3] → [36, out, in]
void to_filters(const float* weight, std::int64_t out, std::int64_t in, bool turned, float* filters, int threads) {
  over_rows(out, kValues * in, threads, [&](std::int64_t row) {
    winograd_filters(weight + row * in * 9, in, turned, filters + row * in, out * in);
  });
}

/// One map computed from another.
class Pass {
 public:
  Pass(const Tiles& tiles, const Geometry& src, const Geometry& dst)
      : tiles_(tiles),
        src_(src),
        dst_(dst),
        pieces_(dst.extent.n, tiles.per_picture() * kValues * (src.channels() + dst.channels())) {}

  /// Floats of scratch that `run` needs.
  std::int64_t scratch() const {
    return kValues * odd(pieces_.largest() * tiles_.per_picture()) * (src_.channels() + dst_.channels());
  }

  /// `filters` [36, out, in], or, `transposed`, [36, in, out].
  void run(const float* src, const float* filters, bool transposed, const WinogradEnd& end, float* scratch, float* dst,
           int threads) const {
    const std::int64_t in = src_.channels();
    const std::int64_t out = dst_.channels();
    pieces_.each([&](std::int64_t first, std::int64_t count) {
      const std::int64_t rows = odd(count * tiles_.per_picture());
      float* products = scratch + kValues * rows * in;
      to_values(tiles_, src_, winograd_source, 6, src, first, count, scratch, threads);
      const Factor right = transposed ? Factor{filters, in, out} : Factor{filters, out, in, true};
      multiply_all(kValues, {scratch, rows, in}, right, products, false, threads);
      tiles_.each(first, count, dst_, kTile, threads,
                  [&](std::int64_t picture, const TileCells& cells, std::int64_t row) {
                    winograd_output(products + row * out, rows * out, cells, end, dst + picture);
                  });
    });
  }

 private:
  Tiles tiles_;
  Geometry src_;
  Geometry dst_;
  Pieces pieces_;
};

constexpr float kInfinity = std::numeric_limits<float>::infinity();
constexpr WinogradEnd kAsItIs = {nullptr, false, -kInfinity, kInfinity};

Pass forward(const ConvolutionProblem& problem, std::int64_t block) {
  const ConvolutionOptions& o = problem.options;
  return {Tiles(problem.dst(), o.dilation), geometry(problem.src, block, {-o.padding.top, -o.padding.left}),
          geometry(problem.dst(), block, {0, 0})};
}

Array run_pass(Kernels& kernels, const Pass& pass, const Array& src, const Array& filters, bool transposed,
               const Shape& dst_shape) {
  const Array input = kernels.reordered(src, kernels.block());
  const Array scratch = kernels.take({pass.scratch()});
  Array dst = kernels.take(dst_shape, kernels.block());
  pass.run(input.data(), filters.data(), transposed, kAsItIs, scratch.data(), dst.data(), kernels.threads());
  return dst;
}

Array filters_of(Kernels& kernels, const Array& weight, bool turned) {
  Array filters = kernels.take({kValues, weight.dim(0), weight.dim(1)});
  to_filters(weight.data(), weight.dim(0), weight.dim(1), turned, filters.data(), kernels.threads());
  return filters;
}

bool clips(const Activation& activation) {
  using Kind = Activation::Kind;
  return activation.kind == Kind::kNone || activation.kind == Kind::kRelu || activation.kind == Kind::kClip;
}

}  // namespace

bool winograd_fits(const ConvolutionProblem& problem, std::int64_t block) {
  const ConvolutionOptions& o = problem.options;
  const Shape& w = problem.weight;
  const bool channels = std::min(w[0], w[1]) >= kLeastChannels && w[0] % block == 0 && w[1] % block == 0;
  return channels && w[2] == 3 && w[3] == 3 && o.stride[0] == 1 && o.stride[1] == 1 && o.groups == 1 &&
         clips(o.activation);
}

struct WinogradConvolution::Impl {
  Pass pass;
  AlignedBuffer filters;
  std::vector<float> bias;
  WinogradEnd end;
};

WinogradConvolution::WinogradConvolution(const ConvolutionProblem& problem, const float* weight, const float* bias,
                                         std::int64_t block) {
  const std::int64_t out = problem.weight[0];
  const std::int64_t in = problem.weight[1];
  auto impl = std::make_unique<Impl>(Impl{forward(problem, block),
                                          AlignedBuffer(static_cast<std::size_t>(kValues * out * in) * sizeof(float)),
                                          {},
                                          kAsItIs});
  to_filters(weight, out, in, false, reinterpret_cast<float*>(impl->filters.data()), thread_count());
  if (bias != nullptr) impl->bias.assign(bias, bias + out);
  const Activation& activation = problem.options.activation;
  WinogradEnd& end = impl->end;
  end.bias = bias == nullptr ? nullptr : impl->bias.data();
  end.add = problem.residual;
  if (activation.kind == Activation::Kind::kRelu) end.lo = 0;
  if (activation.kind == Activation::Kind::kClip) {
    end.lo = activation.lo;
    end.hi = activation.hi;
  }
  impl_ = std::move(impl);
}

WinogradConvolution::~WinogradConvolution() = default;

std::size_t WinogradConvolution::scratch_bytes() const {
  return static_cast<std::size_t>(impl_->pass.scratch()) * sizeof(float);
}

std::size_t WinogradConvolution::weight_bytes() const {
  return impl_->filters.size() + impl_->bias.size() * sizeof(float);
}

void WinogradConvolution::run(const float* src, float* dst, float* scratch) const {
  const auto* filters = reinterpret_cast<const float*>(impl_->filters.data());
  impl_->pass.run(src, filters, false, impl_->end, scratch, dst, thread_count());
}

Array winograd(Kernels& kernels, const ConvolutionProblem& problem, const Array& src, const Array& weight) {
  return run_pass(kernels, forward(problem, kernels.block()), src, filters_of(kernels, weight, false), false,
                  problem.dst());
}

Array winograd_d_src(Kernels& kernels, const ConvolutionProblem& problem, const Array& d_dst, const Array& weight) {
  // The same with turned filters and what of a full padding of 2 cells the forward pass left.
  const ConvolutionOptions& o = problem.options;
  const std::int64_t block = kernels.block();
  const Pass pass(
      Tiles(problem.src, o.dilation),
      geometry(problem.dst(), block, {o.padding.top - 2 * o.dilation[0], o.padding.left - 2 * o.dilation[1]}),
      geometry(problem.src, block, {0, 0}));
  return run_pass(kernels, pass, d_dst, filters_of(kernels, weight, true), true, problem.src);
}

Array winograd_d_weight(Kernels& kernels, const ConvolutionProblem& problem, const Array& src, const Array& d_dst) {
  const ConvolutionOptions& o = problem.options;
  const Tiles tiles(problem.dst(), o.dilation);
  const Geometry from = geometry(problem.src, kernels.block(), {-o.padding.top, -o.padding.left});
  const Geometry to = geometry(problem.dst(), kernels.block(), {0, 0});
  const std::int64_t in = from.channels();
  const std::int64_t out = to.channels();
  const Array input = kernels.reordered(src, kernels.block());
  const Array gradient = kernels.reordered(d_dst, kernels.block());
  const Array products = kernels.take({kValues, out, in});
  const Pieces pieces(problem.src[0], tiles.per_picture() * kValues * (in + out));
  const std::int64_t most = odd(pieces.largest() * tiles.per_picture());
  const Array values = kernels.take({kValues * most * in});
  const Array gradients = kernels.take({kValues * most * out});
  const int threads = kernels.threads();
  pieces.each([&](std::int64_t first, std::int64_t count) {
    const std::int64_t rows = odd(count * tiles.per_picture());
    to_values(tiles, from, winograd_source, 6, input.data(), first, count, values.data(), threads);
    to_values(tiles, to, winograd_output_d_src, kTile, gradient.data(), first, count, gradients.data(), threads);
    multiply_all(kValues, {gradients.data(), rows, out, true}, {values.data(), rows, in}, products.data(), first > 0,
                 threads);
  });
  Array d_weight = kernels.take(problem.weight);
  over_rows(out, kValues * in, threads, [&](std::int64_t row) {
    winograd_filters_d_src(products.data() + row * in, out * in, in, d_weight.data() + row * in * 9);
  });
  return d_weight;
}

}  // namespace glimpse::dnn
