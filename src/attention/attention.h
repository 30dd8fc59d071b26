/// Attention in three stages: a score for every cell of the memory, a selector that makes weights of the scores, the
/// weighted sum. Here the score is additive and the selector soft:
/// α[i] = softmax_i(score · f(key(v[i]) + query)), z = Σ_i α[i] v[i].
///
/// Keys are projected once per image; the beam rows of one image share its memory and keys.
#pragma once

#include <cstdint>
#include <memory>
#include <span>

#include "core/tensor.h"
#include "dnn/linear.h"
#include "dnn/product.h"

namespace glimpse::attention {

enum class Nonlinearity { kTanh, kRelu };

struct AdditiveWeights {
  Tensor key;       ///< [A, D]
  Tensor key_bias;  ///< [A]
  Tensor score;     ///< [1, A]; a bias would add the same to every score, which softmax does not see
  Nonlinearity nonlinearity = Nonlinearity::kTanh;
};

/// Const; shared by sessions, copies share the weights.
class Attention {
 public:
  explicit Attention(const AdditiveWeights& weights);

  std::int64_t memory_size() const { return keys_.in(); }  ///< D
  std::int64_t query_size() const { return keys_.out(); }  ///< A

 private:
  friend class AttentionSession;
  dnn::Linear keys_;
  std::shared_ptr<const Tensor> score_;  ///< [A]
  Nonlinearity nonlinearity_;
};

struct AttentionShape {
  std::int64_t images = 1;
  std::int64_t rows_per_image = 1;
  std::int64_t cells = 1;
};

/// What one batch of images attends to; one per worker. Nothing large is allocated after construction.
class AttentionSession {
 public:
  AttentionSession(Attention attention, const AttentionShape& shape);

  /// Where the caller writes an image's cells before `prepare`: [cells, D].
  std::span<float> memory(std::int64_t image);
  /// Projects the keys of that image.
  void prepare(std::int64_t image);

  /// The weights of every row: queries [images × rows_per_image, A], `stride` floats apart. Gives alphas
  /// [images × rows_per_image, cells], valid until the next call.
  std::span<const float> weigh(const float* queries, std::int64_t stride);
  /// The weighted sums of those weights: [images × rows_per_image, D], valid until the next call.
  std::span<const float> read();

 private:
  void score(std::int64_t begin, std::int64_t end, const float* queries, std::int64_t stride);

  Attention attention_;
  AttentionShape shape_;
  Tensor memory_;   ///< [images, cells, D]
  Tensor keys_;     ///< [images, cells, A]
  Tensor alphas_;   ///< [images × rows_per_image, cells]
  Tensor context_;  ///< [images × rows_per_image, D]
  dnn::LinearKernel key_kernel_;
  dnn::BatchedProduct sum_;
};

}  // namespace glimpse::attention
