// The operations of a decoder's time steps through the gradient check: several steps with a shrinking batch, as a
// decoder runs them.

#include "autograd/step_ops.h"

#include "gradient_check.h"
#include "autograd/row_ops.h"

namespace glimpse::train {
namespace {

using In = std::vector<Variable>;
using Given = std::vector<Numbers>;

double sigmoid(double x) { return 1 / (1 + std::exp(-x)); }

/// W x + b over rows [rows, in].
Numbers affine(const Numbers& x, std::size_t in, const Numbers& w, const Numbers& b) {
  const std::size_t out = w.size() / in;
  Numbers y;
  for (std::size_t r = 0; r < x.size() / in; ++r) {
    for (std::size_t o = 0; o < out; ++o) {
      double sum = b.empty() ? 0 : b[o];
      for (std::size_t i = 0; i < in; ++i) sum += w[o * in + i] * x[r * in + i];
      y.push_back(sum);
    }
  }
  return y;
}

Numbers joined(Numbers a, const Numbers& b) {
  a.insert(a.end(), b.begin(), b.end());
  return a;
}

Numbers first(const Numbers& x, std::size_t count) {
  return {x.begin(), x.begin() + static_cast<std::ptrdiff_t>(count)};
}

TEST(StepOps, RepeatedLinearEqualsPlainLoops) {
  for (const bool bias : {true, false}) {
    GradientCase c;
    c.name = bias ? "repeated linear" : "repeated linear without bias";
    c.inputs = {{.shape = {3, 5}}, {.shape = {5, 5}}};
    if (bias) c.inputs.push_back({.shape = {5}});
    c.op = [](Tape& tape, const In& in) {
      const RepeatedLinear layer(tape, in[1], in.size() > 2 ? in[2] : Variable());
      const Variable once = layer(in[0]);
      const Variable twice = layer(first_rows(tape, once, 2));
      return concat_rows(tape, std::vector<Variable>{once, twice});
    };
    c.reference = [](const Given& in) {
      const Numbers b = in.size() > 2 ? in[2] : Numbers();
      const Numbers once = affine(in[0], 5, in[1], b);
      return joined(once, affine(first(once, 10), 5, in[1], b));
    };
    check_gradient(c);
  }
}

/// Of a row: gates [4n] and c, which becomes the new c; gives h.
Numbers lstm_of(const Numbers& gates, Numbers& c) {
  const std::size_t n = c.size();
  Numbers h(n);
  for (std::size_t j = 0; j < n; ++j) {
    c[j] = sigmoid(gates[n + j]) * c[j] + sigmoid(gates[j]) * std::tanh(gates[2 * n + j]);
    h[j] = sigmoid(gates[3 * n + j]) * std::tanh(c[j]);
  }
  return h;
}

enum class Output { kBoth, kOnlyH, kOnlyC };

GradientCase lstm_case(Output output) {
  constexpr std::size_t kN = 9;
  constexpr std::size_t kWide = 4 * kN + 3;
  GradientCase c;
  c.name = "LSTM, output " + std::to_string(static_cast<int>(output));
  // A matrix of the right size, one that is wider, one that has more rows, and c of more rows.
  c.inputs = {{.shape = {3, 4 * kN}, .low = -2, .high = 2},
              {.shape = {3, kWide}, .low = -2, .high = 2},
              {.shape = {6, 4 * kN}, .low = -2, .high = 2},
              {.shape = {4, kN}}};
  c.op = [output](Tape& tape, const In& in) {
    const LstmState state = lstm_cell(tape, {{in[0]}, {in[1], {0, 2}}, {in[2], {3, 0}}}, in[3], 3);
    if (output == Output::kOnlyH) return state.h;
    if (output == Output::kOnlyC) return state.c;
    return concat_rows(tape, std::vector<Variable>{state.h, state.c});
  };
  c.reference = [output](const Given& in) {
    Numbers all_h;
    Numbers all_c;
    for (std::size_t r = 0; r < 3; ++r) {
      Numbers gates;
      for (std::size_t i = 0; i < 4 * kN; ++i) {
        gates.push_back(in[0][r * 4 * kN + i] + in[1][r * kWide + 2 + i] + in[2][(3 + r) * 4 * kN + i]);
      }
      Numbers state(in[3].begin() + static_cast<std::ptrdiff_t>(r * kN),
                    in[3].begin() + static_cast<std::ptrdiff_t>((r + 1) * kN));
      all_h = joined(all_h, lstm_of(gates, state));
      all_c = joined(all_c, state);
    }
    if (output == Output::kOnlyH) return all_h;
    return output == Output::kOnlyC ? all_c : joined(all_h, all_c);
  };
  return c;
}

TEST(StepOps, LstmEqualsPlainLoops) {
  for (const Output output : {Output::kBoth, Output::kOnlyH, Output::kOnlyC}) check_gradient(lstm_case(output));
}

TEST(StepOps, GatesEqualPlainLoops) {
  for (const std::size_t wide : {std::size_t{1}, std::size_t{13}}) {
    check_gradient({"gate of " + std::to_string(wide),
                    {{.shape = {3, 13}}, {.shape = {3, 16}, .low = -2, .high = 2}},
                    [=](Tape& tape, const In& in) {
                      return gated(tape, in[0], {in[1], {0, 2}}, static_cast<std::int64_t>(wide));
                    },
                    [=](const Given& in) {
                      Numbers result;
                      for (std::size_t i = 0; i < in[0].size(); ++i) {
                        result.push_back(in[0][i] * sigmoid(in[1][i / 13 * 16 + 2 + (wide == 1 ? 0 : i % 13)]));
                      }
                      return result;
                    }});
  }
}

}  // namespace
}  // namespace glimpse::train
