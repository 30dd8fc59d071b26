/// One time step of a recurrent decoder as training runs it: the LSTM's gates and additive attention, forward and
/// backward, on plain Arrays. The result does not depend on the number of threads.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "dnn/kernels/array.h"
#include "dnn/math/map_window.h"
#include "dnn/math/row_math.h"

namespace glimpse::dnn {

/// A matrix that is part of another: `matrix` from `corner` on.
struct Part {
  Array matrix;
  Corner corner;
};

/// gates [rows, 4n] = Σ parts, then σ, σ, tanh, σ of their quarters i, f, g, o; c = f · c_before + i · g;
/// h = o · tanh(c), all [rows, n]. c_before may have more rows.
void lstm_forward(std::span<const Part> parts, const Array& c_before, const Array& gates, const Array& c,
                  const Array& h, int threads);
/// d_c: what flows into c, and afterwards the gradient of c_before's first rows. d_h may be none. d_gates: of the sums.
void lstm_backward(const Array& gates, const Array& c_before, const Array& c, const Array& d_h, const Array& d_c,
                   const Array& d_gates, int threads);

/// Rows, a list an image, in rising order; each row belongs to one image.
using RowsOfImages = std::vector<std::vector<int>>;

/// How a key and a query make a score.
enum class ScoreFunction {
  kTanh,  ///< weight · tanh(key + query)
  kRelu,  ///< weight · relu(key + query)
  kDot    ///< key · query
};

/// What the cells of a row's image are scored with.
struct ScoreInputs {
  ScoreFunction function = ScoreFunction::kTanh;
  Array keys;    ///< [images · cells, A]
  Array weight;  ///< [H, A], of which image n has row n mod H; none for kDot
  std::int64_t cells = 0;
  const RowsOfImages* rows = nullptr;
};
/// alphas [rows, cells] = softmax of the scores of the first rows, as many as alphas has. `mask` [rows or more, cells],
/// which may be none, says how much each cell counts, from 0, as if it were not there, to 1: softmax(e + log mask).
void attention_weights(const ScoreInputs& in, const Part& query, const Array& mask, const Array& alphas, int threads);
/// d_alphas: what flows into alphas, and afterwards the scores' gradient. d_query, d_keys and d_weights [images, A]
/// are added to.
struct ScoreGradients {
  Array d_alphas;
  Part d_query;
  Array d_keys;
  Array d_weights;  ///< none for kDot
};
void attention_weights_backward(const ScoreInputs& in, const Part& query, const Array& alphas,
                                const ScoreGradients& gradients, int threads);

/// What is read with such weights: memory [images · cells, D].
struct MemoryInputs {
  Array memory;
  std::int64_t cells = 0;
  const RowsOfImages* rows = nullptr;
};
/// context [rows, D] = Σ over an image's cells of weights [rows, cells] · memory.
void attention_read(const MemoryInputs& in, const Array& weights, const Array& context, int threads);
/// d_weights [rows, cells] = d_context · memory. The memory's gradient is Σ weights ⊗ d_context: see
/// attention_d_memory.
void attention_read_d_weights(const MemoryInputs& in, const Array& d_context, const Array& d_weights, int threads);
/// A step's weights and d_context.
struct AttentionStep {
  Array weights;
  Array d_context;
};
/// d_memory += Σ over steps and an image's rows of weights ⊗ d_context.
void attention_d_memory(const MemoryInputs& in, std::span<const AttentionStep> steps, const Array& d_memory,
                        int threads);

/// Windows on a map around places [rows, 2], see map_window.h.
/// dst [rows, cells] = 1 where a cell's middle lies within the window, else 0.
void window_mask(const Array& places, const Window& window, const Array& dst, int threads);
/// dst = src · Place::gaussian. dst may be src.
void gaussian_window(const Array& places, const Window& window, const Array& src, const Array& dst, int threads);
/// d_src, and d_places [rows, 2] from src and d_dst.
void gaussian_window_backward(const Array& places, const Window& window, const Array& src, const Array& d_dst,
                              const Array& d_src, const Array& d_places, int threads);

/// open = σ(gate), [rows, D] or [rows, 1]; dst = src · open.
void gate_forward(const Array& src, const Part& gate, const Array& open, const Array& dst, int threads);
/// d_src and d_gate are added to.
void gate_backward(const Array& src, const Array& open, const Array& d_dst, const Array& d_src, const Part& d_gate,
                   int threads);

}  // namespace glimpse::dnn
