/// A PlanBuilder that also computes every value with the slow reference, so that any network of a test can be compared.
#pragma once

#include <cstdint>
#include <deque>
#include <string>
#include <vector>

#include "core/tensor.h"
#include "dnn/plan/plan.h"

namespace glimpse::dnn::testing {

class TestNet {
 public:
  /// `seed`: of inputs and weights.
  TestNet(PlanOptions options, std::uint64_t seed) : builder_(std::move(options)), seed_(seed) {}

  struct Filter {
    std::int64_t out = 1;
    std::int64_t rows = 1, cols = 1;
    bool bias = true;
  };

  Value input(const Shape& shape);
  Value convolution(Value src, const Filter& filter, const ConvolutionOptions& options,
                    std::optional<Value> residual = std::nullopt);
  Value linear(Value src, std::int64_t out, bool bias, Activation activation);
  Value pooling(Value src, const PoolingOptions& options);
  Value global_average(Value src);
  Value global_max(Value src);
  Value adaptive_average(Value src, std::int64_t rows, std::int64_t cols);
  Value channel_reduction(Value src, bool max);
  Value activation(Value src, Activation activation);
  Value binary(Value a, Value b, bool multiply, Activation activation);
  Value concat(const std::vector<Value>& srcs);
  void output(Value value, bool channels_last = false);

  const Shape& shape(Value value) const { return expected(value).shape(); }
  const Tensor& expected(Value value) const { return *values_[static_cast<std::size_t>(value.id)]; }

  Plan build() { return builder_.build(); }
  void write_inputs(Session& session) const;
  /// Expects that the session's outputs are what the reference computed.
  void expect_outputs(const Session& session, double tolerance) const;
  /// build, run and compare.
  void check(double tolerance);

 private:
  struct Output {
    int value;
    bool channels_last;
  };
  Value define(Value value, Tensor expected);
  /// Random, so that a sum over `terms` products keeps the size of its inputs.
  const Tensor& weights(const Shape& shape, std::int64_t terms);

  PlanBuilder builder_;
  std::uint64_t seed_;
  std::vector<const Tensor*> values_;  // by value id
  std::deque<Tensor> tensors_;
  std::deque<std::optional<Tensor>> biases_;
  std::vector<int> inputs_;
  std::vector<Output> outputs_;
};

/// What a description is run with.
struct Setting {
  Tuning tuning = Tuning::kDirect;
  int threads = 1;
};
const std::vector<Setting>& all_settings();
std::string to_string(const Setting& setting);
/// Winograd's rounding is coarser.
double tolerance(const Setting& setting);

}  // namespace glimpse::dnn::testing
