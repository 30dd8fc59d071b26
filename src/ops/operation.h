/// What an operation of the graph language is: one class that says everything about it. Its name and attributes, the
/// shape of its result, its tensors with their roles, its cost, how a plan runs it and how the tape learns through it
/// stand side by side in one file of this level; registry.cc lists them all. Adding an operation adds such a class, a
/// line there and a row in tests/ops.
#pragma once

#include <cstdint>
#include <limits>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "autograd/tape.h"
#include "core/tensor.h"
#include "dnn/plan/plan.h"
#include "ops/attributes.h"

namespace glimpse::ops {

class Operation;
class PackedStep;
class PlanContext;
class TapeContext;
struct PackContext;
class TapeStep;

inline constexpr int kImage = -1;  ///< stands for the network's input among a node's sources: `image`, or `features`
inline constexpr int kToken = -2;  ///< the word that a decoder's step is fed

/// One line of a graph's text.
struct Node {
  const Operation* op = nullptr;
  std::string name;
  std::vector<int> sources;  ///< indices of earlier nodes, or kImage
  Attributes attributes;
  int line = 0;
  std::size_t results = 1;  ///< of its operation's that the text names

  bool is(std::string_view op_name) const;  ///< its operation is spelt so
};

/// A node with what it reads: what rules for shapes, tensors and costs look at.
struct NodeView {
  const std::string& file;
  const Node& node;
  /// Of its sources. A network's maps are [N,C,H,W]; a decoder's values [1,D], or [1,cells,D] for maps of cells.
  std::vector<Shape> srcs;
  Shape dst = {};  ///< of its result; empty while that is what is asked for

  const Attributes& attributes() const { return node.attributes; }
  const Shape& src() const { return srcs.front(); }
  /// Throws Error(kModel): 'FILE' line N, OP 'NODE': WHAT.
  [[noreturn]] void fail(const std::string& what) const;
};

/// A tensor that a node reads from the weights file.
struct TensorSpec {
  /// What it is, which also says what it starts from when it is trained.
  enum class Role {
    kWeight,
    kBias,
    kGateBias,   ///< of an LSTM's gates i, f, g, o: the second quarter starts at 1 (Jozefowicz et al. 2015)
    kEmbedding,  ///< a row a word
    kSharpness,  ///< the factor of cosines
    kScale,
    kShift,
    kMean,
    kVariance
  };
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
  explicit TensorList(std::string prefix) : prefix_(std::move(prefix)) {}
  void add(const std::string& part, Shape shape, TensorSpec::Role role) {
    add_named(prefix_ + part, std::move(shape), role);
  }
  void add_named(std::string name, Shape shape, TensorSpec::Role role) {
    tensors_.push_back({std::move(name), std::move(shape), role, 0});
  }
  /// `part`.weight of that shape, and `part`.bias [shape[0]] where asked.
  void add_affine(const std::string& part, const Shape& weight, bool bias);
  /// `part`.weight, .bias, .running_mean, .running_var [channels].
  void add_batch_norm(const std::string& part, std::int64_t channels);

  const std::vector<TensorSpec>& tensors() const { return tensors_; }

 private:
  std::string prefix_;
  std::vector<TensorSpec> tensors_;
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

/// A matrix product of one step, for benchmarks to hold a step against: left [batch, rows, inner] · right [batch,
/// inner, cols].
struct StepProductSpec {
  std::string name;
  std::int64_t batch = 1;
  std::int64_t rows = 1;
  std::int64_t inner = 1;
  std::int64_t cols = 1;
  bool constant = true;  ///< the right side is weights
};

/// The two kinds of text that operations stand in: networks (net/graph.h) and decoders' steps (net/step_graph.h).
enum class Dialect { kNetwork, kStep };

class Operation {
 public:
  virtual ~Operation() = default;

  virtual std::string_view name() const = 0;
  virtual bool belongs_to(Dialect dialect) const { return dialect == Dialect::kNetwork; }
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

  /// How many values it has; those after the first are named in the text behind a comma.
  virtual std::size_t results() const { return 1; }
  /// How many of them the text must name.
  virtual std::size_t needed_results() const { return results(); }
  /// Shapes of the further values.
  virtual Shape further_shape(const NodeView& view, std::size_t /*index*/) const { return view.dst; }

  /// Describes its step to a network's plan; gives the step's result. Throws Error(kInternal) where the operation is no
  /// network's.
  virtual dnn::Value plan(PlanContext& context) const;
  /// Computes its value on the tape, of a network.
  virtual train::Variable tape(TapeContext& context) const;

  /// Packs itself for a decoder's steps; several nodes at once where `merges` says so.
  virtual std::unique_ptr<PackedStep> pack(std::span<const PackContext> nodes) const;
  /// Whether nodes of this operation that read the same values are packed as one.
  virtual bool merges() const { return false; }
  /// The matrix product of a step of that many rows, where it comes to one.
  virtual std::optional<StepProductSpec> product(const NodeView& view, std::int64_t images,
                                                 std::int64_t rows_per_image) const;
  /// Computes their values on the tape, of a decoder under training; see ops/tape_step.h.
  virtual void teach(std::span<TapeStep* const> nodes) const;
  /// Whether it must be computed step by step though no later step reads it: it looks at pictures.
  virtual bool looks() const { return false; }
};

/// The operation spelt `name` of a dialect, or nothing.
const Operation* find_operation(std::string_view name, Dialect dialect);
std::vector<std::string_view> operation_names(Dialect dialect);
/// What the further names of an operation with several results become.
const Operation& part_operation();

}  // namespace glimpse::ops
