/// What an operation's rule for the tape sees: values, parameters, and how the network is run.
#pragma once

#include <string>
#include <vector>

#include "autograd/map_ops.h"
#include "autograd/parameters.h"
#include "autograd/tape.h"
#include "ops/operation.h"

namespace glimpse::ops {

/// How a network is run on the tape.
struct TapeMode {
  train::Statistics statistics = train::Statistics::kBatch;
  bool frozen = false;  ///< no gradients of the parameters, only of what is put in
};

class TapeContext {
 public:
  TapeContext(train::Tape& the_tape, train::ParameterSet& parameters, const TapeMode& mode, const Node& node,
              std::vector<train::Variable> srcs)
      : tape(the_tape), parameters_(parameters), mode_(mode), node_(node), srcs_(std::move(srcs)) {}

  train::Tape& tape;

  const Attributes& attributes() const { return node_.attributes; }
  const train::Variable& src(std::size_t index = 0) const { return srcs_[index]; }
  const std::vector<train::Variable>& srcs() const { return srcs_; }
  train::Statistics statistics() const { return mode_.statistics; }

  /// The node's tensor whose name is its prefix and `part`.
  train::Variable tensor(const std::string& part) const {
    train::Parameter& parameter = parameters_.at(node_.attributes.weights() + part);
    return mode_.frozen ? tape.constant(dnn::Array::borrow(parameter.value)) : tape.parameter(parameter);
  }
  Tensor& statistic(const std::string& part) const { return parameters_.statistic(node_.attributes.weights() + part); }
  /// `value` through the node's activation, over its numbers where the gradient can do without them.
  train::Variable activated(const train::Variable& value) const {
    return train::activation_in_place(tape, value, node_.attributes.activation());
  }
  /// Batch norm by the tensors of `part`, then `activation`.
  train::Variable batch_norm(const std::string& part, const train::Variable& src, float epsilon,
                             const dnn::Activation& activation) const;

 private:
  train::ParameterSet& parameters_;
  const TapeMode& mode_;
  const Node& node_;
  std::vector<train::Variable> srcs_;
};

}  // namespace glimpse::ops
