#include <algorithm>
#include <string>

#include "dnn/kernels/kernels_impl.h"
#include "dnn/math/lane_loops.h"
#include "dnn/runtime/threads.h"
#include "dnn/plan/windows.h"

namespace glimpse::dnn {
namespace {

std::string name_of(const Shape& src) { return "a pooling of " + to_string(src); }

Side rows_of(const Shape& in, const PoolingOptions& o) {
  return {in[2], o.kernel[0], o.stride[0], o.padding.top, o.padding.bottom};
}
Side cols_of(const Shape& in, const PoolingOptions& o) {
  return {in[3], o.kernel[1], o.stride[1], o.padding.left, o.padding.right};
}

/// What oneDNN must be told of padding behind the map, so that its last window lies where ceil mode puts it.
std::int64_t padding_behind(const Side& side, std::int64_t count) {
  return std::max(side.after, (count - 1) * side.stride + side.kernel - side.size - side.before);
}

/// The bins of average pooling, both sides.
struct Grid {
  std::vector<Bin> rows, cols;
};

/// Calls body(dst offset, src offset, weight) for every cell of every bin: offsets in cells, of one plane.
template <typename Body>
void over_bins(const Grid& grid, std::int64_t src_cols, Body body) {
  for (std::size_t y = 0; y < grid.rows.size(); ++y) {
    for (std::size_t x = 0; x < grid.cols.size(); ++x) {
      const float weight = 1.0F / static_cast<float>(grid.rows[y].divisor * grid.cols[x].divisor);
      const auto to = static_cast<std::int64_t>(y * grid.cols.size() + x);
      for (std::int64_t r = grid.rows[y].begin; r < grid.rows[y].end; ++r) {
        for (std::int64_t c = grid.cols[x].begin; c < grid.cols[x].end; ++c) body(to, r * src_cols + c, weight);
      }
    }
  }
}

void axpy(float factor, const float* src, float* dst, std::int64_t count) {
  for (std::int64_t i = 0; i < count; ++i) dst[i] += factor * src[i];
}

Shape averaged(const Shape& src, const Grid& grid) {
  return {src[0], src[1], static_cast<std::int64_t>(grid.rows.size()), static_cast<std::int64_t>(grid.cols.size())};
}

}  // namespace

/// Maximum pooling, both passes.
struct PoolingKernels {
  PoolingKernels(const Shape& src, std::int64_t block, const PoolingOptions& o) {
    const Side rows = rows_of(src, o);
    const Side cols = cols_of(src, o);
    dst = {src[0], src[1], pooled_size(rows, o.ceil_mode), pooled_size(cols, o.ceil_mode)};
    const dnnl::memory::dims strides = {o.stride[0], o.stride[1]};
    const dnnl::memory::dims kernel = {o.kernel[0], o.kernel[1]};
    const dnnl::memory::dims low = {o.padding.top, o.padding.left};
    const dnnl::memory::dims high = {padding_behind(rows, dst[2]), padding_behind(cols, dst[3])};
    const dnnl::memory::desc from = describe(src, block);
    const dnnl::memory::desc to = describe(dst, block);
    description = dnnl::pooling_forward::primitive_desc(
        {dnnl::prop_kind::forward_training, dnnl::algorithm::pooling_max, from, to, strides, kernel, low, high},
        attributes(), cpu_engine());
    const dnnl::pooling_backward::primitive_desc back(
        {dnnl::algorithm::pooling_max, from, to, strides, kernel, low, high}, attributes(), cpu_engine(), description);
    forward = {dnnl::pooling_forward(description), description.scratchpad_desc()};
    backward = {dnnl::pooling_backward(back), back.scratchpad_desc()};
  }

