/// Reverse-mode differentiation (Griewank and Walther 2008): operations on variables are recorded as they are computed,
/// and `backward` walks the record from the loss to the parameters.
///
/// The operations themselves stand beside this file (map_ops.h for feature maps, row_ops.h for matrices); each computes
/// its value at once, through dnn::Kernels or a loop, and records how its gradient flows back.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "core/tensor.h"
#include "dnn/kernels/kernels.h"

namespace glimpse::train {

/// Something that training changes.
struct Parameter {
  std::string name;  ///< as it stands in the weights file
  Tensor value;
  Tensor gradient;    ///< of the same shape; what `backward` adds to
  bool decay = true;  ///< whether weight decay applies: to matrices and kernels, not to biases, scales and shifts
};

/// A value on the tape, with room for its gradient. A cheap handle; copies are the same variable.
class Variable {
 public:
  Variable() = default;
  explicit operator bool() const { return state_ != nullptr; }
  const dnn::Array& value() const { return state_->value; }
  const Shape& shape() const { return state_->value.shape(); }
  std::int64_t dim(std::size_t i) const { return state_->value.dim(i); }
  /// Whether the loss can depend on a parameter through it.
  bool needs_gradient() const { return state_->needs_gradient; }

 private:
  friend class Tape;
  struct State {
    dnn::Array value;
    dnn::Array gradient;  ///< none until something flows back
    bool needs_gradient = false;
  };
  std::shared_ptr<State> state_;
};

/// One training step's record; used by one thread at a time.
class Tape {
 public:
  /// What an operation does with the gradient of its value: calls `add_gradient` for its inputs. It may overwrite the
  /// array where that is `unique()`.
  using Backward = std::function<void(const dnn::Array& gradient)>;

  explicit Tape(dnn::Kernels& kernels) : kernels_(kernels) {}

  dnn::Kernels& kernels() const { return kernels_; }

  /// A value that no gradient is wanted of.
  Variable constant(dnn::Array value);
  Variable constant(const Tensor& value);  ///< copied
  /// The parameter's own numbers, which must stay as they are until `backward` is done. Its gradient is added to
  /// `parameter.gradient`. The same parameter may be asked for again and again.
  Variable parameter(Parameter& parameter);
  /// A value whose gradient can be asked for after `backward`, as of an input in a gradient check.
  Variable watched(dnn::Array value);

  /// The result of an operation on `inputs`. `backward` is kept only where one of them needs a gradient.
  Variable record(dnn::Array value, const std::vector<Variable>& inputs, Backward backward);

  /// Adds to the gradient of `variable`; to be called from a Backward. Does nothing where none is needed. Takes
  /// `gradient` over where it is the first, so it must not be written to afterwards.
  void add_gradient(const Variable& variable, const dnn::Array& gradient);
  /// Where products may add their result directly: the gradient so far, zeros at first.
  const dnn::Array& gradient_to_add_to(const Variable& variable);

  /// Walks back from `loss`, which has one element, and forgets the record. A tape can then be used anew.
  void backward(const Variable& loss);
  /// Of a `watched` variable, after `backward`; zeros where the loss does not depend on it.
  dnn::Array gradient(const Variable& variable);

 private:
  struct Step {
    std::shared_ptr<Variable::State> result;
    Backward backward;
  };
  static Variable make(dnn::Array value, bool needs_gradient);

  dnn::Kernels& kernels_;
  std::vector<Step> steps_;
};

}  // namespace glimpse::train
