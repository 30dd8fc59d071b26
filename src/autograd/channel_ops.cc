#include "autograd/channel_ops.h"

#include "autograd/step_pieces.h"
#include "dnn/math/channel_math.h"
#include "dnn/math/past_math.h"
#include "dnn/math/row_math.h"

namespace glimpse::train {

using dnn::Array;

namespace {

/// Adds the rows' parts [rows, size] to the gradient of what they share.
void add_shared(Tape& tape, const Variable& shared, const Array& parts) {
  if (!shared.needs_gradient()) return;
  const Array& sum = tape.gradient_to_add_to(shared);
  dnn::add_column_sums(parts, sum.reshaped({sum.count()}), tape.kernels().threads());
}

Array gradient_of(Tape& tape, const Variable& variable) { return gradient_part(tape, {variable}).matrix; }

}  // namespace

Variable channel_scores(Tape& tape, const Variable& values, const Piece& query, const Variable& key,
                        const Variable& weight) {
  const dnn::ChannelInputs in = {values.value(), part_of(query), key.value(), weight.value()};
  const Array dst = tape.kernels().take(values.shape());
  dnn::channel_scores(in, dst, tape.kernels().threads());
  const auto backward = [&tape, in, values, query, key, weight](const Array& gradient) {
    dnn::Kernels& kernels = tape.kernels();
    dnn::ChannelGradients gradients;
    gradients.values = gradient_of(tape, values);
    gradients.shift = gradient_part(tape, query);
    gradients.slopes = kernels.zeros({values.dim(0), key.value().count()});
    gradients.weights = kernels.zeros(gradients.slopes.shape());
    dnn::channel_scores_backward(in, gradient, gradients, kernels.threads());
    add_shared(tape, key, gradients.slopes);
    add_shared(tape, weight, gradients.weights);
  };
  return tape.record(dst, {values, query.matrix, key, weight}, backward);
}

Variable scale_channels(Tape& tape, const Variable& memory, const Variable& weights, const Gaze& gaze) {
  const Array dst = tape.kernels().take({weights.dim(0) * gaze.cells, memory.dim(1)});
  dnn::scale_channels({memory.value(), gaze.cells, &gaze.rows}, weights.value(), dst, tape.kernels().threads());
  return tape.record(dst, {memory, weights}, [&tape, memory, weights, gaze](const Array& gradient) {
    dnn::Kernels& kernels = tape.kernels();
    const Array d_weights = kernels.take(weights.shape());
    dnn::scale_channels_backward({memory.value(), gaze.cells, &gaze.rows}, weights.value(), gradient,
                                 gradient_of(tape, memory), d_weights, kernels.threads());
    tape.add_gradient(weights, d_weights);
  });
}

Variable element_read(Tape& tape, const Variable& memory, const Variable& keys, const Variable& weights,
                      const Variable& query, const Gaze& gaze) {
  const Array dst = tape.kernels().take({weights.dim(0), memory.dim(1)});
  const dnn::ElementInputs in = {{memory.value(), gaze.cells, &gaze.rows}, keys.value()};
  dnn::element_read(in, weights.value(), {query.value(), {}}, dst, tape.kernels().threads());
  const auto backward = [&tape, memory, keys, weights, query, gaze](const Array& gradient) {
    dnn::Kernels& kernels = tape.kernels();
    dnn::ElementGradients gradients;
    gradients.weights = kernels.take(weights.shape());
    gradients.query = gradient_part(tape, {query});
    gradients.memory = gradient_of(tape, memory);
    gradients.keys = gradient_of(tape, keys);
    dnn::element_read_backward({{memory.value(), gaze.cells, &gaze.rows}, keys.value()}, weights.value(),
                               {query.value(), {}}, gradient, gradients, kernels.threads());
    tape.add_gradient(weights, gradients.weights);
  };
  return tape.record(dst, {memory, keys, weights, query}, backward);
}

Variable past_attention(Tape& tape, const Past& past, const std::vector<std::int64_t>& alive) {
  const dnn::PastInputs in = {past.states.value(), past.keys.value(), past.queries.value(), past.weight.value(), alive};
  const Array dst = tape.kernels().take(past.states.shape());
  dnn::past_attention(in, dst, tape.kernels().threads());
  return tape.record(dst, {past.states, past.keys, past.queries, past.weight},
                     [&tape, in, past](const Array& gradient) {
                       dnn::Kernels& kernels = tape.kernels();
                       dnn::PastGradients gradients;
                       gradients.states = gradient_of(tape, past.states);
                       gradients.keys = gradient_of(tape, past.keys);
                       gradients.queries = gradient_of(tape, past.queries);
                       gradients.weights = kernels.zeros({in.alive.front(), past.weight.value().count()});
                       dnn::past_attention_backward(in, gradient, gradients, kernels.threads());
                       add_shared(tape, past.weight, gradients.weights);
                     });
}

}  // namespace glimpse::train
