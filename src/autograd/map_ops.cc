#include "autograd/map_ops.h"

#include <algorithm>
#include <cstring>
#include <memory>
#include <vector>

#include "dnn/kernels/array_math.h"
#include "dnn/math/activation.h"

namespace glimpse::train {
namespace {

using dnn::Array;
using dnn::Kernels;
using dnn::Spread;

Variable record_activation(Tape& tape, const Variable& src, const Array& value, const dnn::Activation& activation) {
  dnn::activate(activation, src.value(), value, tape.kernels().threads());
  return tape.record(value, {src}, [&tape, src, value, activation](const Array& gradient) {
    Kernels& kernels = tape.kernels();
    const bool in_place = gradient.unique() && gradient.block() == value.block();
    const Array d_dst = kernels.reordered(gradient, value.block());
    const Array d_src = in_place ? d_dst : kernels.take_like(d_dst);
    dnn::activate_d_src(activation, src.value(), value, d_dst, d_src, kernels.threads());
    tape.add_gradient(src, d_src);
  });
}

/// `b` laid out as meeting `a` takes it.
Array as_met(Kernels& kernels, const Array& a, const Array& b) {
  return kernels.reordered(b, dnn::spread_of(a.shape(), b.shape()) == Spread::kSame ? a.block() : 1);
}

Array gathered(Kernels& kernels, const Array& d_dst, const Array* a, const Shape& shape) {
  Array result = kernels.take(shape);
  dnn::gather_spread(d_dst, a, result, kernels.threads());
  return result;
}

void update(Tensor& running, const Array& batch, float momentum, float correction) {
  for (std::size_t i = 0; i < running.values().size(); ++i) {
    float& value = running.values()[i];
    value += momentum * (batch.values()[i] * correction - value);
  }
}

/// [N,C,H,W], plain ⇄ [N, H·W, C].
void transpose_cells(const Array& src, const Array& dst, std::int64_t rows, std::int64_t cols) {
  const std::int64_t pictures = src.dim(0);
  for (std::int64_t n = 0; n < pictures; ++n) {
    const float* from = src.data() + n * rows * cols;
    float* to = dst.data() + n * rows * cols;
    for (std::int64_t r = 0; r < rows; ++r) {
      for (std::int64_t c = 0; c < cols; ++c) to[c * rows + r] = from[r * cols + c];
    }
  }
}

}  // namespace

Variable plain(Tape& tape, const Variable& src) {
  if (src.value().block() == 1) return src;
  // Gradients come back in whichever layout is at hand; operations reorder what they need.
  return tape.record(tape.kernels().reordered(src.value(), 1), {src},
                     [&tape, src](const Array& gradient) { tape.add_gradient(src, gradient); });
}

Variable cells(Tape& tape, const Variable& src) {
  const Shape shape = src.shape();
  const std::int64_t cell_count = shape[2] * shape[3];
  const Array from = tape.kernels().reordered(src.value(), 1);
  const Array value = tape.kernels().take({shape[0], cell_count, shape[1]});
  transpose_cells(from, value, shape[1], cell_count);
  return tape.record(value, {src}, [&tape, src, shape, cell_count](const Array& gradient) {
    const Array d_src = tape.kernels().take(shape);
    transpose_cells(gradient, d_src, cell_count, shape[1]);
    tape.add_gradient(src, d_src);
  });
}

Variable map_of_cells(Tape& tape, const Variable& src, const Shape& shape) {
  const std::int64_t cell_count = shape[2] * shape[3];
  const Array value = tape.kernels().take(shape);
  transpose_cells(src.value().reshaped({shape[0], cell_count, shape[1]}), value, cell_count, shape[1]);
  return tape.record(value, {src}, [&tape, src, shape, cell_count](const Array& gradient) {
    const Array d_src = tape.kernels().take(src.shape());
    transpose_cells(tape.kernels().reordered(gradient, 1), d_src.reshaped({shape[0], cell_count, shape[1]}), shape[1],
                    cell_count);
    tape.add_gradient(src, d_src);
  });
}

Variable convolution(Tape& tape, const Variable& src, const Variable& weight, const Variable& bias,
                     const dnn::ConvolutionOptions& options) {
  const Array value = tape.kernels().convolution(src.value(), weight.value(), bias ? bias.value() : Array(), options);
  return tape.record(value, {src, weight, bias}, [&tape, src, weight, bias, options](const Array& gradient) {
    Kernels& kernels = tape.kernels();
    if (weight.needs_gradient() || (bias && bias.needs_gradient())) {
      const auto d =
          kernels.convolution_d_weight(src.value(), gradient, weight.shape(), static_cast<bool>(bias), options);
      tape.add_gradient(weight, d.weight);
      if (bias) tape.add_gradient(bias, d.bias);
    }
    if (src.needs_gradient()) {
      tape.add_gradient(src, kernels.convolution_d_src(gradient, weight.value(), src.shape(), options));
    }
  });
}

Variable batch_norm(Tape& tape, const Variable& src, const Variable& scale, const Variable& shift,
                    const RunningStatistics& running, const BatchNormOptions& options) {
  Kernels& kernels = tape.kernels();
  const Kernels::NormOptions norm{options.epsilon, options.relu};
  const bool given = options.statistics == Statistics::kRunning;
  Kernels::Normalised forward;
  if (given) {
    // The running numbers may change before the gradient is asked for.
    const Array mean = kernels.copy(Array::borrow(running.mean));
    const Array variance = kernels.copy(Array::borrow(running.variance));
    forward = kernels.batch_norm_by(src.value(), scale.value(), shift.value(), mean, variance, norm);
  } else {
    forward = kernels.batch_norm(src.value(), scale.value(), shift.value(), norm);
    const auto samples = static_cast<float>(src.value().count() / src.dim(1));
    update(running.mean, forward.mean, running.momentum, 1);
    update(running.variance, forward.variance, running.momentum, samples / std::max(1.0F, samples - 1));
  }
  const Array value = forward.dst;
  forward.dst = {};  // the backward pass does not read it
  return tape.record(value, {src, scale, shift}, [=, &tape](const Array& gradient) {
    const auto d = tape.kernels().batch_norm_gradients(src.value(), forward, scale.value(), gradient, norm, given);
    tape.add_gradient(src, d.src);
    tape.add_gradient(scale, d.scale);
    tape.add_gradient(shift, d.shift);
  });
}

Variable activation(Tape& tape, const Variable& src, const dnn::Activation& activation) {
  if (activation.kind == dnn::Activation::Kind::kNone) return src;
  return record_activation(tape, src, tape.kernels().take_like(src.value()), activation);
}

Variable activation_in_place(Tape& tape, const Variable& src, const dnn::Activation& activation) {
  if (!dnn::function_of(activation.kind).reversible) return train::activation(tape, src, activation);
  return record_activation(tape, src, src.value(), activation);
}

Variable max_pooling(Tape& tape, const Variable& src, const dnn::PoolingOptions& options) {
  const Kernels::Maximum forward = tape.kernels().max_pooling(src.value(), options);
  const std::int64_t block = forward.dst.block();
  return tape.record(forward.dst, {src}, [&tape, src, where = forward.where, block, options](const Array& gradient) {
    Kernels& kernels = tape.kernels();
    tape.add_gradient(src, kernels.max_pooling_d_src(kernels.reordered(gradient, block), where, src.shape(), options));
  });
}

Variable average_pooling(Tape& tape, const Variable& src, const dnn::PoolingOptions& options) {
  return tape.record(tape.kernels().average_pooling(src.value(), options), {src},
                     [&tape, src, options](const Array& gradient) {
                       tape.add_gradient(src, tape.kernels().average_pooling_d_src(gradient, src.shape(), options));
                     });
}

Variable adaptive_average(Tape& tape, const Variable& src, std::int64_t rows, std::int64_t cols) {
  return tape.record(tape.kernels().adaptive_average(src.value(), rows, cols), {src},
                     [&tape, src](const Array& gradient) {
                       tape.add_gradient(src, tape.kernels().adaptive_average_d_src(gradient, src.shape()));
                     });
}

Variable add(Tape& tape, const Variable& a, const Variable& b) {
  Kernels& kernels = tape.kernels();
  const Array value = kernels.take_like(a.value());
  dnn::add_spread(a.value(), as_met(kernels, a.value(), b.value()), value, kernels.threads());
  return tape.record(value, {a, b}, [&tape, a, b](const Array& gradient) {
    tape.add_gradient(a, gradient);
    if (!b.needs_gradient()) return;
    const bool same = dnn::spread_of(a.shape(), b.shape()) == Spread::kSame;
    tape.add_gradient(b, same ? gradient : gathered(tape.kernels(), gradient, nullptr, b.shape()));
  });
}

Variable multiply(Tape& tape, const Variable& a, const Variable& b) {
  Kernels& kernels = tape.kernels();
  const Array value = kernels.take_like(a.value());
  const Array factor = as_met(kernels, a.value(), b.value());
  dnn::multiply_spread(a.value(), factor, value, kernels.threads());
  return tape.record(value, {a, b}, [&tape, a, b, factor](const Array& given) {
    Kernels& kernels = tape.kernels();
    const int threads = kernels.threads();
    const Array gradient = kernels.reordered(given, a.value().block());
    if (b.needs_gradient()) {
      if (dnn::spread_of(a.shape(), b.shape()) == Spread::kSame) {
        const Array d_b = kernels.take_like(gradient);
        dnn::multiply_spread(gradient, a.value(), d_b, threads);
        tape.add_gradient(b, d_b);
      } else {
        const Array& values = a.value();
        tape.add_gradient(b, gathered(kernels, gradient, &values, b.shape()));
      }
    }
    if (a.needs_gradient()) {
      const Array d_a = kernels.take_like(gradient);
      dnn::multiply_spread(gradient, factor, d_a, threads);
      tape.add_gradient(a, d_a);
    }
  });
}

Variable concat(Tape& tape, std::span<const Variable> srcs) {
  Kernels& kernels = tape.kernels();
  Shape shape = srcs[0].shape();
  shape[1] = 0;
  for (const Variable& src : srcs) shape[1] += src.dim(1);
  const std::int64_t cell_count = shape[2] * shape[3];
  const Array value = kernels.take(shape);
  const std::vector<Variable> parts(srcs.begin(), srcs.end());
  // Calls body(part's numbers of one picture, their place in the whole, how many).
  const auto walk = [shape, cell_count](const Array& whole, const std::vector<Array>& arrays, auto body) {
    for (std::int64_t n = 0; n < shape[0]; ++n) {
      std::int64_t at = n * shape[1] * cell_count;
      for (const Array& part : arrays) {
        const std::int64_t count = part.dim(1) * cell_count;
        body(part.data() + n * count, whole.data() + at, count);
        at += count;
      }
    }
  };
  std::vector<Array> values;
  for (const Variable& part : parts) values.push_back(kernels.reordered(part.value(), 1));
  walk(value, values, [](const float* part, float* place, std::int64_t count) { std::copy_n(part, count, place); });
  return tape.record(value, parts, [&tape, parts, walk](const Array& given) {
    Kernels& kernels = tape.kernels();
    const Array gradient = kernels.reordered(given, 1);
    std::vector<Array> gradients;
    for (const Variable& part : parts) gradients.push_back(kernels.take(part.shape()));
    walk(gradient, gradients,
         [](float* part, const float* place, std::int64_t count) { std::copy_n(place, count, part); });
    for (std::size_t i = 0; i < parts.size(); ++i) tape.add_gradient(parts[i], gradients[i]);
  });
}

Variable channel_mean(Tape& tape, const Variable& src) {
  if (src.dim(1) == 1) return plain(tape, src);  // nothing to spread the gradient over
  Kernels& kernels = tape.kernels();
  const Array value = kernels.take({src.dim(0), 1, src.dim(2), src.dim(3)});
  dnn::channel_mean(src.value(), value, kernels.threads());
  return tape.record(value, {src}, [&tape, src](const Array& gradient) {
    Kernels& kernels = tape.kernels();
    const Array each = kernels.copy(gradient);
    for (float& number : each.values()) number /= static_cast<float>(src.dim(1));
    const Array zero = kernels.zeros(src.shape(), src.value().block());
    const Array d_src = kernels.take_like(zero);
    dnn::add_spread(zero, each, d_src, kernels.threads());
    tape.add_gradient(src, d_src);
  });
}

Variable channel_max(Tape& tape, const Variable& src) {
  Kernels& kernels = tape.kernels();
  const Array value = kernels.take({src.dim(0), 1, src.dim(2), src.dim(3)});
  const auto channel = std::make_shared<std::vector<std::int32_t>>(value.values().size());
  dnn::channel_max(src.value(), value, channel->data(), kernels.threads());
  return tape.record(value, {src}, [&tape, src, channel](const Array& gradient) {
    Kernels& kernels = tape.kernels();
    const Array d_src = kernels.zeros(src.shape(), src.value().block());
    dnn::channel_max_d_src(gradient, channel->data(), d_src, kernels.threads());
    tape.add_gradient(src, d_src);
  });
}

Variable dense(Tape& tape, const Variable& src, const Variable& weight, const Variable& bias) {
  Kernels& kernels = tape.kernels();
  const std::int64_t rows = src.dim(0);
  const std::int64_t in = weight.dim(1);
  const std::int64_t out = weight.dim(0);
  const Array input = kernels.reordered(src.value(), 1).reshaped({rows, in});
  const Array value = kernels.zeros({rows, out});
  if (bias) {
    for (std::int64_t r = 0; r < rows; ++r) std::copy_n(bias.value().data(), out, value.data() + r * out);
  }
  kernels.product(input, weight.value(), value, {.transpose_right = true, .accumulate = true});
  return tape.record(value.reshaped({rows, out, 1, 1}), {src, weight, bias},
                     [&tape, src, weight, bias, input, rows, in, out](const Array& given) {
                       Kernels& kernels = tape.kernels();
                       const Array gradient = kernels.reordered(given, 1).reshaped({rows, out});
                       if (weight.needs_gradient()) {
                         kernels.product(gradient, input, tape.gradient_to_add_to(weight),
                                         {.transpose_left = true, .accumulate = true});
                       }
                       if (bias && bias.needs_gradient()) {
                         float* d_bias = tape.gradient_to_add_to(bias).data();
                         for (std::int64_t i = 0; i < rows * out; ++i) d_bias[i % out] += gradient.data()[i];
                       }
                       if (src.needs_gradient()) {
                         const Array d_src = kernels.take({rows, in});
                         kernels.product(gradient, weight.value(), d_src, {});
                         tape.add_gradient(src, d_src.reshaped(src.shape()));
                       }
                     });
}

}  // namespace glimpse::train
