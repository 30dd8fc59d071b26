#include "reference_attention.h"

#include <cmath>

namespace glimpse::net::testing {

Tensor each_cell(const Tensor& src, const Tensor& weight, const Tensor& bias) {
  const std::int64_t inputs = weight.dim(1);
  const std::int64_t outputs = weight.dim(0);
  const std::int64_t cells = src.dim(2) * src.dim(3);
  Tensor dst({src.dim(0), outputs, src.dim(2), src.dim(3)});
  for (std::int64_t i = 0; i < dst.count(); ++i) {
    const std::int64_t o = i / cells % outputs;
    double sum = bias.data()[o];
    for (std::int64_t c = 0; c < inputs; ++c) {
      const float value = src.data()[(i / cells / outputs * inputs + c) * cells + i % cells];
      sum += static_cast<double>(weight.data()[o * inputs + c]) * value;
    }
    dst.data()[i] = static_cast<float>(sum);
  }
  return dst;
}

Tensor attend_to_cells(const Tensor& projected, std::int64_t heads) {
  const std::int64_t channels = projected.dim(1) / 3;
  const std::int64_t cells = projected.dim(2) * projected.dim(3);
  const std::int64_t width = channels / heads;
  Tensor read({projected.dim(0), channels, projected.dim(2), projected.dim(3)});
  for (std::int64_t n = 0; n < projected.dim(0); ++n) {
    const auto at = [&](std::int64_t c, std::int64_t cell) {
      return static_cast<double>(projected.data()[(n * 3 * channels + c) * cells + cell]);
    };
    for (std::int64_t i = 0; i < channels * cells; ++i) {
      const std::int64_t c = i / cells;
      double sum = 0;
      double total = 0;
      for (std::int64_t cell = 0; cell < cells; ++cell) {
        double score = 0;
        for (std::int64_t j = c / width * width; j < (c / width + 1) * width; ++j) {
          score += at(j, i % cells) * at(channels + j, cell);
        }
        const double weight = std::exp(score / std::sqrt(static_cast<double>(width)));
        total += weight;
        sum += weight * at(2 * channels + c, cell);
      }
      read.data()[n * channels * cells + i] = static_cast<float>(sum / total);
    }
  }
  return read;
}

Tensor layer_norm(const Tensor& src, const Tensor& scale, const Tensor& shift, double epsilon) {
  const std::int64_t channels = src.dim(1);
  const std::int64_t cells = src.dim(2) * src.dim(3);
  Tensor dst(src.shape());
  for (std::int64_t i = 0; i < src.dim(0) * cells; ++i) {
    const auto at = [&](std::int64_t c) { return (i / cells * channels + c) * cells + i % cells; };
    double mean = 0;
    double squares = 0;
    for (std::int64_t c = 0; c < channels; ++c) mean += src.data()[at(c)] / static_cast<double>(channels);
    for (std::int64_t c = 0; c < channels; ++c) squares += std::pow(src.data()[at(c)] - mean, 2);
    const double deviation = std::sqrt(squares / static_cast<double>(channels) + epsilon);
    for (std::int64_t c = 0; c < channels; ++c) {
      dst.data()[at(c)] =
          static_cast<float>((src.data()[at(c)] - mean) / deviation * scale.data()[c] + shift.data()[c]);
    }
  }
  return dst;
}

}  // namespace glimpse::net::testing
