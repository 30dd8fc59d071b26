/// The decoder's formulas as plain loops in double, one row at a time, each matrix by itself: nothing merged, packed or
/// approximated.
#pragma once

#include <map>
#include <span>
#include <string>
#include <vector>

#include "core/safetensors.h"
#include "model/model.h"

namespace glimpse::testing {

using Vector = std::vector<double>;

class ReferenceDecoder {
 public:
  ReferenceDecoder(const DecoderConfig& config, const Weights& weights) : config_(config), weights_(weights) {}

  struct State {
    Vector h;
    Vector c;
    std::vector<Vector> past;  ///< the states h before, those of all steps
  };
  struct Output {
    State state;
    Vector log_probs;  ///< never_emit not yet taken out
    Vector alphas;
    Vector channels;  ///< the channels' weights, where there are such
    double gate = 1;  ///< the mean of a vector gate
  };

  /// features [cells, D] of one image; mask [cells], or empty: see DecoderSession.
  void prepare(std::span<const float> features, Grid grid, std::span<const float> mask = {});
  State start() const;
  Output step(const State& state, int token) const;

 private:
  Vector mean_cell() const;
  Vector channel_weights(const Vector& values, const Vector& h) const;
  Vector look(const Vector& h, Output& output) const;
  Vector look_back(const State& state) const;
  double score(std::size_t head, const Vector& key, const Vector& query) const;
  Vector select(const Vector& scores, const Vector& h) const;
  Vector windowed(const Vector& scores, double row, double col) const;
  /// name.weight · x + name.bias, where there is one.
  Vector linear(const std::string& name, const Vector& x) const;
  Vector product(const std::string& tensor, const Vector& x) const;
  Vector bias(const std::string& tensor, std::size_t size) const;

  const DecoderConfig& config_;
  const Weights& weights_;
  Grid grid_;
  std::vector<Vector> memory_;  ///< [cells][D']
  Vector mask_;                 ///< [cells]
};

}  // namespace glimpse::testing
