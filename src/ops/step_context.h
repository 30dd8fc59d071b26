/// What an operation's rule for a decoder's step sees. A step is packed once (weights, shared by all sessions) and
/// bound once a session (buffers, primitives); running it builds nothing and allocates nothing large.
///
/// Values stand in rows of floats. A value of the picture has one item a picture and is computed when a picture is
/// prepared; a value of the step has one item a row of the search. An item is a vector, or a map of `cells` rows.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "core/tensor.h"
#include "dnn/runtime/threads.h"
#include "ops/operation.h"

namespace glimpse::ops {

struct StepSizes {
  std::int64_t images = 1;  ///< at most
  std::int64_t rows_per_image = 1;
  std::int64_t grid_rows = 1;  ///< of the map
  std::int64_t grid_cols = 1;
  std::int64_t rows() const { return images * rows_per_image; }
  std::int64_t cells() const { return grid_rows * grid_cols; }
};

/// Where a value stands.
struct StepView {
  float* data = nullptr;
  std::int64_t width = 0;   ///< floats of a row
  std::int64_t stride = 0;  ///< floats from one row to the next
  std::int64_t cells = 0;   ///< rows of an item; 0: the value is a vector
  bool of_picture = false;  ///< items are pictures, else rows of the step

  float* item(std::int64_t index) const { return data + index * stride * (cells > 0 ? cells : 1); }
  std::int64_t floats() const { return width * (cells > 0 ? cells : 1); }
  bool dense() const { return stride == width; }
};

/// What changes from run to run.
struct StepRun {
  std::int64_t images = 0;  ///< prepared; step: their rows are run
  std::int64_t rows = 0;
  std::int64_t step = 0;                   ///< steps since the pictures were prepared
  std::span<const int> tokens = {};        ///< [rows]
  std::span<const int> parents = {};       ///< [rows]; each row its own before the first step
  std::span<const float> mask = {};        ///< [cells] of the picture at hand; empty: all cells count
  std::optional<std::uint64_t> seed = {};  ///< of the cells that hard selectors draw; none: they take the best
};

/// What the step's time is told by.
enum class StepPart { kProducts, kAttention, kGates, kGather };

/// Binds one node of one session.
class StepBinding {
 public:
  using Action = std::function<void(const StepRun& run, std::int64_t image)>;
  struct Store;  ///< buffers and actions of the session
  StepBinding(Store& store, const Node& node, std::vector<StepView> srcs, std::vector<const float*> raw_srcs,
              bool in_step);

  const Attributes& attributes() const { return node_.attributes; }
  const StepSizes& sizes() const;
  std::size_t results_read() const { return node_.results; }
  std::size_t src_count() const { return srcs_.size(); }
  const StepView& src(std::size_t index = 0) const { return srcs_[index]; }
  /// What the operation of source `index` left with set_raw.
  const float* raw_src(std::size_t index) const { return raw_srcs_[index]; }
  /// Whether the node's value is the step's.
  bool in_step() const { return in_step_; }
  std::int64_t items() const;  ///< images or rows

  /// Zeros that live as long as the session.
  float* buffer(std::int64_t floats);
  /// A dense value of this node's.
  StepView make(std::int64_t width, std::int64_t cells = 0);
  void give(const StepView& result) { results_.push_back(result); }
  /// Beside the first result, for those who know the operation's own layout.
  void set_raw(const float* raw) { raw_ = raw; }
  const std::vector<StepView>& results() const { return results_; }
  const float* raw() const { return raw_; }

  /// Runs for each picture that is prepared.
  void each_picture(Action action);
  /// Runs at every step.
  void each_step(StepPart part, std::function<void(const StepRun& run)> action);
  /// Runs body(item) for the picture at hand, or at every step for all rows; `floats` is the work of an item.
  void each_item(StepPart part, std::int64_t floats, std::function<void(std::int64_t item)> body);

 private:
  Store& store_;
  const Node& node_;
  std::vector<StepView> srcs_;
  std::vector<const float*> raw_srcs_;
  bool in_step_;
  std::vector<StepView> results_;
  const float* raw_ = nullptr;
};

struct StepBinding::Store {
  StepSizes sizes;
  std::vector<std::unique_ptr<Tensor>> buffers;
  struct StepAction {
    StepPart part;
    std::function<void(const StepRun&)> run;
  };
  std::vector<Action> of_picture;
  std::vector<StepAction> of_step;
};

/// An operation with its weights packed; const and shared.
class PackedStep {
 public:
  virtual ~PackedStep() = default;
  /// One binding a node that was packed together.
  virtual void bind(std::span<StepBinding* const> bindings) const = 0;
};

/// The usual case: one node.
class PackedNode : public PackedStep {
 public:
  void bind(std::span<StepBinding* const> bindings) const final { bind(*bindings.front()); }
  virtual void bind(StepBinding& binding) const = 0;
};

/// A node that needs no weights.
class Unweighted final : public PackedNode {
 public:
  explicit Unweighted(std::function<void(StepBinding&)> body) : body_(std::move(body)) {}
  void bind(StepBinding& binding) const override { body_(binding); }

 private:
  std::function<void(StepBinding&)> body_;
};

/// What packing sees of a node.
struct PackContext {
  NodeView view;
  std::function<Tensor(const std::string& name, const Shape& shape)> load;  ///< Error(kModel) names file and tensor
  std::int64_t cells = 0;                                                   ///< of the map

  Tensor tensor(const std::string& part, const Shape& shape) const {
    return load(view.attributes().weights() + part, shape);
  }
};

/// Floats of element-wise work below which a second thread is not worth waking, as items of `floats`.
std::int64_t step_grain(std::int64_t floats);

}  // namespace glimpse::ops
