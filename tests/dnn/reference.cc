#include "dnn/reference.h"
#include "support/activations.h"

#include <algorithm>
#include <cmath>
#include <limits>

namespace glimpse::dnn::testing {
namespace {

/// A tensor [N,C,H,W] by its four indices.
struct Indexed {
  explicit Indexed(const Tensor& tensor) : data(tensor.data()), c(tensor.dim(1)), h(tensor.dim(2)), w(tensor.dim(3)) {}
  double at(std::int64_t n, std::int64_t i, std::int64_t y, std::int64_t x) const {
    return static_cast<double>(data[((n * c + i) * h + y) * w + x]);
  }
  bool inside(std::int64_t y, std::int64_t x) const { return y >= 0 && y < h && x >= 0 && x < w; }
  const float* data;
  std::int64_t c, h, w;
};

/// value(n, c, y, x) for every cell of a new tensor.
Tensor tabulate(const Shape& shape,
                const std::function<double(std::int64_t, std::int64_t, std::int64_t, std::int64_t)>& value) {
  Tensor result(shape);
  float* out = result.data();
  for (std::int64_t n = 0; n < shape[0]; ++n) {
    for (std::int64_t c = 0; c < shape[1]; ++c) {
      for (std::int64_t y = 0; y < shape[2]; ++y) {
        for (std::int64_t x = 0; x < shape[3]; ++x) *out++ = static_cast<float>(value(n, c, y, x));
      }
    }
  }
  return result;
}

double activate(double x, const Activation& activation) {
  return glimpse::testing::reference_activation(x, activation);
}

/// As torch.nn: floor, or ceil without windows that start beyond the input and the padding before it.
std::int64_t pooled(std::int64_t in, std::int64_t kernel, std::int64_t stride, std::int64_t before, std::int64_t after,
                    bool ceil) {
  const double exact = static_cast<double>(in + before + after - kernel) / static_cast<double>(stride) + 1;
  auto count = static_cast<std::int64_t>(ceil ? std::ceil(exact) : std::floor(exact));
  while ((count - 1) * stride >= in + before) --count;
  return count;
}

}  // namespace

Tensor reference_convolution(const Tensor& src, const Tensor& weight, const std::optional<Tensor>& bias,
                             const ConvolutionOptions& o, const Tensor* residual) {
  const Indexed in(src);
  const Indexed w(weight);
  const std::int64_t kh = weight.dim(2);
  const std::int64_t kw = weight.dim(3);
  const Shape out = {src.dim(0), weight.dim(0),
                     (in.h + o.padding.top + o.padding.bottom - (kh - 1) * o.dilation[0] - 1) / o.stride[0] + 1,
                     (in.w + o.padding.left + o.padding.right - (kw - 1) * o.dilation[1] - 1) / o.stride[1] + 1};
  const std::int64_t group_in = weight.dim(1);
  const std::int64_t group_out = weight.dim(0) / o.groups;
  std::int64_t cell = 0;
  return tabulate(out, [&](std::int64_t n, std::int64_t c, std::int64_t y, std::int64_t x) {
    double sum = bias ? static_cast<double>(bias->data()[c]) : 0;
    for (std::int64_t i = 0; i < group_in; ++i) {
      for (std::int64_t ky = 0; ky < kh; ++ky) {
        for (std::int64_t kx = 0; kx < kw; ++kx) {
          const std::int64_t sy = y * o.stride[0] - o.padding.top + ky * o.dilation[0];
          const std::int64_t sx = x * o.stride[1] - o.padding.left + kx * o.dilation[1];
          if (in.inside(sy, sx)) sum += w.at(c, i, ky, kx) * in.at(n, c / group_out * group_in + i, sy, sx);
        }
      }
    }
    if (residual != nullptr) sum += static_cast<double>(residual->data()[cell]);
    ++cell;
    return activate(sum, o.activation);
  });
}

Tensor reference_linear(const Tensor& src, const Tensor& weight, const std::optional<Tensor>& bias,
                        Activation activation) {
  const std::int64_t in = weight.dim(1);
  return tabulate({src.dim(0), weight.dim(0), 1, 1}, [&](std::int64_t n, std::int64_t c, std::int64_t, std::int64_t) {
    double sum = bias ? static_cast<double>(bias->data()[c]) : 0;
    for (std::int64_t i = 0; i < in; ++i) {
      sum += static_cast<double>(weight.data()[c * in + i]) * static_cast<double>(src.data()[n * in + i]);
    }
    return activate(sum, activation);
  });
}

Tensor reference_pooling(const Tensor& src, const PoolingOptions& o) {
  const Indexed in(src);
  const Padding& p = o.padding;
  const Shape out = {src.dim(0), src.dim(1), pooled(in.h, o.kernel[0], o.stride[0], p.top, p.bottom, o.ceil_mode),
                     pooled(in.w, o.kernel[1], o.stride[1], p.left, p.right, o.ceil_mode)};
  return tabulate(out, [&](std::int64_t n, std::int64_t c, std::int64_t y, std::int64_t x) {
    double sum = 0;
    double max = -std::numeric_limits<double>::infinity();
    std::int64_t cells = 0;   // in the picture
    std::int64_t padded = 0;  // in the picture or its padding, which ceil mode's extra rows and columns are not
    for (std::int64_t ky = 0; ky < o.kernel[0]; ++ky) {
      for (std::int64_t kx = 0; kx < o.kernel[1]; ++kx) {
        const std::int64_t sy = y * o.stride[0] - p.top + ky;
        const std::int64_t sx = x * o.stride[1] - p.left + kx;
        if (sy < in.h + p.bottom && sx < in.w + p.right) ++padded;
        if (!in.inside(sy, sx)) continue;
        ++cells;
        sum += in.at(n, c, sy, sx);
        max = std::max(max, in.at(n, c, sy, sx));
      }
    }
    if (o.kind == PoolingOptions::Kind::kMax) return max;
    return sum / static_cast<double>(o.kind == PoolingOptions::Kind::kAverageExcludingPadding ? cells : padded);
  });
}

Tensor reference_adaptive_average(const Tensor& src, std::int64_t rows, std::int64_t cols) {
  const Indexed in(src);
  const auto floor_of = [](std::int64_t size, std::int64_t i, std::int64_t bins) { return size * i / bins; };
  const auto ceil_of = [](std::int64_t size, std::int64_t i, std::int64_t bins) {
    return static_cast<std::int64_t>(std::ceil(static_cast<double>(size * i) / static_cast<double>(bins)));
  };
  return tabulate({src.dim(0), src.dim(1), rows, cols},
                  [&](std::int64_t n, std::int64_t c, std::int64_t y, std::int64_t x) {
                    double sum = 0;
                    std::int64_t cells = 0;
                    for (std::int64_t sy = floor_of(in.h, y, rows); sy < ceil_of(in.h, y + 1, rows); ++sy) {
                      for (std::int64_t sx = floor_of(in.w, x, cols); sx < ceil_of(in.w, x + 1, cols); ++sx) {
                        sum += in.at(n, c, sy, sx);
                        ++cells;
                      }
                    }
                    return sum / static_cast<double>(cells);
                  });
}

Tensor reference_channel_reduction(const Tensor& src, bool max) {
  const Indexed in(src);
  return tabulate({src.dim(0), 1, in.h, in.w}, [&](std::int64_t n, std::int64_t, std::int64_t y, std::int64_t x) {
    double sum = 0;
    double largest = -std::numeric_limits<double>::infinity();
    for (std::int64_t c = 0; c < in.c; ++c) {
      sum += in.at(n, c, y, x);
      largest = std::max(largest, in.at(n, c, y, x));
    }
    return max ? largest : sum / static_cast<double>(in.c);
  });
}

Tensor reference_binary(const Tensor& a, const Tensor& b, bool multiply, Activation activation) {
  const Indexed left(a);
  const Indexed right(b);
  return tabulate(a.shape(), [&](std::int64_t n, std::int64_t c, std::int64_t y, std::int64_t x) {
    const double other = right.at(n, right.c == 1 ? 0 : c, right.h == 1 ? 0 : y, right.w == 1 ? 0 : x);
    return activate(multiply ? left.at(n, c, y, x) * other : left.at(n, c, y, x) + other, activation);
  });
}

Tensor reference_activation(const Tensor& src, Activation activation) {
  const Indexed in(src);
  return tabulate(src.shape(), [&](std::int64_t n, std::int64_t c, std::int64_t y, std::int64_t x) {
    return activate(in.at(n, c, y, x), activation);
  });
}

Tensor reference_concat(std::span<const Tensor* const> srcs) {
  Shape out = srcs.front()->shape();
  out[1] = 0;
  for (const Tensor* src : srcs) out[1] += src->dim(1);
  return tabulate(out, [&](std::int64_t n, std::int64_t c, std::int64_t y, std::int64_t x) {
    std::size_t i = 0;
    for (; c >= srcs[i]->dim(1); ++i) c -= srcs[i]->dim(1);
    return Indexed(*srcs[i]).at(n, c, y, x);
  });
}

Tensor to_channels_last(const Tensor& src) {
  const Indexed in(src);
  return tabulate({src.dim(0), in.h, in.w, in.c},
                  [&](std::int64_t n, std::int64_t y, std::int64_t x, std::int64_t c) { return in.at(n, c, y, x); });
}

double relative_error(std::span<const float> a, std::span<const float> b) {
  if (a.size() != b.size()) return std::numeric_limits<double>::infinity();
  double difference = 0;
  double norm = 0;
  for (std::size_t i = 0; i < a.size(); ++i) {
    const double d = static_cast<double>(a[i]) - static_cast<double>(b[i]);
    difference += d * d;
    norm += static_cast<double>(b[i]) * static_cast<double>(b[i]);
  }
  if (!std::isfinite(difference)) return std::numeric_limits<double>::infinity();
  return norm > 0 ? std::sqrt(difference / norm) : std::sqrt(difference);
}

double worst_error(std::span<const float> a, std::span<const float> b) {
  if (a.size() != b.size()) return std::numeric_limits<double>::infinity();
  double worst = 0;
  double largest = 0;
  for (std::size_t i = 0; i < a.size(); ++i) {
    const double d = std::abs(static_cast<double>(a[i]) - static_cast<double>(b[i]));
    if (!std::isfinite(d)) return std::numeric_limits<double>::infinity();
    worst = std::max(worst, d);
    largest = std::max(largest, std::abs(static_cast<double>(b[i])));
  }
  return largest > 0 ? worst / largest : worst;
}

}  // namespace glimpse::dnn::testing
