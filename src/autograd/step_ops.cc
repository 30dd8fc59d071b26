#include "autograd/step_ops.h"

#include <algorithm>
#include <cassert>
#include <utility>

#include "autograd/step_pieces.h"
#include "dnn/kernels/array_math.h"
#include "dnn/math/vector_math.h"

namespace glimpse::train {

using dnn::Array;

dnn::Part part_of(const Piece& piece) { return {piece.matrix.value(), piece.corner}; }

dnn::Part gradient_part(Tape& tape, const Piece& piece) {
  if (!piece.matrix.needs_gradient()) return {tape.kernels().take(piece.matrix.shape()), piece.corner};
  return {tape.gradient_to_add_to(piece.matrix), piece.corner};
}

Variable anchor(Tape& tape, const std::vector<Variable>& inputs, const std::function<void()>& backward) {
  return tape.record(tape.kernels().zeros({1}), inputs, [backward](const Array&) { backward(); });
}

namespace {

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

Variable scale_rows(Tape& tape, const Variable& src, const Variable& factor) {
  const Array dst = tape.kernels().take(src.shape());
  const std::int64_t size = src.dim(1);
  const auto row_of = [size](const Array& array, std::int64_t row) { return array.data() + row * size; };
  for (std::int64_t row = 0; row < src.dim(0); ++row) {
    dnn::scale({row_of(src.value(), row), static_cast<std::size_t>(size)}, factor.value().data()[row],
               row_of(dst, row));
  }
  return tape.record(dst, {src, factor}, [&tape, src, factor, size, row_of](const Array& gradient) {
    const Array d_src = tape.kernels().take(src.shape());
    const Array d_factor = tape.kernels().take(factor.shape());
    for (std::int64_t row = 0; row < src.dim(0); ++row) {
      const float* d = row_of(gradient, row);
      dnn::scale({d, static_cast<std::size_t>(size)}, factor.value().data()[row], row_of(d_src, row));
      dnn::dots_with_rows(d, row_of(src.value(), row), 1, d_factor.data() + row, size);
    }
    tape.add_gradient(src, d_src);
    tape.add_gradient(factor, d_factor);
  });
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

}  // namespace glimpse::train
