/// Attention over the decoder's own past: what has been said is looked at again before the next word is. Internal to
/// this level.
///
/// Of the states h[1..t−1] of a row's hypothesis and h[t]: additive scores score · tanh(key(h[i]) + query(h[t])), their
/// softmax, the weighted sum r[t] = Σ_i α[i] h[i], which the deep output takes beside h[t] (Ke et al. 2019, Reflective
/// Decoding Network, for captions; intra-decoder attention of Paulus et al. 2018, whose first sum is zeros as well).
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "core/tensor.h"
#include "dnn/products/linear.h"

namespace glimpse {

struct HistoryWeights {
  dnn::Linear from_state;  ///< h → [key A; query A]; none: nothing is looked at again
  Tensor score;            ///< [1, A]
};

/// The pasts of a batch of rows; one per session. A caption of more words than there was room for at first takes more
/// memory as it grows, which is kept.
class HistorySession {
 public:
  /// Holds a reference to `weights`.
  HistorySession(const HistoryWeights& weights, std::int64_t rows);

  /// Forgets all pasts.
  void start() { steps_ = 0; }
  /// Gives r [rows, n] to `dst`, `stride` floats apart, and then takes states [rows, n] for the present. parents
  /// [rows]: whose past is whose, as StepModel::step has them.
  void look(const Tensor& states, std::span<const int> parents, float* dst, std::int64_t stride);

 private:
  struct Moment {
    Tensor states;    ///< [rows, n]
    Tensor products;  ///< [rows, 2A], keys and queries
    std::vector<int> parents;
  };

  void look_back(std::int64_t row, float* dst, std::span<float> alphas) const;

  const HistoryWeights& weights_;
  std::int64_t rows_;
  std::size_t steps_ = 0;
  dnn::LinearKernel kernel_;
  std::vector<Moment> moments_;  ///< of which the first steps_ are looked at
  Tensor alphas_;                ///< [rows, moments]
};

}  // namespace glimpse
