#include "dnn/products/product.h"

#include <unordered_map>

#include "dnn/runtime/engine.h"

namespace glimpse::dnn {

struct BatchedProduct::Impl {
  Impl(const std::string& name, const ProductShape& shape) {
    run_on_threads(threads, [&] { translate_errors(name, [&] { build(shape); }); });
  }

  void build(const ProductShape& shape) {
    using Tag = dnnl::memory::format_tag;
    const dnnl::matmul::desc op(f32_desc({shape.batch, shape.rows, shape.inner}, Tag::abc),
                                f32_desc({shape.batch, shape.inner, shape.cols}, Tag::abc),
                                f32_desc({shape.batch, shape.rows, shape.cols}, Tag::abc));
    dnnl::primitive_attr attributes;
    attributes.set_scratchpad_mode(dnnl::scratchpad_mode::user);
    const dnnl::matmul::primitive_desc description(op, attributes, cpu_engine());
    implementation = description.impl_info_str();
    primitive = dnnl::matmul(description);
    left = dnnl::memory(description.src_desc(), cpu_engine(), DNNL_MEMORY_NONE);
    right = dnnl::memory(description.weights_desc(), cpu_engine(), DNNL_MEMORY_NONE);
    dst = dnnl::memory(description.dst_desc(), cpu_engine(), DNNL_MEMORY_NONE);
    arguments = {{DNNL_ARG_SRC, left},
                 {DNNL_ARG_WEIGHTS, right},
                 {DNNL_ARG_DST, dst},
                 {DNNL_ARG_SCRATCHPAD, dnnl::memory(description.scratchpad_desc(), cpu_engine())}};
    stream = dnnl::stream(cpu_engine());
  }

  dnnl::matmul primitive;
  dnnl::memory left;
  dnnl::memory right;
  dnnl::memory dst;
  std::unordered_map<int, dnnl::memory> arguments;
  dnnl::stream stream;
  std::string implementation;
  const int threads = thread_count();  ///< the scratchpad's size depends on it
};

BatchedProduct::BatchedProduct(const std::string& name, const ProductShape& shape)
    : impl_(std::make_unique<Impl>(name, shape)) {}
BatchedProduct::~BatchedProduct() = default;
BatchedProduct::BatchedProduct(BatchedProduct&&) noexcept = default;
BatchedProduct& BatchedProduct::operator=(BatchedProduct&&) noexcept = default;

void BatchedProduct::run(const float* left, const float* right, float* dst) {
  // oneDNN does not write to a source; its API has no const pointer for one.
  impl_->left.set_data_handle(const_cast<float*>(left), impl_->stream);
  impl_->right.set_data_handle(const_cast<float*>(right), impl_->stream);
  impl_->dst.set_data_handle(dst, impl_->stream);
  run_on_threads(impl_->threads, [this] {
    impl_->primitive.execute(impl_->stream, impl_->arguments);
    impl_->stream.wait();
  });
}

std::string BatchedProduct::implementation() const { return impl_->implementation; }

}  // namespace glimpse::dnn