  Shape dst;
  dnnl::pooling_forward::primitive_desc description;
  Kernel forward;
  Kernel backward;
};

PoolingKernels& Kernels::Impl::pooling(const Shape& src, std::int64_t src_block, const PoolingOptions& o) {
  ProblemKey key(src);
  key.insert(key.end(), {src_block, o.kernel[0], o.kernel[1], o.stride[0], o.stride[1], o.padding.top, o.padding.left,
                         o.padding.bottom, o.padding.right, static_cast<std::int64_t>(o.ceil_mode)});
  auto& slot = poolings[key];
  if (!slot) slot = std::make_shared<PoolingKernels>(src, src_block, o);
  return *slot;
}

Kernels::Maximum Kernels::max_pooling(const Array& src, const PoolingOptions& options) {
  return impl_->guarded(name_of(src.shape()), [&] {
    const PoolingKernels& kernels = impl_->pooling(src.shape(), src.block(), options);
    const dnnl::memory::desc where = kernels.description.workspace_desc();
    Maximum result{take(kernels.dst, src.block()), impl_->opaque(where)};
    impl_->run(kernels.forward, {{DNNL_ARG_SRC, Impl::memory(src)},
                                 {DNNL_ARG_DST, Impl::memory(result.dst)},
                                 {DNNL_ARG_WORKSPACE, Impl::memory(where, result.where)}});
    return result;
  });
}

Array Kernels::max_pooling_d_src(const Array& d_dst, const Array& where, const Shape& src,
                                 const PoolingOptions& options) {
  return impl_->guarded(name_of(src), [&] {
    const PoolingKernels& kernels = impl_->pooling(src, d_dst.block(), options);
    Array d_src = take(src, d_dst.block());
    impl_->run(kernels.backward, {{DNNL_ARG_DIFF_DST, Impl::memory(d_dst)},
                                  {DNNL_ARG_WORKSPACE, Impl::memory(kernels.description.workspace_desc(), where)},
                                  {DNNL_ARG_DIFF_SRC, Impl::memory(d_src)}});
    return d_src;
  });
}

namespace {

Grid grid_of(const Shape& src, const PoolingOptions& o) {
  const bool padding = o.kind == PoolingOptions::Kind::kAverageIncludingPadding;
  const Side rows = rows_of(src, o);
  const Side cols = cols_of(src, o);
  return {window_bins(rows, pooled_size(rows, o.ceil_mode), padding),
          window_bins(cols, pooled_size(cols, o.ceil_mode), padding)};
}

Array average(Kernels& kernels, const Array& src, const Grid& grid) {
  Array dst = kernels.zeros(averaged(src.shape(), grid), src.block());
  const Extent from = extent_of(src.shape(), src.block());
  const Extent to = extent_of(dst.shape(), dst.block());
  run_on_threads(kernels.threads(), [&] {
    parallel_for(from.n * from.blocks, 1, [&](std::int64_t begin, std::int64_t end) {
      for (std::int64_t i = begin; i < end; ++i) {
        const float* plane = src.data() + i * from.cells * from.lanes;
        float* sums = dst.data() + i * to.cells * to.lanes;
        over_bins(grid, src.dim(3), [&](std::int64_t d, std::int64_t s, float weight) {
          axpy(weight, plane + s * from.lanes, sums + d * to.lanes, from.lanes);
        });
      }
    });
  });
  return dst;
}

Array average_d_src(Kernels& kernels, const Array& d_dst, const Shape& src, const Grid& grid) {
  Array d_src = kernels.zeros(src, d_dst.block());
  const Extent from = extent_of(src, d_src.block());
  const Extent to = extent_of(d_dst.shape(), d_dst.block());
  run_on_threads(kernels.threads(), [&] {
    parallel_for(from.n * from.blocks, 1, [&](std::int64_t begin, std::int64_t end) {
      for (std::int64_t i = begin; i < end; ++i) {
        float* plane = d_src.data() + i * from.cells * from.lanes;
        const float* gradient = d_dst.data() + i * to.cells * to.lanes;
        over_bins(grid, src[3], [&](std::int64_t d, std::int64_t s, float weight) {
          axpy(weight, gradient + d * to.lanes, plane + s * from.lanes, from.lanes);
        });
      }
    });
  });
  return d_src;
}

}  // namespace

Array Kernels::average_pooling(const Array& src, const PoolingOptions& options) {
  return average(*this, src, grid_of(src.shape(), options));
}

Array Kernels::average_pooling_d_src(const Array& d_dst, const Shape& src, const PoolingOptions& options) {
  return average_d_src(*this, d_dst, src, grid_of(src, options));
}

Array Kernels::adaptive_average(const Array& src, std::int64_t rows, std::int64_t cols) {
  return average(*this, src, {adaptive_bins(src.dim(2), rows), adaptive_bins(src.dim(3), cols)});
}

Array Kernels::adaptive_average_d_src(const Array& d_dst, const Shape& src) {
  return average_d_src(*this, d_dst, src, {adaptive_bins(src[2], d_dst.dim(2)), adaptive_bins(src[3], d_dst.dim(3))});
}

}  // namespace glimpse::dnn
