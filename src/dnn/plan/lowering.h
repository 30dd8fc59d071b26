/// Turns a network's operations into a plan's steps; tracks the buffer and layouts of every value. Internal to src/dnn.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "dnn/plan/convolution.h"
#include "dnn/plan/network.h"
#include "dnn/plan/plan_impl.h"

namespace glimpse::dnn {

class PlanLowering {
 public:
  /// `variants`: one for each convolution of the network, in order.
  PlanLowering(const Network& network, std::vector<ConvolutionVariant> variants, int threads);

  std::shared_ptr<const Plan::Impl> run();

 private:
  /// A tensor in one layout in one buffer.
  struct Held {
    int buffer = -1;
    dnnl::memory::desc desc;
  };
  struct StepText {
    std::string_view kind;
    std::string implementation;
    std::int64_t flops = 0;
  };

  void lower(const Op& op);
  void lower(const Op& op, const ConvolutionOp& convolution);
  void lower(const Op& op, const LinearOp& linear);
  void lower(const Op& op, const PoolingOp& pooling);
  void lower(const Op& op, const BinnedAverageOp& average);
  void lower(const Op& op, const ChannelReductionOp& reduction);
  void lower(const Op& op, const ActivationOp& activation);
  void lower(const Op& op, const BinaryOp& binary);
  void lower(const Op& op, const ConcatOp& concat);
  void lower(const Op& op, const SelfAttentionOp& attention);
  void lower(const Op& op, const LayerNormOp& norm);
  void deliver_outputs();

  const Shape& shape(int value) const { return network_.shapes[static_cast<std::size_t>(value)]; }
  std::vector<Held>& held(int value) { return held_[static_cast<std::size_t>(value)]; }
  /// Whether no later step, nor the caller, reads `value`: the current operation may overwrite it.
  bool dies_here(int value) const { return last_uses_[static_cast<std::size_t>(value)] == op_index_; }

  int new_buffer(std::size_t bytes);
  Held new_tensor(const dnnl::memory::desc& desc);
  void touch(int buffer);  ///< the step being made uses it
  /// `value` in a layout: where it already lies so, else through a reorder.
  Held in_layout(int value, const dnnl::memory::desc& desc);
  Held in_layout(int value, dnnl::memory::format_tag tag) { return in_layout(value, f32_desc(shape(value), tag)); }
  /// A buffer with a copy of `value` in a layout that the current operation may overwrite: the value's own where it
  /// dies here.
  Held overwritable(int value, const dnnl::memory::desc& desc);
  /// `value` as it lies, except that a picture's plain layout is changed for the one this network works in.
  Held in_working_layout(int value);
  /// Destination of an element-wise operation: in place over `src`, which holds `value`, if the value dies here.
  Held elementwise_dst(int value, const Held& src);
  void define(int value, const Held& tensor) { held(value).push_back(tensor); }

  Argument argument(int role, const Held& tensor);
  Argument constant(int role, const dnnl::memory& memory);
  void append(const Op& op, const StepText& text, Step step);
  void add_scratchpad(Step& step, const dnnl::memory::desc& desc);
  /// Where a convolution writes: over its residual where nobody needs that any more, else over a copy of it; a residual
  /// that is also the source must stay whole while the kernel reads it.
  Held convolution_dst(const Op& op, const ConvolutionProblem& problem, const dnnl::memory::desc& desc);
  void lower_winograd(const Op& op, const ConvolutionOp& convolution);
  Held append_reorder(const std::string& name, const Held& src, const dnnl::memory::desc& desc);

  const Network& network_;
  std::vector<ConvolutionVariant> variants_;
  dnnl::memory::format_tag working_tag_;
  std::vector<int> last_uses_;
  std::vector<std::vector<Held>> held_;  // by value
  std::vector<Lifetime> buffers_;
  std::shared_ptr<Plan::Impl> plan_;
  int op_index_ = 0;
  std::size_t convolution_index_ = 0;
  std::string_view op_name_;
};

}  // namespace glimpse::dnn
