/// One convolution with buffers of its own, to be timed. Internal to src/dnn.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "dnn/convolution.h"

namespace glimpse::dnn {

class ConvolutionWorkload {
 public:
  /// Null where `variant` has no kernel; except that kBlocked without one is kPreferred between reorders from and to
  /// the blocked layout, which is what it costs in a blocked network.
  static std::unique_ptr<ConvolutionWorkload> create(const ConvolutionProblem& problem, ConvolutionVariant variant);

  double run();  ///< seconds of one execution
  const std::string& implementation() const { return implementation_; }

 private:
  struct Task {
    dnnl::primitive primitive;
    std::vector<dnnl::memory> memories;
    std::vector<dnnl_exec_arg_t> arguments;
  };
  explicit ConvolutionWorkload(const dnnl::convolution_forward::primitive_desc& description);
  void surround_with_reorders(const dnnl::memory& src, const dnnl::memory& dst);
  static Task reorder(const dnnl::memory& from, const dnnl::memory& to);

  std::vector<Task> tasks_;
  dnnl::stream stream_;
  std::string implementation_;
};

}  // namespace glimpse::dnn
