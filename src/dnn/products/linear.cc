#include "dnn/products/linear.h"

#include <list>
#include <mutex>
#include <unordered_map>
#include <utility>

#include "dnn/runtime/engine.h"

namespace glimpse::dnn {
namespace {

using Tag = dnnl::memory::format_tag;

/// Rows that the weights are first packed for. On the processors seen so far the layout does not depend on the count;
/// where it does, a kernel packs again (Linear::Impl::packed_as).
constexpr std::int64_t kUsualRows = 8;

dnnl::matmul::primitive_desc describe(std::int64_t rows, std::int64_t in, std::int64_t out, bool bias, bool relu) {
  const dnnl::memory::desc src = f32_desc({rows, in}, Tag::ab);
  const dnnl::memory::desc weight = f32_desc({in, out});
  const dnnl::memory::desc dst = f32_desc({rows, out}, Tag::ab);
  dnnl::primitive_attr attributes;
  attributes.set_scratchpad_mode(dnnl::scratchpad_mode::user);
  if (relu) {
    dnnl::post_ops operations;
    operations.append_eltwise(1.0F, dnnl::algorithm::eltwise_relu, 0.0F, 0.0F);
    attributes.set_post_ops(operations);
  }
  const auto op =
      bias ? dnnl::matmul::desc(src, weight, f32_desc({1, out}, Tag::ab), dst) : dnnl::matmul::desc(src, weight, dst);
  return dnnl::matmul::primitive_desc(op, attributes, cpu_engine());
}

}  // namespace

struct Linear::Impl {
  Impl(std::string layer, const Tensor& weight, std::span<const float> bias_values)
      : name(std::move(layer)), in(weight.dim(1)), out(weight.dim(0)), has_bias(!bias_values.empty()) {
    const auto pack_all = [&] {
      const dnnl::memory::desc packed = describe(kUsualRows, in, out, has_bias, false).weights_desc();
      const dnnl::memory::desc row = f32_desc({1, out}, Tag::ab);
      weights.push_back(pack(weight.data(), f32_desc({in, out}, Tag::ba), packed));
      if (has_bias) bias = pack(bias_values.data(), row, row);
    };
    run_on_threads(thread_count(), [&] { translate_errors(name, pack_all); });
  }

  /// The weights in `layout`, packed from the first copy where no kernel needed that layout before.
  dnnl::memory packed_as(const dnnl::memory::desc& layout) const {
    const std::lock_guard lock(mutex);
    for (const dnnl::memory& packed : weights) {
      if (packed.get_desc() == layout) return packed;
    }
    const dnnl::memory& first = weights.front();
    weights.push_back(pack(static_cast<const float*>(first.get_data_handle()), first.get_desc(), layout));
    return weights.back();
  }

  const std::string name;
  const std::int64_t in;
  const std::int64_t out;
  const bool has_bias;
  dnnl::memory bias;
  mutable std::mutex mutex;
  mutable std::list<dnnl::memory> weights;  ///< the same values in every layout that a kernel asked for
};

Linear::Linear(const std::string& name, const Tensor& weight, std::span<const float> bias)
    : impl_(std::make_shared<const Impl>(name, weight, bias)) {}

std::int64_t Linear::in() const { return impl_->in; }
std::int64_t Linear::out() const { return impl_->out; }

std::size_t Linear::bytes() const {
  const std::lock_guard lock(impl_->mutex);
  std::size_t total = 0;
  for (const dnnl::memory& packed : impl_->weights) total += packed.get_desc().get_size();
  return total;
}

struct LinearKernel::Impl {
  Impl(std::shared_ptr<const Linear::Impl> shared, std::int64_t rows, bool relu) : linear(std::move(shared)) {
    run_on_threads(threads, [&] { translate_errors(linear->name, [&] { build(rows, relu); }); });
  }

  void build(std::int64_t rows, bool relu) {
    const auto description = describe(rows, linear->in, linear->out, linear->has_bias, relu);
    implementation = description.impl_info_str();
    primitive = dnnl::matmul(description);
    src = dnnl::memory(description.src_desc(), cpu_engine(), DNNL_MEMORY_NONE);
    dst = dnnl::memory(description.dst_desc(), cpu_engine(), DNNL_MEMORY_NONE);
    arguments = {{DNNL_ARG_SRC, src},
                 {DNNL_ARG_WEIGHTS, linear->packed_as(description.weights_desc())},
                 {DNNL_ARG_DST, dst},
                 {DNNL_ARG_SCRATCHPAD, dnnl::memory(description.scratchpad_desc(), cpu_engine())}};
    if (linear->has_bias) arguments.emplace(DNNL_ARG_BIAS, linear->bias);
    stream = dnnl::stream(cpu_engine());
  }

  std::shared_ptr<const Linear::Impl> linear;
  dnnl::matmul primitive;
  dnnl::memory src;
  dnnl::memory dst;
  std::unordered_map<int, dnnl::memory> arguments;
  dnnl::stream stream;
  std::string implementation;
  const int threads = thread_count();  ///< the scratchpad's size depends on it
};

LinearKernel::LinearKernel() = default;
LinearKernel::LinearKernel(const Linear& linear, std::int64_t rows, bool relu)
    : impl_(std::make_unique<Impl>(linear.impl_, rows, relu)) {}
LinearKernel::~LinearKernel() = default;
LinearKernel::LinearKernel(LinearKernel&&) noexcept = default;
LinearKernel& LinearKernel::operator=(LinearKernel&&) noexcept = default;

void LinearKernel::run(const float* src, float* dst) {
  // oneDNN does not write to a source; its API has no const pointer for one.
  impl_->src.set_data_handle(const_cast<float*>(src), impl_->stream);
  impl_->dst.set_data_handle(dst, impl_->stream);
  run_on_threads(impl_->threads, [this] {
    impl_->primitive.execute(impl_->stream, impl_->arguments);
    impl_->stream.wait();
  });
}

std::string LinearKernel::implementation() const { return impl_->implementation; }

}  // namespace glimpse::dnn
