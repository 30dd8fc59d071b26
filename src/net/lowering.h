/// Turns fused steps into calls of a PlanBuilder, loading and folding weights on the way. Internal to net.
#pragma once

#include <deque>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "core/safetensors.h"
#include "dnn/plan/plan.h"
#include "net/fusion.h"
#include "net/graph.h"
#include "net/tensors.h"

namespace glimpse::net {

class Lowering {
 public:
  /// All are borrowed and must outlive it; `weights` has passed check_weights.
  Lowering(const GraphSpec& graph, const Shape& input, const Weights& weights, dnn::PlanBuilder& builder);

  void lower(const FusedStep& step);
  /// The value of the node (or kImage) `index`, the tail of a step lowered before.
  dnn::Value value(int index) const;

 private:
  /// A convolution's or linear map's tensors; `bias` may be absent.
  struct Affine {
    Tensor weight;  // [out, ...]
    std::optional<Tensor> bias;
  };
  /// What batch norm does to a channel at inference: x · scale + shift.
  struct ScaleShift {
    Tensor scale;  // [channels]
    Tensor shift;  // [channels]
  };

  const Node& node(int index) const { return graph_.nodes[static_cast<std::size_t>(index)]; }
  dnn::Value lower_head(const FusedStep& step);
  dnn::Value convolution(const FusedStep& step);
  dnn::Value batch_norm(const FusedStep& step);
  dnn::Value linear(const FusedStep& step);
  dnn::Value pooling(const Node& node);
  dnn::Value elementwise(const FusedStep& step);
  dnn::Value concat(const Node& node);
  dnn::Value squeeze_excite(const FusedStep& step);
  dnn::Value attention_module(const FusedStep& step);
  dnn::Value self_attention(const Node& node);

  /// A linear layer over each cell.
  dnn::Value cellwise(const std::string& name, dnn::Value src, const std::string& prefix,
                      std::optional<dnn::Value> residual);
  Affine load_affine(const std::string& prefix, bool bias) const;
  ScaleShift load_batch_norm(const std::string& prefix, float epsilon) const;
  static void fold(Affine& affine, const ScaleShift& norm);
  /// Keeps tensors until the plan is built, which is when the builder last looks at them.
  const Affine& keep(Affine affine) { return kept_.emplace_back(std::move(affine)); }

  const GraphSpec& graph_;
  const Shape input_;
  const Weights& weights_;
  dnn::PlanBuilder& builder_;
  std::unordered_map<std::string, TensorSpec> specs_;
  dnn::Value image_;
  std::vector<dnn::Value> values_;  // by node; set for tails of steps only
  std::deque<Affine> kept_;
};

}  // namespace glimpse::net
