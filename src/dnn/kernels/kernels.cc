#include "dnn/kernels/kernels.h"

#include <algorithm>
#include <cassert>
#include <cstring>
#include <string>

#include "dnn/kernels/kernels_impl.h"
#include "dnn/products/sgemm.h"
#include "dnn/runtime/threads.h"

namespace glimpse::dnn {
namespace {

using Tag = dnnl::memory::format_tag;

Factor factor(const Array& array, std::size_t first_dim, bool transpose) {
  assert(array.block() == 1 && array.shape().size() == first_dim + 2);
  return {array.data(), array.dim(first_dim), array.dim(first_dim + 1), transpose};
}

}  // namespace

dnnl::memory::desc describe(const Shape& shape, std::int64_t block) {
  if (block == 1) {
    dnnl::memory::dims strides(shape.size(), 1);
    for (std::size_t i = shape.size(); i-- > 1;) strides[i - 1] = strides[i] * std::max<std::int64_t>(1, shape[i]);
    return {shape, dnnl::memory::data_type::f32, strides};
  }
  return f32_desc(shape, block == 16 ? Tag::nChw16c : Tag::nChw8c);
}

Kernels::Impl::Impl(int thread_count) : threads(thread_count), block(channel_block()), stream(cpu_engine()) {}

Array Kernels::Impl::opaque(const dnnl::memory::desc& description) {
  return pool.take({static_cast<std::int64_t>((description.get_size() + sizeof(float) - 1) / sizeof(float))});
}

Array Kernels::Impl::packed(const Array& src, const dnnl::memory::desc& plain, const dnnl::memory::desc& wanted) {
  if (wanted == plain) return src;
  Array result = opaque(wanted);
  reorder(plain, src, wanted, result);
  return result;
}

void Kernels::Impl::run(const Kernel& kernel, Arguments arguments) {
  const std::size_t needed = kernel.scratchpad.get_size();
  if (needed > scratchpad.size()) scratchpad = AlignedBuffer(needed);
  if (needed > 0) arguments[DNNL_ARG_SCRATCHPAD] = {kernel.scratchpad, cpu_engine(), scratchpad.data()};
  kernel.primitive.execute(stream, arguments);
  stream.wait();
}

void Kernels::Impl::reorder(const dnnl::memory::desc& from, const Array& src, const dnnl::memory::desc& to,
                            const Array& dst) {
  dnnl::memory source = memory(from, src);
  dnnl::memory target = memory(to, dst);
  dnnl::reorder(source, target).execute(stream, source, target);
  stream.wait();
}

Kernels::Kernels(int threads) : impl_(std::make_unique<Impl>(threads)) {}
Kernels::~Kernels() = default;

int Kernels::threads() const { return impl_->threads; }
std::int64_t Kernels::block() const { return impl_->block; }
std::size_t Kernels::bytes() const { return impl_->pool.bytes(); }

Array Kernels::take(const Shape& shape, std::int64_t block) { return impl_->pool.take(shape, block); }

Array Kernels::zeros(const Shape& shape, std::int64_t block) {
  Array result = take(shape, block);
  std::ranges::fill(result.values(), 0.0F);
  return result;
}

Array Kernels::copy(const Array& src) {
  Array result = take_like(src);
  std::memcpy(result.data(), src.data(), src.values().size_bytes());
  return result;
}

Array Kernels::reordered(const Array& src, std::int64_t block) {
  if (src.block() == block) return src;
  Array result = take(src.shape(), block);
  return impl_->guarded("a reorder of " + to_string(src.shape()), [&] {
    impl_->reorder(describe(src), src, describe(result), result);
    return result;
  });
}

void Kernels::product(const Array& left, const Array& right, const Array& dst, const ProductOptions& options) {
  run_on_threads(impl_->threads, [&] {
    multiply(factor(left, 0, options.transpose_left), factor(right, 0, options.transpose_right), dst.data(),
             options.accumulate);
  });
}

void Kernels::batched_product(const Array& left, const Array& right, const Array& dst, const ProductOptions& options) {
  multiply_all(left.dim(0), factor(left, 1, options.transpose_left), factor(right, 1, options.transpose_right),
               dst.data(), options.accumulate, impl_->threads);
}

}  // namespace glimpse::dnn
