#include "reference_net.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <stdexcept>
#include <vector>

#include "net/plain_attributes.h"
#include "reference_attention.h"
#include "support/activations.h"

namespace glimpse::net::testing {
namespace {

float activate(double x, const dnn::Activation& activation) {
  return static_cast<float>(glimpse::testing::reference_activation(x, activation));
}

constexpr dnn::Activation kRelu = {dnn::Activation::Kind::kRelu, 0, 0};
constexpr dnn::Activation kSigmoid = {dnn::Activation::Kind::kSigmoid, 0, 0};

/// Where windows of one axis start, in coordinates of the unpadded input.
std::vector<std::int64_t> window_starts(std::int64_t extent, std::int64_t before, std::int64_t after,
                                        std::int64_t window, std::int64_t stride, bool ceil_mode) {
  std::vector<std::int64_t> starts;
  for (std::int64_t start = -before;; start += stride) {
    const bool whole = start + window <= extent + after;
    const bool previous_reached_end = start - stride + window >= extent + after;
    const bool partial = ceil_mode && start < extent && (starts.empty() || !previous_reached_end);
    if (!whole && !partial) break;
    starts.push_back(start);
  }
  return starts;
}

/// What the reference knows of a node.
struct Described {
  std::string op;
  PlainAttributes attributes;
};

class Reference {
 public:
  Reference(const Weights& weights) : weights_(weights) {}

  Tensor run(const Node& graph_node, const std::vector<const Tensor*>& srcs) const {
    const Described node = {std::string(graph_node.op->name()), plain(graph_node)};
    const PlainAttributes& a = node.attributes;
    const Tensor& src = *srcs[0];
    if (node.op == "conv") return convolution(node, src);
    if (node.op == "batchnorm") return batch_norm(src, a.weights, a);
    if (node.op == "act") return map(src, [&](double x) { return activate(x, a.activation); });
    if (node.op == "maxpool" || node.op == "avgpool") return pool(node, src);
    if (node.op == "globalavgpool") return adaptive(src, 1, 1);
    if (node.op == "adaptiveavgpool") return adaptive(src, a.size[0], a.size[1]);
    if (node.op == "add")
      return binary(src, *srcs[1], [&](double x, double y) { return activate(x + y, a.activation); });
    if (node.op == "mul")
      return binary(src, *srcs[1], [&](double x, double y) { return activate(x * y, a.activation); });
    if (node.op == "concat") return concat(srcs);
    if (node.op == "linear") return linear(src, a.weights, a.bias, a.out, a.activation);
    if (node.op == "se") return squeeze_excite(node, src);
    if (node.op == "cbam") return cbam(node, src);
    if (node.op == "selfattention") return self_attention(node, src);
    throw std::logic_error("no reference for this op");
  }

 private:
  Tensor tensor(const std::string& name) const { return to_float(weights_.at(name)); }

  template <typename F>
  static Tensor map(const Tensor& src, F f) {
    Tensor dst(src.shape());
    for (std::int64_t i = 0; i < src.count(); ++i) dst.data()[i] = f(src.data()[i]);
    return dst;
  }

  static float at(const Tensor& t, std::int64_t n, std::int64_t c, std::int64_t y, std::int64_t x) {
    return t.data()[((n * t.dim(1) + c) * t.dim(2) + y) * t.dim(3) + x];
  }

