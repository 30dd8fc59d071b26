/// Shared by the parts of Kernels: cached primitives, the scratchpad, execution. Internal to src/dnn.
#pragma once

#include <map>
#include <memory>
#include <optional>
#include <string>
#include <unordered_map>
#include <utility>
#include <vector>

#include "dnn/plan/convolution.h"
#include "dnn/runtime/engine.h"
#include "dnn/kernels/kernels.h"
#include "dnn/plan/winograd.h"

namespace glimpse::dnn {

/// A primitive with what it takes to run it.
struct Kernel {
  dnnl::primitive primitive;
  dnnl::memory::desc scratchpad;
};

/// The cache key of a problem.
using ProblemKey = std::vector<std::int64_t>;

class ConvolutionKernels;
struct NormKernels;
struct PoolingKernels;

/// A descriptor of the numbers of an array as they stand.
dnnl::memory::desc describe(const Shape& shape, std::int64_t block);
inline dnnl::memory::desc describe(const Array& array) { return describe(array.shape(), array.block()); }

struct Kernels::Impl {
  explicit Impl(int thread_count);

  using Arguments = std::unordered_map<int, dnnl::memory>;

  static dnnl::memory memory(const Array& array) { return memory(describe(array), array); }
  static dnnl::memory memory(const dnnl::memory::desc& description, const Array& array) {
    return {description, cpu_engine(), array.data()};
  }
  /// An array to hold what a primitive wants in a layout of its own.
  Array opaque(const dnnl::memory::desc& description);
  void run(const Kernel& kernel, Arguments arguments);
  void reorder(const dnnl::memory::desc& from, const Array& src, const dnnl::memory::desc& to, const Array& dst);
  /// `src`, which stands as `plain` says, in the layout `wanted`.
  Array packed(const Array& src, const dnnl::memory::desc& plain, const dnnl::memory::desc& wanted);
  /// Runs `body`, in which primitives may be built, on this trainer's threads; oneDNN's errors name `step`.
  template <typename Body>
  auto guarded(const std::string& step, Body&& body) {
    return translate_errors(step, [&] {
      std::optional<std::invoke_result_t<Body>> result;
      run_on_threads(threads, [&] { result.emplace(body()); });
      return std::move(*result);
    });
  }
  bool by_winograd(const ConvolutionProblem& problem) const { return !problem.bias && winograd_fits(problem, block); }
  ConvolutionKernels& convolution(const ConvolutionProblem& problem);
  NormKernels& norm(const Array& src, const NormOptions& options, bool given);
  /// `statistics`: mean and variance, to be written or, where `given`, read.
  Normalised normalise(const Array& src, const Array& scale, const Array& shift, Normalised statistics,
                       const NormOptions& options, bool given);
  PoolingKernels& pooling(const Shape& src, std::int64_t src_block, const PoolingOptions& options);

  /// The map's layout that convolutions take: plain where there are few channels, else in blocks.
  std::int64_t block_for(std::int64_t channels) const { return channels < block ? 1 : block; }

  const int threads;
  const std::int64_t block;
  dnnl::stream stream;
  ArrayPool pool;
  AlignedBuffer scratchpad;
  std::map<ProblemKey, std::shared_ptr<ConvolutionKernels>> convolutions;
  std::map<ProblemKey, std::shared_ptr<NormKernels>> norms;
  std::map<ProblemKey, std::shared_ptr<PoolingKernels>> poolings;
};

}  // namespace glimpse::dnn
