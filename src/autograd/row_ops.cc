#include "autograd/row_ops.h"

#include <algorithm>
#include <cassert>
#include <cstring>
#include <utility>

#include "dnn/math/row_math.h"

namespace glimpse::train {
namespace {

using dnn::Array;

/// As a logit: of no probability, and finite, so that times 0 it is 0.
constexpr float kNothing = -1e30F;

/// A matrix of what stands behind the first dimension.
Array as_matrix(const Array& array) {
  const std::int64_t rows = array.dim(0);
  return array.reshaped({rows, rows == 0 ? 0 : array.count() / rows});
}

}  // namespace

Variable reshape(Tape& tape, const Variable& src, const Shape& shape) {
  return tape.record(src.value().reshaped(shape), {src},
                     [&tape, src](const Array& gradient) { tape.add_gradient(src, gradient.reshaped(src.shape())); });
}

Variable linear(Tape& tape, const Variable& src, const Variable& weight, const Variable& bias) {
  dnn::Kernels& kernels = tape.kernels();
  const Array dst = kernels.take({src.dim(0), weight.dim(0)});
  kernels.product(src.value(), weight.value(), dst, {.transpose_right = true});
  if (bias) dnn::add_bias(dst, bias.value(), kernels.threads());
  return tape.record(dst, {src, weight, bias}, [&tape, src, weight, bias](const Array& gradient) {
    dnn::Kernels& k = tape.kernels();
    if (weight.needs_gradient()) {
      k.product(gradient, src.value(), tape.gradient_to_add_to(weight), {.transpose_left = true, .accumulate = true});
    }
    if (bias && bias.needs_gradient()) {
      dnn::add_column_sums(gradient, tape.gradient_to_add_to(bias), k.threads());
    }
    if (src.needs_gradient()) {
      const Array d_src = k.take(src.shape());
      k.product(gradient, weight.value(), d_src, {});
      tape.add_gradient(src, d_src);
    }
  });
}

Variable batched_product(Tape& tape, const Variable& left, const Variable& right, bool transpose_right) {
  const Array dst = tape.kernels().take({left.dim(0), left.dim(1), right.dim(transpose_right ? 1 : 2)});
  tape.kernels().batched_product(left.value(), right.value(), dst, {.transpose_right = transpose_right});
  return tape.record(dst, {left, right}, [&tape, left, right, transpose_right](const Array& gradient) {
    dnn::Kernels& k = tape.kernels();
    if (left.needs_gradient()) {
      const Array d_left = k.take(left.shape());
      k.batched_product(gradient, right.value(), d_left, {.transpose_right = !transpose_right});
      tape.add_gradient(left, d_left);
    }
    if (!right.needs_gradient()) return;
    const Array d_right = k.take(right.shape());
    if (transpose_right) {
      k.batched_product(gradient, left.value(), d_right, {.transpose_left = true});
    } else {
      k.batched_product(left.value(), gradient, d_right, {.transpose_left = true});
    }
    tape.add_gradient(right, d_right);
  });
}

Variable gather_rows(Tape& tape, const Variable& src, std::vector<int> rows) {
  const Array dst = tape.kernels().take({static_cast<std::int64_t>(rows.size()), src.dim(1)});
  dnn::gather_rows(src.value(), rows, dst);
  return tape.record(dst, {src}, [&tape, src, rows = std::move(rows)](const Array& gradient) {
    dnn::scatter_add_rows(gradient, rows, tape.gradient_to_add_to(src));
  });
}

Variable rectangle(Tape& tape, const Variable& src, dnn::Corner corner, std::int64_t rows, std::int64_t cols) {
  dnn::Kernels& kernels = tape.kernels();
  const Array dst = kernels.take({rows, cols});
  dnn::copy_from(src.value(), corner, dst, kernels.threads());
  return tape.record(dst, {src}, [&tape, src, corner](const Array& gradient) {
    dnn::add_to(gradient, tape.gradient_to_add_to(src), corner, tape.kernels().threads());
  });
}

Variable first_rows(Tape& tape, const Variable& src, std::int64_t count) {
  return count == src.dim(0) ? src : rectangle(tape, src, {}, count, src.dim(1));
}

Variable concat_rows(Tape& tape, std::span<const Variable> srcs) {
  Shape shape = srcs[0].shape();
  shape[0] = 0;
  for (const Variable& src : srcs) shape[0] += src.dim(0);
  const Array dst = tape.kernels().take(shape);
  float* to = dst.data();
  for (const Variable& src : srcs) to = std::ranges::copy(src.value().values(), to).out;
  const std::vector<Variable> inputs(srcs.begin(), srcs.end());
  return tape.record(dst, inputs, [&tape, inputs](const Array& gradient) {
    const Array rows = as_matrix(gradient);
    std::int64_t row = 0;
    for (const Variable& src : inputs) {
      if (src.needs_gradient() && src.value().count() > 0) {
        const Array d_src = tape.kernels().take(as_matrix(src.value()).shape());
        dnn::copy_from(rows, {row, 0}, d_src, tape.kernels().threads());
        tape.add_gradient(src, d_src.reshaped(src.shape()));
      }
      row += src.dim(0);
    }
  });
}

Variable slice_columns(Tape& tape, const Variable& src, std::int64_t first, std::int64_t count) {
  return rectangle(tape, src, {0, first}, src.dim(0), count);
}

Variable concat_columns(Tape& tape, std::span<const Variable> srcs) {
  dnn::Kernels& kernels = tape.kernels();
  std::int64_t cols = 0;
  for (const Variable& src : srcs) cols += src.dim(1);
  const Array dst = kernels.take({srcs[0].dim(0), cols});
  std::int64_t col = 0;
  for (const Variable& src : srcs) {
    dnn::copy_to(src.value(), dst, {0, col}, kernels.threads());
    col += src.dim(1);
  }
  const std::vector<Variable> inputs(srcs.begin(), srcs.end());
  return tape.record(dst, inputs, [&tape, inputs](const Array& gradient) {
    std::int64_t from = 0;
    for (const Variable& src : inputs) {
      if (src.needs_gradient()) {
        const Array d_src = tape.kernels().take(src.shape());
        dnn::copy_from(gradient, {0, from}, d_src, tape.kernels().threads());
        tape.add_gradient(src, d_src);
      }
      from += src.dim(1);
    }
  });
}

Variable dropout(Tape& tape, const Variable& src, double rate, std::uint64_t seed) {
  assert(rate >= 0 && rate < 1);
  if (rate == 0) return src;
  dnn::Kernels& kernels = tape.kernels();
  const Array dst = kernels.take(src.shape());
  dnn::dropout(src.value(), rate, seed, dst, kernels.threads());
  return tape.record(dst, {src}, [&tape, src, rate, seed](const Array& gradient) {
    const Array d_src = gradient.unique() ? gradient : tape.kernels().take(src.shape());
    dnn::dropout(gradient, rate, seed, d_src, tape.kernels().threads());
    tape.add_gradient(src, d_src);
  });
}

Variable softmax(Tape& tape, const Variable& src) {
  dnn::Kernels& kernels = tape.kernels();
  const Array dst = kernels.take(src.shape());
  dnn::softmax_rows(src.value(), dst, kernels.threads());
  return tape.record(dst, {src}, [&tape, src, dst](const Array& gradient) {
    const Array d_src = tape.kernels().take(src.shape());
    dnn::softmax_rows_d_src(dst, gradient, d_src, tape.kernels().threads());
    tape.add_gradient(src, d_src);
  });
}

Variable layer_norm(Tape& tape, const Variable& src, const Variable& scale, const Variable& shift, float epsilon) {
  dnn::Kernels& kernels = tape.kernels();
  const Array dst = kernels.take(src.shape());
  const Array statistics = kernels.take({src.dim(0), 2});
  dnn::layer_norm_rows(src.value(), scale.value(), shift.value(), epsilon, dst, statistics, kernels.threads());
  return tape.record(dst, {src, scale, shift}, [&tape, src, scale, shift, statistics](const Array& gradient) {
    dnn::Kernels& k = tape.kernels();
    const Array d_src = k.take(src.shape());
    const Array d_scale = k.zeros(scale.shape());
    const Array d_shift = k.zeros(shift.shape());
    dnn::layer_norm_rows_gradients(src.value(), scale.value(), statistics, gradient, d_src, d_scale, d_shift);
    tape.add_gradient(src, d_src);
    tape.add_gradient(scale, d_scale);
    tape.add_gradient(shift, d_shift);
  });
}

Variable mean_of_cells(Tape& tape, const Variable& src) {
  dnn::Kernels& kernels = tape.kernels();
  const Array dst = kernels.take({src.dim(0), src.dim(2)});
  dnn::mean_over_cells(src.value(), dst, kernels.threads());
  return tape.record(dst, {src}, [&tape, src](const Array& gradient) {
    const Array d_src = tape.kernels().take(src.shape());
    dnn::mean_over_cells_d_src(gradient, d_src, tape.kernels().threads());
    tape.add_gradient(src, d_src);
  });
}

CrossEntropy cross_entropy(Tape& tape, const Variable& logits, const CrossEntropyOptions& options) {
  dnn::Kernels& kernels = tape.kernels();
  // The gradient falls out of the same pass over the logits.
  const Array d_logits = kernels.take(logits.shape());
  Array softened = logits.value();
  if (options.temperature != 1 || !options.left_out.empty()) {
    softened = kernels.take(logits.shape());
    dnn::scale(logits.value(), 1 / options.temperature, softened, kernels.threads());
    for (std::int64_t row = 0; row < softened.dim(0); ++row) {
      for (const int column : options.left_out) softened.data()[row * softened.dim(1) + column] = kNothing;
    }
  }
  dnn::CrossEntropySums sums =
      dnn::cross_entropy(softened, {options.ids, options.weights, options.smoothing}, d_logits, kernels.threads());
  const Array loss = kernels.take({1});
  loss.data()[0] = static_cast<float>(sums.loss);
  CrossEntropy result;
  result.log_likelihoods = std::move(sums.plain);
  for (double& value : result.log_likelihoods) value = -value;
  result.loss =
      tape.record(loss, {logits}, [&tape, logits, d_logits, temperature = options.temperature](const Array& gradient) {
        const float factor = gradient.data()[0] / temperature;
        if (factor != 1) dnn::scale(d_logits, factor, d_logits, tape.kernels().threads());
        tape.add_gradient(logits, d_logits);
      });
  return result;
}

}  // namespace glimpse::train