  Tensor convolution(const Described& node, const Tensor& src) const {
    const PlainAttributes& a = node.attributes;
    const Tensor weight = tensor(a.weights + ".weight");  // [out, in/groups, kh, kw]
    const auto ys = window_starts(src.dim(2), a.padding.top, a.padding.bottom, a.dilation[0] * (a.kernel[0] - 1) + 1,
                                  a.stride[0], false);
    const auto xs = window_starts(src.dim(3), a.padding.left, a.padding.right, a.dilation[1] * (a.kernel[1] - 1) + 1,
                                  a.stride[1], false);
    const std::int64_t groups = src.dim(1) / weight.dim(1);
    const std::int64_t group_out = a.out / groups;
    Tensor dst({src.dim(0), a.out, static_cast<std::int64_t>(ys.size()), static_cast<std::int64_t>(xs.size())});
    const std::size_t plane_size = ys.size() * xs.size();
    std::vector<double> plane(plane_size);
    for (std::int64_t n = 0; n < src.dim(0); ++n) {
      for (std::int64_t o = 0; o < a.out; ++o) {
        std::fill(plane.begin(), plane.end(), a.bias ? to_float(weights_.at(a.weights + ".bias")).data()[o] : 0.0);
        for (std::int64_t i = 0; i < weight.dim(1); ++i) {
          const std::int64_t channel = o / group_out * weight.dim(1) + i;
          for (std::int64_t ky = 0; ky < a.kernel[0]; ++ky) {
            for (std::int64_t kx = 0; kx < a.kernel[1]; ++kx) {
              const double w = at(weight, o, i, ky, kx);
              for (std::size_t oy = 0; oy < ys.size(); ++oy) {
                const std::int64_t y = ys[oy] + ky * a.dilation[0];
                if (y < 0 || y >= src.dim(2)) continue;
                for (std::size_t ox = 0; ox < xs.size(); ++ox) {
                  const std::int64_t x = xs[ox] + kx * a.dilation[1];
                  if (x >= 0 && x < src.dim(3)) plane[oy * xs.size() + ox] += w * at(src, n, channel, y, x);
                }
              }
            }
          }
        }
        float* out = dst.data() + (n * a.out + o) * static_cast<std::int64_t>(plane_size);
        std::transform(plane.begin(), plane.end(), out, [&](double x) { return activate(x, a.activation); });
      }
    }
    return dst;
  }

  Tensor batch_norm(const Tensor& src, const std::string& prefix, const PlainAttributes& a) const {
    const Tensor weight = tensor(prefix + ".weight");
    const Tensor bias = tensor(prefix + ".bias");
    const Tensor mean = tensor(prefix + ".running_mean");
    const Tensor variance = tensor(prefix + ".running_var");
    Tensor dst(src.shape());
    const std::int64_t plane = src.dim(2) * src.dim(3);
    for (std::int64_t i = 0; i < src.count(); ++i) {
      const std::int64_t c = i / plane % src.dim(1);
      const double normal =
          (src.data()[i] - mean.data()[c]) / std::sqrt(static_cast<double>(variance.data()[c]) + a.epsilon);
      dst.data()[i] = activate(normal * weight.data()[c] + bias.data()[c], a.activation);
    }
    return dst;
  }

  static Tensor pool(const Described& node, const Tensor& src) {
    const PlainAttributes& a = node.attributes;
    const auto ys = window_starts(src.dim(2), a.padding.top, a.padding.bottom, a.kernel[0], a.stride[0], a.ceil_mode);
    const auto xs = window_starts(src.dim(3), a.padding.left, a.padding.right, a.kernel[1], a.stride[1], a.ceil_mode);
    Tensor dst({src.dim(0), src.dim(1), static_cast<std::int64_t>(ys.size()), static_cast<std::int64_t>(xs.size())});
    float* out = dst.data();
    for (std::int64_t n = 0; n < src.dim(0); ++n) {
      for (std::int64_t c = 0; c < src.dim(1); ++c) {
        for (const std::int64_t top : ys) {
          for (const std::int64_t left : xs) *out++ = pool_window(node, src, {n, c, top, left});
        }
      }
    }
    return dst;
  }

  struct Window {
    std::int64_t n, c, top, left;
  };

  static float pool_window(const Described& node, const Tensor& src, const Window& at_window) {
    const PlainAttributes& a = node.attributes;
    double sum = 0;
    double max = -std::numeric_limits<double>::infinity();
    std::int64_t seen = 0;
    std::int64_t counted = 0;  // with the padding, but not with what a ceil-mode window overhangs it
    for (std::int64_t y = at_window.top; y < at_window.top + a.kernel[0]; ++y) {
      for (std::int64_t x = at_window.left; x < at_window.left + a.kernel[1]; ++x) {
        if (y < src.dim(2) + a.padding.bottom && x < src.dim(3) + a.padding.right) ++counted;
        if (y < 0 || y >= src.dim(2) || x < 0 || x >= src.dim(3)) continue;
        const double value = at(src, at_window.n, at_window.c, y, x);
        sum += value;
        max = std::max(max, value);
        ++seen;
      }
    }
    if (node.op == "maxpool") return static_cast<float>(max);
    return static_cast<float>(sum / static_cast<double>(a.count_padding ? counted : seen));
  }

