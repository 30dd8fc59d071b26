/// What an operation's rule for the plan sees of its step: values, weights, and what was fused into it.
#pragma once

#include <functional>
#include <optional>
#include <string>

#include "core/tensor.h"
#include "dnn/plan/plan.h"
#include "ops/operation.h"

namespace glimpse::ops {

/// A convolution's or linear map's tensors; `bias` may be absent.
struct Affine {
  Tensor weight;  ///< [out, ...]
  std::optional<Tensor> bias;
};

/// What batch norm does to a channel at inference: x · scale + shift, each [channels].
struct ScaleShift {
  Tensor scale;
  Tensor shift;
};

class PlanContext {
 public:
  /// What the compiler provides; see the functions below.
  struct Source {
    std::function<Tensor(const std::string& name)> load;  ///< by full name, of the spec's shape
    std::function<const Affine&(Affine affine)> keep;
  };
  struct Step {
    const Node* node = nullptr;
    std::vector<dnn::Value> srcs;
    dnn::Activation activation;          ///< applied last
    std::optional<dnn::Value> residual;  ///< added before the activation
    const Node* folded = nullptr;        ///< a batch norm to fold into the weights
  };
  PlanContext(dnn::PlanBuilder& plan_builder, const Source& source, Step step)
      : builder(plan_builder), source_(source), step_(std::move(step)) {}

  dnn::PlanBuilder& builder;

  const std::string& name() const { return step_.node->name; }
  const Attributes& attributes() const { return step_.node->attributes; }
  dnn::Value src(std::size_t index = 0) const { return step_.srcs[index]; }
  const std::vector<dnn::Value>& srcs() const { return step_.srcs; }
  const Shape& shape(std::size_t index = 0) const { return builder.shape(step_.srcs[index]); }
  const dnn::Activation& activation() const { return step_.activation; }
  const std::optional<dnn::Value>& residual() const { return step_.residual; }

  /// The node's tensor whose name is its prefix and `part`.
  Tensor tensor(const std::string& part) const { return source_.load(attributes().weights() + part); }
  /// `part`.weight and, where asked, `part`.bias.
  Affine affine(const std::string& part, bool bias) const;
  /// Batch norm's four tensors as one scale and shift.
  ScaleShift batch_norm(const std::string& part, float epsilon) const;
  /// Folds the batch norm that stands behind the node, where one was fused.
  void fold_norm(Affine& affine) const;
  /// Keeps tensors until the plan is built, which is when the builder last looks at them.
  const Affine& keep(Affine affine) const { return source_.keep(std::move(affine)); }

 private:
  ScaleShift load_batch_norm(const std::string& prefix, float epsilon) const;

  const Source& source_;
  Step step_;
};

/// Makes `norm` part of `affine`'s weights.
void fold(Affine& affine, const ScaleShift& norm);

}  // namespace glimpse::ops
