/// What an operation of the graph language is: one class that says everything about it. Its name and attributes, the
/// shape of its result, its tensors with their roles, its cost, how a plan runs it and how the tape learns through it
/// stand side by side in one file of this level; registry.cc lists them all. Adding an operation adds such a class, a
/// line there and a row in tests/ops.
#pragma once

#include <cstdint>
#include <limits>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "autograd/tape.h"
#include "core/tensor.h"
#include "dnn/plan/plan.h"
#include "ops/attributes.h"

namespace glimpse::ops {

class Operation;
class PlanContext;
class TapeContext;

inline constexpr int kImage = -1;  ///< stands for the network's input among a node's sources

/// One line of a graph's text.
struct Node {
  const Operation* op = nullptr;
  std::string name;
  std::vector<int> sources;  ///< indices of earlier nodes, or kImage
  Attributes attributes;
  int line = 0;

  bool is(std::string_view op_name) const;  ///< its operation is spelt so
};

/// A node with what it reads: what rules for shapes, tensors and costs look at.
struct NodeView {
  const std::string& file;
  const Node& node;
  std::vector<Shape> srcs;  ///< of its sources; maps are [N,C,H,W]
  Shape dst = {};           ///< of its result; empty while that is what is asked for

  const Attributes& attributes() const { return node.attributes; }
  const Shape& src() const { return srcs.front(); }
  /// Throws Error(kModel): 'FILE' line N, OP 'NODE': WHAT.
  [[noreturn]] void fail(const std::string& what) const;
};

/// A tensor that a node reads from the weights file.
struct TensorSpec {
  enum class Role { kWeight, kBias, kScale, kShift, kMean, kVariance };
  std::string name;
  Shape shape;
  Role role = Role::kWeight;
  int node = 0;  ///< index of the (first) node that reads it

  /// Counted as a parameter; running statistics are not.
  bool is_parameter() const { return role != Role::kMean && role != Role::kVariance; }
};

/// Collects the tensors of one node. Names are the node's prefix and `part`: ".weight", ".squeeze.bias".
class TensorList {
 public:
  void add(const std::string& part, Shape shape, TensorSpec::Role role) {
    tensors_.push_back({part, std::move(shape), role, 0});
  }
  /// `part`.weight of that shape, and `part`.bias [shape[0]] where asked.
  void add_affine(const std::string& part, const Shape& weight, bool bias);
  /// `part`.weight, .bias, .running_mean, .running_var [channels].
  void add_batch_norm(const std::string& part, std::int64_t channels);

  const std::vector<TensorSpec>& tensors() const { return tensors_; }

 private:
  std::vector<TensorSpec> tensors_;  // names are parts
};

/// What a plan's step does beside its own operation, and what an operation is to the step in front of it.
struct Fusion {
  enum class Part {
    kNothing,
    kNorm,      ///< batch norm, folded into the weights
    kResidual,  ///< a sum with another value
    kActivation
  };
  Part is = Part::kNothing;       ///< what the operation is to the one in front of it
  bool takes_norm = false;        ///< its step can take in a batch norm behind it,
  bool takes_residual = false;    ///< a residual sum,
  bool takes_activation = false;  ///< an activation
};

inline constexpr std::size_t kAnyNumber = std::numeric_limits<std::size_t>::max();

class Operation {
 public:
  virtual ~Operation() = default;

  virtual std::string_view name() const = 0;
  virtual std::size_t min_inputs() const { return 1; }
  virtual std::size_t max_inputs() const { return min_inputs(); }
  virtual std::vector<AttributeRule> attributes() const { return {}; }
  /// Fills in standards that depend on other attributes; gives a complaint about what single attributes cannot see.
  virtual std::optional<std::string> finish(Attributes& /*attributes*/) const { return std::nullopt; }
  virtual Fusion fusion() const { return {}; }

  /// The shape of its result; view.fail where its sources do not fit.
  virtual Shape shape(const NodeView& view) const = 0;
  virtual void tensors(const NodeView& /*view*/, TensorList& /*list*/) const {}
  /// Of one run, counted as the direct algorithm.
  virtual std::int64_t multiply_adds(const NodeView& /*view*/) const { return 0; }

  /// Describes its step to the plan's builder; gives the step's result.
  virtual dnn::Value plan(PlanContext& context) const = 0;
  /// Computes its value on the tape.
  virtual train::Variable tape(TapeContext& context) const = 0;
};

/// The operation spelt `name`, or nothing.
const Operation* find_operation(std::string_view name);
std::vector<std::string_view> operation_names();

}  // namespace glimpse::ops