  static Tensor adaptive(const Tensor& src, std::int64_t rows, std::int64_t cols) {
    Tensor dst({src.dim(0), src.dim(1), rows, cols});
    float* out = dst.data();
    for (std::int64_t n = 0; n < src.dim(0); ++n) {
      for (std::int64_t c = 0; c < src.dim(1); ++c) {
        for (std::int64_t r = 0; r < rows; ++r) {
          for (std::int64_t k = 0; k < cols; ++k) {
            double sum = 0;
            std::int64_t count = 0;
            for (std::int64_t y = src.dim(2) * r / rows; y * rows < src.dim(2) * (r + 1); ++y) {
              for (std::int64_t x = src.dim(3) * k / cols; x * cols < src.dim(3) * (k + 1); ++x, ++count) {
                sum += at(src, n, c, y, x);
              }
            }
            *out++ = static_cast<float>(sum / static_cast<double>(count));
          }
        }
      }
    }
    return dst;
  }

  template <typename F>
  static Tensor binary(const Tensor& a, const Tensor& b, F f) {
    Shape shape;
    for (std::size_t i = 0; i < 4; ++i) shape.push_back(std::max(a.dim(i), b.dim(i)));
    const auto element = [](const Tensor& t, std::int64_t n, std::int64_t c, std::int64_t y, std::int64_t x) {
      return at(t, n, t.dim(1) == 1 ? 0 : c, t.dim(2) == 1 ? 0 : y, t.dim(3) == 1 ? 0 : x);
    };
    Tensor dst(shape);
    float* out = dst.data();
    for (std::int64_t n = 0; n < shape[0]; ++n) {
      for (std::int64_t c = 0; c < shape[1]; ++c) {
        for (std::int64_t y = 0; y < shape[2]; ++y) {
          for (std::int64_t x = 0; x < shape[3]; ++x) *out++ = f(element(a, n, c, y, x), element(b, n, c, y, x));
        }
      }
    }
    return dst;
  }

  static Tensor concat(const std::vector<const Tensor*>& srcs) {
    Shape shape = srcs[0]->shape();
    shape[1] = 0;
    for (const Tensor* src : srcs) shape[1] += src->dim(1);
    Tensor dst(shape);
    float* out = dst.data();
    for (std::int64_t n = 0; n < shape[0]; ++n) {
      for (const Tensor* src : srcs) {
        const std::int64_t count = src->count() / shape[0];
        out = std::copy_n(src->data() + n * count, count, out);
      }
    }
    return dst;
  }

  Tensor linear(const Tensor& src, const std::string& prefix, bool bias, std::int64_t outputs,
                const dnn::Activation& activation) const {
    const Tensor weight = tensor(prefix + ".weight");
    const Tensor biases = bias ? tensor(prefix + ".bias") : Tensor();
    const std::int64_t inputs = src.count() / src.dim(0);
    Tensor dst({src.dim(0), outputs, 1, 1});
    for (std::int64_t n = 0; n < src.dim(0); ++n) {
      for (std::int64_t o = 0; o < outputs; ++o) {
        double sum = bias ? biases.data()[o] : 0;
        for (std::int64_t i = 0; i < inputs; ++i) {
          sum += static_cast<double>(weight.data()[o * inputs + i]) * src.data()[n * inputs + i];
        }
        dst.data()[n * outputs + o] = activate(sum, activation);
      }
    }
    return dst;
  }

  Tensor squeeze_excite(const Described& node, const Tensor& src) const {
    const std::string& prefix = node.attributes.weights;
    const std::int64_t hidden = weights_.at(prefix + ".squeeze.bias").shape[0];
    const Tensor squeezed = linear(adaptive(src, 1, 1), prefix + ".squeeze", true, hidden, kRelu);
    const Tensor gate = linear(squeezed, prefix + ".excite", true, src.dim(1), kSigmoid);
    return binary(src, gate, [](double x, double y) { return static_cast<float>(x * y); });
  }

