/// One primitive with buffers of its own, to be timed. Internal to src/dnn.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "dnn/plan/convolution.h"

namespace glimpse::dnn {

class Workload {
 public:
  /// Null where `variant` has no kernel; except that kBlocked without one is kPreferred between reorders from and to
  /// the blocked layout, which is what it costs in a blocked network.
  static std::unique_ptr<Workload> convolution(const ConvolutionProblem& problem, ConvolutionVariant variant);
  /// A product of square matrices.
  static std::unique_ptr<Workload> product(std::int64_t size);

  double run();  ///< seconds of one execution
  const std::string& implementation() const { return implementation_; }

 private:
  struct Task {
    std::function<void()> loop;  ///< instead of a primitive
    dnnl::primitive primitive;
    std::vector<dnnl::memory> memories;
    std::vector<dnnl_exec_arg_t> arguments;
  };
  Workload();
  /// Source and destination are the task's first two memories.
  template <typename Primitive>
  void add(const typename Primitive::primitive_desc& description);
  void add_winograd(const ConvolutionProblem& problem);
  void surround_with_reorders();
  static Task reorder(const dnnl::memory& from, const dnnl::memory& to);

  std::vector<Task> tasks_;
  dnnl::stream stream_;
  std::string implementation_;
};

}  // namespace glimpse::dnn
