#include "train/step_ops.h"

#include <algorithm>
#include <cassert>
#include <utility>

#include "dnn/array_math.h"

namespace glimpse::train {
namespace {

using dnn::Array;

dnn::Part part_of(const Piece& piece) { return {piece.matrix.value(), piece.corner}; }

/// Where the gradient of a piece is added to; scratch where none is needed.
dnn::Part gradient_part(Tape& tape, const Piece& piece) {
  if (!piece.matrix.needs_gradient()) return {tape.kernels().take(piece.matrix.shape()), piece.corner};
  return {tape.gradient_to_add_to(piece.matrix), piece.corner};
}

/// A value that stands on the tape for what all steps share: whatever flows into it makes its backward run, after that
/// of all steps.
Variable anchor(Tape& tape, const std::vector<Variable>& inputs, const std::function<void()>& backward) {
  return tape.record(tape.kernels().zeros({1}), inputs, [backward](const Array&) { backward(); });
}

/// All rows of all `parts`, one after the other.
Array stack(dnn::Kernels& kernels, const std::vector<Array>& parts) {
  std::int64_t rows = 0;
  for (const Array& part : parts) rows += part.dim(0);
  Array all = kernels.take({rows, parts.front().dim(1)});
  std::int64_t row = 0;
  for (const Array& part : parts) {
    dnn::copy_to(part, all, {row, 0}, kernels.threads());
    row += part.dim(0);
  }
  return all;
}

}  // namespace

struct RepeatedLinear::Shared {
  Tape& tape;
  Variable weight;
  Variable bias;
  Variable anchor = {};
  // Of the steps that have been walked back through.
  std::vector<Array> srcs = {};
  std::vector<Array> gradients = {};

  void add_gradients() {
    dnn::Kernels& kernels = tape.kernels();
    const Array src = stack(kernels, std::exchange(srcs, {}));
    const Array gradient = stack(kernels, std::exchange(gradients, {}));
    if (weight.needs_gradient()) {
      kernels.product(gradient, src, tape.gradient_to_add_to(weight), {.transpose_left = true, .accumulate = true});
    }
    if (bias && bias.needs_gradient()) {
      dnn::add_column_sums(gradient, tape.gradient_to_add_to(bias), kernels.threads());
    }
  }
};

RepeatedLinear::RepeatedLinear(Tape& tape, Variable weight, Variable bias)
    : shared_(std::make_shared<Shared>(Shared{tape, std::move(weight), std::move(bias)})) {
  shared_->anchor =
      train::anchor(tape, {shared_->weight, shared_->bias}, [shared = shared_] { shared->add_gradients(); });
}

Variable RepeatedLinear::operator()(const Variable& src) const {
  Tape& tape = shared_->tape;
  dnn::Kernels& kernels = tape.kernels();
  const Array dst = kernels.take({src.dim(0), shared_->weight.dim(0)});
  kernels.product(src.value(), shared_->weight.value(), dst, {.transpose_right = true});
  if (shared_->bias) dnn::add_bias(dst, shared_->bias.value(), kernels.threads());
  return tape.record(dst, {src, shared_->anchor}, [src, shared = shared_](const Array& gradient) {
    Tape& t = shared->tape;
    if (shared->anchor.needs_gradient()) {
      shared->srcs.push_back(src.value());
      shared->gradients.push_back(gradient);
      t.gradient_to_add_to(shared->anchor);
    }
    if (src.needs_gradient()) {
      const Array d_src = t.kernels().take(src.shape());
      t.kernels().product(gradient, shared->weight.value(), d_src, {});
      t.add_gradient(src, d_src);
    }
  });
}

LstmState lstm_cell(Tape& tape, const std::vector<Piece>& pieces, const Variable& c_before, std::int64_t rows) {
  dnn::Kernels& kernels = tape.kernels();
  const std::int64_t n = c_before.dim(1);
  const Array gates = kernels.take({rows, 4 * n});
  const Array c = kernels.take({rows, n});
  const Array h = kernels.take({rows, n});
  std::vector<dnn::Part> parts;
  std::vector<Variable> inputs = {c_before};
  for (const Piece& piece : pieces) {
    parts.push_back(part_of(piece));
    inputs.push_back(piece.matrix);
  }
  dnn::lstm_forward(parts, c_before.value(), gates, c, h, kernels.threads());

  LstmState state;
  const auto d_h = std::make_shared<Array>();
  state.c = tape.record(c, inputs, [&tape, pieces, c_before, gates, c, d_h](const Array& gradient) {
    dnn::Kernels& k = tape.kernels();
    const Array d_c = gradient.unique() ? gradient : k.copy(gradient);
    const Array d_gates = k.take(gates.shape());
    dnn::lstm_backward(gates, c_before.value(), c, std::exchange(*d_h, {}), d_c, d_gates, k.threads());
    for (const Piece& piece : pieces) {
      if (!piece.matrix.needs_gradient()) continue;
      if (piece.matrix.shape() == d_gates.shape()) {
        tape.add_gradient(piece.matrix, d_gates);
      } else {
        dnn::add_to(d_gates, tape.gradient_to_add_to(piece.matrix), piece.corner, k.threads());
      }
    }
    if (!c_before.needs_gradient()) return;
    if (c_before.dim(0) == d_c.dim(0)) {
      tape.add_gradient(c_before, d_c);
    } else {
      dnn::add_to(d_c, tape.gradient_to_add_to(c_before), {}, k.threads());
    }
  });
  // h has no gradient of its own to compute: it hands what it gets to c, whose backward runs next.
  const Variable carrier = state.c;
  state.h = tape.record(h, {carrier}, [&tape, carrier, d_h](const Array& gradient) {
    *d_h = gradient;
    tape.gradient_to_add_to(carrier);
  });
  return state;
}

struct RepeatedAttention::Shared {
  Tape& tape;
  Variable keys;
  Variable memory;
  Variable score;
  Options options;
  Variable anchor = {};
  Array d_weights = {};  ///< [images, A]: each image's part of the score's gradient
  std::vector<dnn::AttentionStep> steps = {};