  Tensor cbam(const Described& node, const Tensor& src) const {
    const auto times = [](double x, double y) { return static_cast<float>(x * y); };
    const std::string& prefix = node.attributes.weights;
    const std::int64_t hidden = weights_.at(prefix + ".squeeze.bias").shape[0];
    const auto mlp = [&](const Tensor& pooled) {
      return linear(linear(pooled, prefix + ".squeeze", true, hidden, kRelu), prefix + ".excite", true, src.dim(1), {});
    };
    Described max_pool{"maxpool", {}};
    max_pool.attributes.kernel = max_pool.attributes.stride = {src.dim(2), src.dim(3)};
    const Tensor channel_gate = binary(mlp(adaptive(src, 1, 1)), mlp(pool(max_pool, src)),
                                       [](double x, double y) { return activate(x + y, kSigmoid); });
    const Tensor attended = binary(src, channel_gate, times);

    Tensor planes({src.dim(0), 2, src.dim(2), src.dim(3)});  // maximum and mean over channels
    const std::int64_t cells = src.dim(2) * src.dim(3);
    for (std::int64_t n = 0; n < src.dim(0); ++n) {
      for (std::int64_t cell = 0; cell < cells; ++cell) {
        double max = -std::numeric_limits<double>::infinity();
        double sum = 0;
        for (std::int64_t c = 0; c < src.dim(1); ++c) {
          const double value = attended.data()[(n * src.dim(1) + c) * cells + cell];
          max = std::max(max, value);
          sum += value;
        }
        planes.data()[2 * n * cells + cell] = static_cast<float>(max);
        planes.data()[(2 * n + 1) * cells + cell] = static_cast<float>(sum / static_cast<double>(src.dim(1)));
      }
    }
    Described spatial{"conv", {}};
    spatial.attributes.out = 1;
    spatial.attributes.bias = false;
    spatial.attributes.kernel = node.attributes.kernel;
    const std::int64_t rows = (node.attributes.kernel[0] - 1) / 2;
    const std::int64_t cols = (node.attributes.kernel[1] - 1) / 2;
    spatial.attributes.padding = {rows, cols, rows, cols};
    spatial.attributes.weights = prefix + ".spatial.conv";
    PlainAttributes norm;
    norm.activation = kSigmoid;
    const Tensor cell_gate = batch_norm(convolution(spatial, planes), prefix + ".spatial.bn", norm);
    return binary(attended, cell_gate, times);
  }

  /// norm(x + out(attention(in(x)))).
  Tensor self_attention(const Described& node, const Tensor& src) const {
    const std::string& prefix = node.attributes.weights;
    const auto layer = [&](const Tensor& map, const std::string& name) {
      return each_cell(map, tensor(prefix + name + ".weight"), tensor(prefix + name + ".bias"));
    };
    const Tensor read = attend_to_cells(layer(src, ".in_proj"), node.attributes.heads);
    const Tensor sum =
        binary(layer(read, ".out_proj"), src, [](double x, double y) { return static_cast<float>(x + y); });
    return layer_norm(sum, tensor(prefix + ".norm.weight"), tensor(prefix + ".norm.bias"), node.attributes.epsilon);
  }

  const Weights& weights_;
};

}  // namespace

std::map<std::string, Tensor> run_reference(const GraphSpec& graph, const Weights& weights, const Tensor& image) {
  std::map<std::string, Tensor> values;
  values.emplace(kImageName, image.clone());
  const Reference reference(weights);
  for (const Node& node : graph.nodes) {
    std::vector<const Tensor*> srcs;
    for (const int source : node.sources) {
      const std::string name =
          source == kImage ? std::string(kImageName) : graph.nodes[static_cast<std::size_t>(source)].name;
      srcs.push_back(&values.at(name));
    }
    values.emplace(node.name, reference.run(node, srcs));
  }
  return values;
}

double relative_error(std::span<const float> a, std::span<const float> b) {
  if (a.size() != b.size()) return std::numeric_limits<double>::infinity();
  double difference = 0;
  double norm = 0;
  for (std::size_t i = 0; i < a.size(); ++i) {
    difference += (static_cast<double>(a[i]) - b[i]) * (static_cast<double>(a[i]) - b[i]);
    norm += static_cast<double>(b[i]) * b[i];
  }
  return difference == 0 ? 0 : std::sqrt(difference / norm);
}

}  // namespace glimpse::net::testing
