/// Weights for the channels of what is looked at, by what they hold and by the state of the decoder that looks: the
/// channel attention of SCA-CNN (Chen et al. 2017, equations 4 and 5). Of the numbers v [C] that stand for the
/// channels, b[c] = tanh(key v[c] + query), β = softmax_c(score · b[c]), with key, query and b[c] in R^k.
///
/// β is given back C times as large, so that its mean is 1 whatever the count of channels: a softmax over hundreds of
/// channels would leave next to nothing of what they are multiplied by. The authors' code rescales by C and, with the
/// weights of the L cells, by C · L; the mean over cells of such a product V[i, c] · C β[c] · L α[i] is C β[c] Σ_i α[i]
/// V[i, c], which is what a decoder takes for its context here.
#pragma once

#include <cstdint>
#include <memory>
#include <span>

#include "core/tensor.h"

namespace glimpse::attention {

/// Const; copies share the weights.
class ChannelAttention {
 public:
  ChannelAttention() = default;
  /// key [k, 1], score [1, k]; key's bias is the query's.
  ChannelAttention(const Tensor& key, const Tensor& score);

  std::int64_t query_size() const { return weights_->score.count(); }  ///< k
  explicit operator bool() const { return weights_ != nullptr; }

  /// values [C], query [k] → weights [C], whose mean is 1.
  void weigh(std::span<const float> values, const float* query, float* weights) const;

 private:
  struct Weights {
    Tensor key;
    Tensor score;
  };
  std::shared_ptr<const Weights> weights_;
};

}  // namespace glimpse::attention
