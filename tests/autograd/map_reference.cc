#include "map_reference.h"
#include "support/activations.h"

#include <algorithm>
#include <cmath>
#include <limits>

namespace glimpse::train::testing {
namespace {

/// value(n, c, y, x) for every cell of a map of shape `shape`.
template <typename Value>
Numbers tabulate(const Shape& shape, Value value) {
  Numbers result;
  for (std::int64_t n = 0; n < shape[0]; ++n) {
    for (std::int64_t c = 0; c < shape[1]; ++c) {
      for (std::int64_t y = 0; y < shape[2]; ++y) {
        for (std::int64_t x = 0; x < shape[3]; ++x) result.push_back(value(n, c, y, x));
      }
    }
  }
  return result;
}

std::int64_t convolved(std::int64_t in, std::int64_t kernel, std::int64_t stride, std::int64_t dilation,
                       std::int64_t padding) {
  return (in + padding - (kernel - 1) * dilation - 1) / stride + 1;
}

/// As torch.nn has it: in ceil mode a window more, if it starts in the map or the padding before it.
std::int64_t pooled(std::int64_t in, std::int64_t kernel, std::int64_t stride, std::int64_t before, std::int64_t after,
                    bool ceil) {
  std::int64_t count = 0;
  while (count * stride + kernel <= in + before + after) ++count;
  const bool rest = (count - 1) * stride + kernel < in + before + after;
  return count + (ceil && rest && count * stride < in + before ? 1 : 0);
}

}  // namespace

Numbers convolution(const Map& src, const Map& weight, const Numbers& bias, const dnn::ConvolutionOptions& o) {
  const std::int64_t kh = weight.shape[2];
  const std::int64_t kw = weight.shape[3];
  const std::int64_t group_in = weight.shape[1];
  const std::int64_t group_out = weight.shape[0] / o.groups;
  const Shape dst = {src.shape[0], weight.shape[0],
                     convolved(src.shape[2], kh, o.stride[0], o.dilation[0], o.padding.top + o.padding.bottom),
                     convolved(src.shape[3], kw, o.stride[1], o.dilation[1], o.padding.left + o.padding.right)};
  return tabulate(dst, [&](std::int64_t n, std::int64_t c, std::int64_t y, std::int64_t x) {
    double sum = bias.empty() ? 0 : bias[static_cast<std::size_t>(c)];
    for (std::int64_t i = 0; i < group_in; ++i) {
      for (std::int64_t ky = 0; ky < kh; ++ky) {
        for (std::int64_t kx = 0; kx < kw; ++kx) {
          const std::int64_t sy = y * o.stride[0] - o.padding.top + ky * o.dilation[0];
          const std::int64_t sx = x * o.stride[1] - o.padding.left + kx * o.dilation[1];
          if (sy < 0 || sy >= src.shape[2] || sx < 0 || sx >= src.shape[3]) continue;
          sum += weight.at(c, i, ky, kx) * src.at(n, c / group_out * group_in + i, sy, sx);
        }
      }
    }
    return sum;
  });
}

Numbers batch_norm(const Map& src, const Numbers& scale, const Numbers& shift, double epsilon, bool relu) {
  Numbers mean(scale.size());
  Numbers variance(scale.size());
  const auto samples = static_cast<double>(src.shape[0] * src.shape[2] * src.shape[3]);
  const auto over_all = [&](auto body) {
    tabulate(src.shape, [&](std::int64_t n, std::int64_t c, std::int64_t y, std::int64_t x) {
      body(static_cast<std::size_t>(c), src.at(n, c, y, x));
      return 0;
    });
  };
  over_all([&](std::size_t c, double value) { mean[c] += value / samples; });
  over_all([&](std::size_t c, double value) { variance[c] += (value - mean[c]) * (value - mean[c]) / samples; });
  return batch_norm_by(src, scale, shift, mean, variance, epsilon, relu);
}

Numbers batch_norm_by(const Map& src, const Numbers& scale, const Numbers& shift, const Numbers& mean,
                      const Numbers& variance, double epsilon, bool relu) {
  return tabulate(src.shape, [&](std::int64_t n, std::int64_t c, std::int64_t y, std::int64_t x) {
    const auto i = static_cast<std::size_t>(c);
    const double value = scale[i] * (src.at(n, c, y, x) - mean[i]) / std::sqrt(variance[i] + epsilon) + shift[i];
    return relu ? std::max(0.0, value) : value;
  });
}

double activation(double x, const dnn::Activation& activation) {
  return glimpse::testing::reference_activation(x, activation);
}

Numbers pooling(const Map& src, const dnn::PoolingOptions& o) {
  using Kind = dnn::PoolingOptions::Kind;
  const dnn::Padding& p = o.padding;
  const std::int64_t rows = src.shape[2];
  const std::int64_t cols = src.shape[3];
  const Shape dst = {src.shape[0], src.shape[1], pooled(rows, o.kernel[0], o.stride[0], p.top, p.bottom, o.ceil_mode),
                     pooled(cols, o.kernel[1], o.stride[1], p.left, p.right, o.ceil_mode)};
  return tabulate(dst, [&](std::int64_t n, std::int64_t c, std::int64_t y, std::int64_t x) {
    double sum = 0;
    double largest = -std::numeric_limits<double>::infinity();
    int inside = 0;
    int padded = 0;  // in the map or its padding, which ceil mode's further rows and columns are not
    for (std::int64_t ky = 0; ky < o.kernel[0]; ++ky) {
      for (std::int64_t kx = 0; kx < o.kernel[1]; ++kx) {
        const std::int64_t sy = y * o.stride[0] - p.top + ky;
        const std::int64_t sx = x * o.stride[1] - p.left + kx;
        padded += sy < rows + p.bottom && sx < cols + p.right ? 1 : 0;
        if (sy < 0 || sy >= rows || sx < 0 || sx >= cols) continue;
        ++inside;
        sum += src.at(n, c, sy, sx);
        largest = std::max(largest, src.at(n, c, sy, sx));
      }
    }
    if (o.kind == Kind::kMax) return largest;
    return sum / (o.kind == Kind::kAverageIncludingPadding ? padded : inside);
  });
}

Numbers adaptive_average(const Map& src, std::int64_t rows, std::int64_t cols) {
  const auto begin = [](std::int64_t i, std::int64_t in, std::int64_t out) { return i * in / out; };
  const auto end = [](std::int64_t i, std::int64_t in, std::int64_t out) { return ((i + 1) * in + out - 1) / out; };
  const std::int64_t h = src.shape[2];
  const std::int64_t w = src.shape[3];
  return tabulate({src.shape[0], src.shape[1], rows, cols},
                  [&](std::int64_t n, std::int64_t c, std::int64_t y, std::int64_t x) {
                    double sum = 0;
                    int count = 0;
                    for (std::int64_t sy = begin(y, h, rows); sy < end(y, h, rows); ++sy) {
                      for (std::int64_t sx = begin(x, w, cols); sx < end(x, w, cols); ++sx, ++count) {
                        sum += src.at(n, c, sy, sx);
                      }
                    }
                    return sum / count;
                  });
}

Numbers meet(const Map& a, const Map& b, bool multiply) {
  return tabulate(a.shape, [&](std::int64_t n, std::int64_t c, std::int64_t y, std::int64_t x) {
    const double other = b.at(n, b.shape[1] == 1 ? 0 : c, b.shape[2] == 1 ? 0 : y, b.shape[3] == 1 ? 0 : x);
    return multiply ? a.at(n, c, y, x) * other : a.at(n, c, y, x) + other;
  });
}

Numbers concat(const std::vector<Map>& srcs) {
  Shape shape = srcs[0].shape;
  shape[1] = 0;
  for (const Map& src : srcs) shape[1] += src.shape[1];
  return tabulate(shape, [&](std::int64_t n, std::int64_t c, std::int64_t y, std::int64_t x) {
    std::size_t i = 0;
    for (; c >= srcs[i].shape[1]; ++i) c -= srcs[i].shape[1];
    return srcs[i].at(n, c, y, x);
  });
}

Numbers channel_mean(const Map& src) {
  const Shape& s = src.shape;
  return tabulate({s[0], 1, s[2], s[3]}, [&](std::int64_t n, std::int64_t, std::int64_t y, std::int64_t x) {
    double sum = 0;
    for (std::int64_t c = 0; c < s[1]; ++c) sum += src.at(n, c, y, x);
    return sum / static_cast<double>(s[1]);
  });
}

Numbers channel_max(const Map& src) {
  const Shape& s = src.shape;
  return tabulate({s[0], 1, s[2], s[3]}, [&](std::int64_t n, std::int64_t, std::int64_t y, std::int64_t x) {
    double largest = src.at(n, 0, y, x);
    for (std::int64_t c = 1; c < s[1]; ++c) largest = std::max(largest, src.at(n, c, y, x));
    return largest;
  });
}

Numbers dense(const Numbers& src, const Numbers& weight, const Numbers& bias, std::int64_t rows, std::int64_t in,
              std::int64_t out) {
  return tabulate({rows, out, 1, 1}, [&](std::int64_t r, std::int64_t o, std::int64_t, std::int64_t) {
    double sum = bias.empty() ? 0 : bias[static_cast<std::size_t>(o)];
    for (std::int64_t i = 0; i < in; ++i) {
      sum += src[static_cast<std::size_t>(r * in + i)] * weight[static_cast<std::size_t>(o * in + i)];
    }
    return sum;
  });
}

Numbers cells(const Map& src) {
  const Shape& s = src.shape;
  return tabulate({s[0], s[2] * s[3], s[1], 1}, [&](std::int64_t n, std::int64_t cell, std::int64_t c, std::int64_t) {
    return src.at(n, c, cell / s[3], cell % s[3]);
  });
}

}  // namespace glimpse::train::testing
