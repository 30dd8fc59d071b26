/// A network as described to PlanBuilder, before any primitive exists: values and operations in topological order.
/// Internal to src/dnn.
#pragma once

#include <limits>
#include <string>
#include <variant>
#include <vector>

#include "core/tensor.h"
#include "dnn/plan/plan.h"
#include "dnn/plan/windows.h"

namespace glimpse::dnn {

struct ConvolutionOp {
  ConvolutionProblem problem;
  const Tensor* weight = nullptr;
  const Tensor* bias = nullptr;  ///< may be null
};
struct LinearOp {
  const Tensor* weight = nullptr;
  const Tensor* bias = nullptr;  ///< may be null
  Activation activation;
};
struct PoolingOp {
  PoolingOptions options;
};

/// Averages over a grid of rectangles: average pooling that oneDNN lacks.
struct BinnedAverageOp {
  std::vector<Bin> rows, cols;
};
struct ChannelReductionOp {
  bool max = false;  ///< else the mean
};
struct ActivationOp {
  Activation activation;
};
struct BinaryOp {
  bool multiply = false;  ///< else add
  Activation activation;
};
struct ConcatOp {};
struct SelfAttentionOp {
  std::int64_t heads = 1;
};
struct LayerNormOp {
  const Tensor* scale = nullptr;
  const Tensor* shift = nullptr;
  float epsilon = 1e-5F;
};

struct Op {
  std::string name;
  std::vector<int> srcs;  ///< value ids; a convolution's residual is srcs[1]
  int dst = -1;
  std::variant<ConvolutionOp, LinearOp, PoolingOp, BinnedAverageOp, ChannelReductionOp, ActivationOp, BinaryOp,
               ConcatOp, SelfAttentionOp, LayerNormOp>
      what;
};

struct Network {
  struct Output {
    int value = -1;
    bool channels_last = false;
  };
  std::vector<Shape> shapes;  ///< of values, [N,C,H,W]
  std::vector<int> inputs;
  std::vector<Op> ops;
  std::vector<Output> outputs;

  static constexpr int kForever = std::numeric_limits<int>::max();
  /// For each value the last op that reads it; −1: none, kForever: an input or output, which no op may overwrite.
  std::vector<int> last_uses() const;
};

}  // namespace glimpse::dnn
