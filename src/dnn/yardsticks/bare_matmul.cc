#include "dnn/yardsticks/bare_matmul.h"

#include <algorithm>
#include <chrono>
#include <unordered_map>
#include <vector>

#include "dnn/runtime/engine.h"

namespace glimpse::dnn {
namespace {

using Tag = dnnl::memory::format_tag;

/// A primitive with its buffers.
struct Execution {
  dnnl::primitive primitive;
  std::unordered_map<int, dnnl::memory> arguments;
  dnnl::stream stream;
  std::string implementation;

  double run() {
    const auto start = std::chrono::steady_clock::now();
    primitive.execute(stream, arguments);
    stream.wait();
    return std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
  }
};

/// Buffers as the primitive describes them, filled with small numbers.
template <typename Primitive>
Execution make_execution(const typename Primitive::primitive_desc& description) {
  const auto filled = [](const dnnl::memory::desc& desc) {
    dnnl::memory memory(desc, cpu_engine());
    auto* values = static_cast<float*>(memory.get_data_handle());
    for (std::size_t i = 0; i < desc.get_size() / sizeof(float); ++i) {
      values[i] = static_cast<float>(i % 61) / 61.0F - 0.5F;
    }
    return memory;
  };
  return {Primitive(description),
          {{DNNL_ARG_SRC, filled(description.src_desc())},
           {DNNL_ARG_WEIGHTS, filled(description.weights_desc())},
           {DNNL_ARG_DST, filled(description.dst_desc())},
           {DNNL_ARG_SCRATCHPAD, dnnl::memory(description.scratchpad_desc(), cpu_engine())}},
          dnnl::stream(cpu_engine()),
          description.impl_info_str()};
}

dnnl::primitive_attr user_scratchpad() {
  dnnl::primitive_attr attributes;
  attributes.set_scratchpad_mode(dnnl::scratchpad_mode::user);
  return attributes;
}

Execution make_matmul(const MatmulProblem& problem) {
  const bool flat = problem.constant;
  const dnnl::memory::dims src = flat ? dnnl::memory::dims{problem.batch * problem.rows, problem.inner}
                                      : dnnl::memory::dims{problem.batch, problem.rows, problem.inner};
  const dnnl::memory::dims weights = flat ? dnnl::memory::dims{problem.inner, problem.cols}
                                          : dnnl::memory::dims{problem.batch, problem.inner, problem.cols};
  dnnl::memory::dims dst = src;
  dst.back() = problem.cols;
  const Tag plain = flat ? Tag::ab : Tag::abc;
  const dnnl::matmul::desc op(f32_desc(src, plain), f32_desc(weights, flat ? Tag::any : plain), f32_desc(dst, plain));
  return make_execution<dnnl::matmul>({op, user_scratchpad(), cpu_engine()});
}

Execution make_inner_product(const MatmulProblem& problem) {
  const std::int64_t rows = problem.batch * problem.rows;
  const dnnl::inner_product_forward::desc op(
      dnnl::prop_kind::forward_inference, f32_desc({rows, problem.inner}, Tag::ab),
      f32_desc({problem.cols, problem.inner}), f32_desc({rows, problem.cols}, Tag::ab));
  return make_execution<dnnl::inner_product_forward>({op, user_scratchpad(), cpu_engine()});
}

double usual_seconds(Execution& execution) {
  constexpr int kTrials = 15;
  std::vector<double> seconds(kTrials);
  for (double& trial : seconds) trial = execution.run();
  std::nth_element(seconds.begin(), seconds.begin() + kTrials / 2, seconds.end());
  return seconds[kTrials / 2];
}

}  // namespace

struct BareMatmul::Impl {
  Execution execution;
  int threads = 1;
};

BareMatmul::BareMatmul(const MatmulProblem& problem, int threads) : impl_(std::make_unique<Impl>()) {
  impl_->threads = threads;
  const auto build = [&] {
    impl_->execution = make_matmul(problem);
    if (!problem.constant) return;
    Execution other = make_inner_product(problem);
    if (usual_seconds(other) < usual_seconds(impl_->execution)) impl_->execution = std::move(other);
  };
  run_on_threads(threads, [&] { translate_errors(problem.name, build); });
}

BareMatmul::~BareMatmul() = default;
BareMatmul::BareMatmul(BareMatmul&&) noexcept = default;
BareMatmul& BareMatmul::operator=(BareMatmul&&) noexcept = default;

double BareMatmul::run() {
  double seconds = 0;
  run_on_threads(impl_->threads, [&] { seconds = impl_->execution.run(); });
  return seconds;
}

const std::string& BareMatmul::implementation() const { return impl_->execution.implementation; }

}  // namespace glimpse::dnn
