/// Every operation of PlanBuilder as plain loops over NCHW, sums in double: slow and obvious.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <span>
#include <vector>

#include "core/tensor.h"
#include "dnn/plan/plan.h"

namespace glimpse::dnn::testing {

Tensor reference_convolution(const Tensor& src, const Tensor& weight, const std::optional<Tensor>& bias,
                             const ConvolutionOptions& options, const Tensor* residual);
Tensor reference_linear(const Tensor& src, const Tensor& weight, const std::optional<Tensor>& bias,
                        Activation activation);
Tensor reference_pooling(const Tensor& src, const PoolingOptions& options);
Tensor reference_adaptive_average(const Tensor& src, std::int64_t rows, std::int64_t cols);
/// Over channels: [N,1,H,W].
Tensor reference_channel_reduction(const Tensor& src, bool max);
/// b broadcasts over whatever dimension it has 1 of.
Tensor reference_binary(const Tensor& a, const Tensor& b, bool multiply, Activation activation);
Tensor reference_activation(const Tensor& src, Activation activation);
Tensor reference_concat(std::span<const Tensor* const> srcs);
Tensor to_channels_last(const Tensor& src);

/// ‖a − b‖ / ‖b‖; infinite where anything is not finite.
double relative_error(std::span<const float> a, std::span<const float> b);
/// max |a − b| / max |b|: one wrong cell in a large tensor shows here.
double worst_error(std::span<const float> a, std::span<const float> b);

}  // namespace glimpse::dnn::testing