  dnn::AttentionInputs inputs() const {
    return {keys.value(), memory.value(), score.value(), options.cells, options.relu, &options.rows};
  }

  void add_gradients() {
    const int threads = tape.kernels().threads();
    if (score.needs_gradient()) {
      const Array& sum = tape.gradient_to_add_to(score);
      dnn::add_column_sums(d_weights, sum.reshaped({sum.count()}), threads);
    }
    if (memory.needs_gradient()) {
      dnn::attention_d_memory(inputs(), steps, tape.gradient_to_add_to(memory), threads);
    }
    d_weights = {};
    steps.clear();
  }

  void step_back(const Piece& query, const Array& alphas, const Array& d_context, const Array& d_alphas) {
    dnn::Kernels& kernels = tape.kernels();
    if (!d_weights) d_weights = kernels.zeros({static_cast<std::int64_t>(options.rows.size()), score.dim(1)});
    dnn::AttentionGradients gradients;
    gradients.d_alphas = d_alphas.unique() ? d_alphas : kernels.copy(d_alphas);
    gradients.d_query = gradient_part(tape, query);
    gradients.d_keys = gradient_part(tape, {keys}).matrix;
    gradients.d_weights = d_weights;
    dnn::attention_backward(inputs(), part_of(query), alphas, d_context, gradients, kernels.threads());
    if (d_context) steps.push_back({alphas, d_context});
    if (anchor.needs_gradient()) tape.gradient_to_add_to(anchor);
  }
};

RepeatedAttention::RepeatedAttention(Tape& tape, Variable keys, Variable memory, Variable score, Options options)
    : shared_(std::make_shared<Shared>(
          Shared{tape, std::move(keys), std::move(memory), std::move(score), std::move(options)})) {
  shared_->anchor =
      train::anchor(tape, {shared_->memory, shared_->score}, [shared = shared_] { shared->add_gradients(); });
}

RepeatedAttention::Glance RepeatedAttention::operator()(const Piece& query, std::int64_t rows) const {
  Tape& tape = shared_->tape;
  dnn::Kernels& kernels = tape.kernels();
  const Array alphas = kernels.take({rows, shared_->options.cells});
  const Array context = kernels.take({rows, shared_->memory.dim(1)});
  dnn::attention_forward(shared_->inputs(), part_of(query), alphas, context, kernels.threads());

  Glance glance;
  const auto d_context = std::make_shared<Array>();
  glance.alphas = tape.record(alphas, {query.matrix, shared_->keys, shared_->anchor},
                              [query, alphas, d_context, shared = shared_](const Array& gradient) {
                                shared->step_back(query, alphas, std::exchange(*d_context, {}), gradient);
                              });
  // As in lstm_cell: the backward of alphas does the work for both.
  const Variable carrier = glance.alphas;
  glance.context = tape.record(context, {carrier}, [&tape, carrier, d_context](const Array& gradient) {
    *d_context = gradient;
    tape.gradient_to_add_to(carrier);
  });
  return glance;
}

Variable gated(Tape& tape, const Variable& src, const Piece& gate, std::int64_t gate_columns) {
  dnn::Kernels& kernels = tape.kernels();
  const Array open = kernels.take({src.dim(0), gate_columns});
  const Array dst = kernels.take(src.shape());
  dnn::gate_forward(src.value(), part_of(gate), open, dst, kernels.threads());
  return tape.record(dst, {src, gate.matrix}, [&tape, src, gate, open](const Array& gradient) {
    const Array d_src = gradient_part(tape, {src}).matrix;
    dnn::gate_backward(src.value(), open, gradient, d_src, gradient_part(tape, gate), tape.kernels().threads());
  });
}

Variable unseen(Tape& tape, const std::vector<Variable>& alphas) {
  dnn::Kernels& kernels = tape.kernels();
  Array rest = kernels.take(alphas[0].shape());  // 1 − Σ_t
  std::ranges::fill(rest.values(), 1.0F);
  for (const Variable& step : alphas) {
    for (std::int64_t i = 0; i < step.value().count(); ++i) rest.data()[i] -= step.value().data()[i];
  }
  double sum = 0;
  for (const float value : rest.values()) sum += static_cast<double>(value) * static_cast<double>(value);
  const Array dst = kernels.take({1});
  dst.data()[0] = static_cast<float>(sum);
  return tape.record(dst, alphas, [&tape, alphas, rest](const Array& gradient) {
    const float factor = -2 * gradient.data()[0];
    for (const Variable& step : alphas) {
      const Array d_step = tape.kernels().take(step.shape());
      for (std::int64_t i = 0; i < d_step.count(); ++i) d_step.data()[i] = factor * rest.data()[i];
      tape.add_gradient(step, d_step);
    }
  });
}

}  // namespace glimpse::train
