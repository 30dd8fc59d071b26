#include "autograd/look_ops.h"

namespace glimpse::train {

using dnn::Array;

Variable log_density(Tape& tape, const Variable& means, const Array& drawn, double deviation,
                     const std::vector<float>& weights) {
  const std::int64_t columns = means.dim(1);
  const double precision = 1 / (deviation * deviation);
  // The gradient falls out of the same pass.
  const Array slopes = tape.kernels().take(means.shape());
  double sum = 0;
  for (std::int64_t i = 0; i < means.value().count(); ++i) {
    const double weight = weights[static_cast<std::size_t>(i / columns)];
    const double apart = static_cast<double>(drawn.data()[i]) - means.value().data()[i];
    sum -= weight * precision * apart * apart / 2;
    slopes.data()[i] = static_cast<float>(weight * precision * apart);
  }
  const Array value = tape.kernels().take({1});
  value.data()[0] = static_cast<float>(sum);
  return tape.record(value, {means}, [&tape, means, slopes](const Array& gradient) {
    const Array d_means = tape.kernels().take(means.shape());
    for (std::int64_t i = 0; i < d_means.count(); ++i) d_means.data()[i] = gradient.data()[0] * slopes.data()[i];
    tape.add_gradient(means, d_means);
  });
}

}  // namespace glimpse::train
