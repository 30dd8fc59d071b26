/// The operations of map_ops.h as plain loops in double precision, for the gradient check: numbers in row-major order,
/// shapes beside them.
#pragma once

#include <cstdint>
#include <vector>

#include "core/tensor.h"
#include "dnn/plan/plan.h"

namespace glimpse::train::testing {

using Numbers = std::vector<double>;

/// A map [N,C,H,W] by its four indices.
struct Map {
  const Numbers& numbers;
  const Shape& shape;
  double at(std::int64_t n, std::int64_t c, std::int64_t y, std::int64_t x) const {
    return numbers[static_cast<std::size_t>(((n * shape[1] + c) * shape[2] + y) * shape[3] + x)];
  }
};

/// `bias` may be empty.
Numbers convolution(const Map& src, const Map& weight, const Numbers& bias, const dnn::ConvolutionOptions& options);
/// By the batch's own mean and biased variance.
Numbers batch_norm(const Map& src, const Numbers& scale, const Numbers& shift, double epsilon, bool relu);
/// By those given.
Numbers batch_norm_by(const Map& src, const Numbers& scale, const Numbers& shift, const Numbers& mean,
                      const Numbers& variance, double epsilon, bool relu);
double activation(double x, const dnn::Activation& activation);
Numbers pooling(const Map& src, const dnn::PoolingOptions& options);
Numbers adaptive_average(const Map& src, std::int64_t rows, std::int64_t cols);
/// b broadcasts over the dimensions of which it has one.
Numbers meet(const Map& a, const Map& b, bool multiply);
Numbers concat(const std::vector<Map>& srcs);
Numbers channel_mean(const Map& src);
Numbers channel_max(const Map& src);
/// weight [out, in]; `bias` may be empty; src [rows, in].
Numbers dense(const Numbers& src, const Numbers& weight, const Numbers& bias, std::int64_t rows, std::int64_t in,
              std::int64_t out);
/// [N,C,H,W] → [N, H·W, C].
Numbers cells(const Map& src);

}  // namespace glimpse::train::testing
