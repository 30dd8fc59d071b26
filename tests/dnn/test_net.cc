#include "dnn/test_net.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>

#include "dnn/reference.h"
#include "support/random_tensor.h"

namespace glimpse::dnn::testing {

using glimpse::testing::uniform_tensor;

Value TestNet::define(Value value, Tensor expected) {
  const auto index = static_cast<std::size_t>(value.id);
  if (index < values_.size() && values_[index] != nullptr) return value;  // the builder made no new value of it
  values_.resize(std::max(values_.size(), index + 1), nullptr);
  EXPECT_EQ(builder_.shape(value), expected.shape());
  values_[index] = &tensors_.emplace_back(std::move(expected));
  return value;
}

const Tensor& TestNet::weights(const Shape& shape, std::int64_t terms) {
  Tensor tensor = uniform_tensor(shape, ++seed_);
  const float scale = std::sqrt(3.0F / static_cast<float>(terms));
  for (float& value : tensor.values()) value *= scale;
  return tensors_.emplace_back(std::move(tensor));
}

Value TestNet::input(const Shape& shape) {
  const Value value = builder_.input("input", shape);
  inputs_.push_back(value.id);
  return define(value, uniform_tensor(shape, ++seed_));
}

Value TestNet::convolution(Value src, const Filter& filter, const ConvolutionOptions& options,
                           std::optional<Value> residual) {
  const std::int64_t in = shape(src)[1] / options.groups;
  const Tensor& weight = weights({filter.out, in, filter.rows, filter.cols}, in * filter.rows * filter.cols);
  std::optional<Tensor>& bias = biases_.emplace_back();
  if (filter.bias) bias = uniform_tensor({filter.out}, ++seed_);
  return define(builder_.convolution("convolution", src, weight, bias, options, residual),
                reference_convolution(expected(src), weight, bias, options, residual ? &expected(*residual) : nullptr));
}

Value TestNet::linear(Value src, std::int64_t out, bool with_bias, Activation activation) {
  const std::int64_t in = expected(src).count() / shape(src)[0];
  const Tensor& weight = weights({out, in}, in);
  std::optional<Tensor>& bias = biases_.emplace_back();
  if (with_bias) bias = uniform_tensor({out}, ++seed_);
  return define(builder_.linear("linear", src, weight, bias, activation),
                reference_linear(expected(src), weight, bias, activation));
}

Value TestNet::pooling(Value src, const PoolingOptions& options) {
  return define(builder_.pooling("pooling", src, options), reference_pooling(expected(src), options));
}

Value TestNet::global_average(Value src) {
  return define(builder_.global_average("average", src), reference_adaptive_average(expected(src), 1, 1));
}

Value TestNet::global_max(Value src) {
  const Shape& in = shape(src);
  return define(builder_.global_max("max", src),
                reference_pooling(expected(src), {PoolingOptions::Kind::kMax, {in[2], in[3]}, {1, 1}, {}, false}));
}

Value TestNet::adaptive_average(Value src, std::int64_t rows, std::int64_t cols) {
  return define(builder_.adaptive_average("adaptive", src, rows, cols),
                reference_adaptive_average(expected(src), rows, cols));
}

Value TestNet::channel_reduction(Value src, bool max) {
  return define(max ? builder_.channel_max("reduction", src) : builder_.channel_mean("reduction", src),
                reference_channel_reduction(expected(src), max));
}

Value TestNet::activation(Value src, Activation activation) {
  return define(builder_.activation("activation", src, activation), reference_activation(expected(src), activation));
}

Value TestNet::binary(Value a, Value b, bool multiply, Activation activation) {
  return define(multiply ? builder_.multiply("multiply", a, b, activation) : builder_.add("add", a, b, activation),
                reference_binary(expected(a), expected(b), multiply, activation));
}

Value TestNet::concat(const std::vector<Value>& srcs) {
  std::vector<const Tensor*> tensors;
  tensors.reserve(srcs.size());
  for (const Value src : srcs) tensors.push_back(&expected(src));
  return define(builder_.concat("concat", srcs), reference_concat(tensors));
}

void TestNet::output(Value value, bool channels_last) {
  builder_.output(value, channels_last);
  outputs_.push_back({value.id, channels_last});
}

void TestNet::write_inputs(Session& session) const {
  for (std::size_t i = 0; i < inputs_.size(); ++i) {
    const std::span<const float> values = values_[static_cast<std::size_t>(inputs_[i])]->values();
    std::copy(values.begin(), values.end(), session.input(i).begin());
  }
}

void TestNet::expect_outputs(const Session& session, double tolerance) const {
  for (std::size_t i = 0; i < outputs_.size(); ++i) {
    const Tensor& nchw = *values_[static_cast<std::size_t>(outputs_[i].value)];
    const Tensor expected = outputs_[i].channels_last ? to_channels_last(nchw) : nchw.clone();
    EXPECT_LE(relative_error(session.output(i), expected.values()), tolerance) << "output " << i;
    EXPECT_LE(worst_error(session.output(i), expected.values()), 10 * tolerance) << "output " << i;
  }
}

void TestNet::check(double tolerance) {
  const Plan plan = build();
  ASSERT_EQ(plan.output_count(), outputs_.size());
  for (std::size_t i = 0; i < outputs_.size(); ++i) {
    Shape seen = values_[static_cast<std::size_t>(outputs_[i].value)]->shape();
    if (outputs_[i].channels_last) seen = {seen[0], seen[2], seen[3], seen[1]};
    EXPECT_EQ(plan.output_shape(i), seen);
  }
  Session session(plan);
  write_inputs(session);
  session.run();
  expect_outputs(session, tolerance);
}

const std::vector<Setting>& all_settings() {
  static const std::vector<Setting> kSettings = {{Tuning::kDirect, 1},   {Tuning::kDirect, 2},  {Tuning::kWinograd, 1},
                                                 {Tuning::kWinograd, 2}, {Tuning::kMeasure, 1}, {Tuning::kMeasure, 2}};
  return kSettings;
}

std::string to_string(const Setting& setting) {
  const char* tuning = setting.tuning == Tuning::kDirect     ? "direct"
                       : setting.tuning == Tuning::kWinograd ? "winograd"
                                                             : "measure";
  return std::string(tuning) + ", threads " + std::to_string(setting.threads);
}

double tolerance(const Setting& setting) { return setting.tuning == Tuning::kDirect ? 2e-6 : 2e-5; }

}  // namespace glimpse::dnn::testing
