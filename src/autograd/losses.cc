#include "autograd/losses.h"

#include <algorithm>
#include <cmath>

#include "autograd/map_ops.h"
#include "dnn/kernels/array_math.h"
#include "dnn/math/vector_math.h"

namespace glimpse::train {
namespace {

using dnn::Array;
using dnn::Kernels;

Array scalar(Kernels& kernels, double value) {
  Array result = kernels.take({1});
  result.data()[0] = static_cast<float>(value);
  return result;
}

Array scaled(Kernels& kernels, const Array& src, float factor) {
  Array result = kernels.take_like(src);
  dnn::scale(src.values(), factor, result.data());
  return result;
}

/// `channels` [C] for each of `pictures`, as a map of one cell.
Array repeated(Kernels& kernels, const Tensor& channels, std::int64_t pictures) {
  Array result = kernels.take({pictures, channels.count(), 1, 1});
  for (std::int64_t n = 0; n < pictures; ++n) {
    std::ranges::copy(channels.values(), result.data() + n * channels.count());
  }
  return result;
}

}  // namespace

Variable mean_squared_error(Tape& tape, const Variable& prediction, const Array& target) {
  Kernels& kernels = tape.kernels();
  const Array wanted = kernels.reordered(target, prediction.value().block());
  const Array error = kernels.take_like(wanted);
  double sum = 0;
  for (std::size_t i = 0; i < error.values().size(); ++i) {
    error.values()[i] = prediction.value().values()[i] - wanted.values()[i];
    sum += static_cast<double>(error.values()[i]) * error.values()[i];
  }
  const auto count = static_cast<double>(prediction.value().count());
  return tape.record(scalar(kernels, sum / count), {prediction}, [&tape, prediction, error, count](const Array& d) {
    tape.add_gradient(prediction, scaled(tape.kernels(), error, static_cast<float>(2 / count) * d.data()[0]));
  });
}

Variable divergence(Tape& tape, const Variable& logits, const Array& target, double temperature) {
  Kernels& kernels = tape.kernels();
  const std::int64_t rows = logits.dim(0);
  const std::int64_t classes = logits.value().count() / rows;
  const auto log_softmax = [&](const Array& src) {
    Array result = scaled(kernels, kernels.reordered(src, 1), static_cast<float>(1 / temperature));
    for (std::int64_t r = 0; r < rows; ++r) {
      dnn::log_softmax_in_place({result.data() + r * classes, static_cast<std::size_t>(classes)});
    }
    return result;
  };
  const Array wanted = log_softmax(target);
  const Array given = log_softmax(logits.value());
  // T² keeps the gradient's size whatever the temperature; the derivative by a logit is (q − p) / T.
  const double scale = temperature * temperature / static_cast<double>(rows);
  const Array d_logits = kernels.take(logits.shape());
  double sum = 0;
  for (std::size_t i = 0; i < given.values().size(); ++i) {
    const double p = std::exp(static_cast<double>(wanted.values()[i]));
    sum += p * (static_cast<double>(wanted.values()[i]) - given.values()[i]);
    d_logits.values()[i] =
        static_cast<float>(scale / temperature * (std::exp(static_cast<double>(given.values()[i])) - p));
  }
  return tape.record(scalar(kernels, scale * sum), {logits}, [&tape, logits, d_logits](const Array& d) {
    tape.add_gradient(logits, scaled(tape.kernels(), d_logits, d.data()[0]));
  });
}

Variable weighted_sum(Tape& tape, const std::vector<std::pair<double, Variable>>& terms) {
  double sum = 0;
  std::vector<Variable> inputs;
  for (const auto& [weight, term] : terms) {
    sum += weight * term.value().data()[0];
    inputs.push_back(term);
  }
  return tape.record(scalar(tape.kernels(), sum), inputs, [&tape, terms](const Array& d) {
    for (const auto& [weight, term] : terms) {
      tape.add_gradient(term, scaled(tape.kernels(), d, static_cast<float>(weight)));
    }
  });
}

Variable affine(Tape& tape, const Variable& src, const Tensor& scale, const Tensor& shift) {
  Kernels& kernels = tape.kernels();
  const Variable scaled_src = multiply(tape, src, tape.constant(repeated(kernels, scale, src.dim(0))));
  return add(tape, scaled_src, tape.constant(repeated(kernels, shift, src.dim(0))));
}

}  // namespace glimpse::train
