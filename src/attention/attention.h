/// Attention in three stages: a score for every cell of the memory, a selector that makes weights of the scores, the
/// weighted sum. The score is one of DecoderConfig::Score, of key(v[i]) and the query; the selector one of
/// DecoderConfig::Selector, by itself α[i] = softmax_i(score); z = Σ_i α[i] v[i]. Several heads look each for itself,
/// with an equal share of key, query and v; what they see stands side by side (Vaswani et al. 2017).
///
/// Keys are projected once per image; the beam rows of one image share its memory and keys.
#pragma once

#include <cstdint>
#include <memory>
#include <span>

#include "core/tensor.h"
#include "dnn/linear.h"
#include "dnn/product.h"
#include "model/model.h"

namespace glimpse::attention {

using Score = DecoderConfig::Score;
using Selector = DecoderConfig::Selector;

struct AttentionWeights {
  Tensor key;       ///< [A, D]
  Tensor key_bias;  ///< [A]
  Tensor score;     ///< additive: [1, A] (a bias would add the same to every score, which softmax does not see);
                    ///< cosine: [1, 1]; dot products: none
  Score function = Score::kAdditiveTanh;
  std::int64_t heads = 1;  ///< divides A and D
  Selector selector = Selector::kSoft;
  float window = 2;  ///< half-width of the windows in cells
  Grid grid;         ///< of the cells; only windows look at it
};

/// Const; shared by sessions, copies share the weights.
class Attention {
 public:
  explicit Attention(const AttentionWeights& weights);

  std::int64_t memory_size() const { return keys_.in(); }  ///< D
  std::int64_t query_size() const { return keys_.out(); }  ///< A
  std::int64_t heads() const { return heads_; }

 private:
  friend class AttentionSession;
  dnn::Linear keys_;
  std::shared_ptr<const Tensor> score_;
  Score function_;
  std::int64_t heads_;
  Selector selector_;
  float window_;
  Grid grid_;
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
  /// [images × rows_per_image, cells], the mean over heads, valid until the next call. places [images × rows_per_image,
  /// 2]: the middle of each row's window, row and column in cells; with a local selector only.
  std::span<const float> weigh(const float* queries, std::int64_t stride, std::span<const float> places = {});
  /// The weighted sums of those weights: [images × rows_per_image, D], valid until the next call.
  std::span<const float> read();

 private:
  void score(std::int64_t begin, std::int64_t end, const float* queries, std::int64_t stride);
  void score_block(std::int64_t image, std::int64_t first, const float* query, float* scores) const;
  void select(std::int64_t row, std::span<float> scores, std::span<const float> places) const;
  void look_through_window(std::span<float> scores, float row, float col) const;
  std::span<const float> mean_over_heads();
  std::span<const float> merge_heads();
  std::int64_t head_size() const { return attention_.query_size() / attention_.heads_; }
  std::int64_t head_images() const { return shape_.images * attention_.heads_; }
  std::int64_t rows() const { return shape_.images * shape_.rows_per_image; }

  Attention attention_;
  AttentionShape shape_;
  Tensor memory_;        ///< [images, cells, D]
  Tensor keys_;          ///< [images, heads, cells, A/heads]
  Tensor alphas_;        ///< [images, heads, rows_per_image, cells]
  Tensor context_;       ///< [images × rows_per_image, D]
  Tensor image_keys_;    ///< [cells, A]; with several heads, like those that follow
  Tensor head_memory_;   ///< [images, heads, cells, D/heads]
  Tensor head_context_;  ///< [images, heads, rows_per_image, D/heads]
  Tensor mean_alphas_;   ///< [images × rows_per_image, cells]
  dnn::LinearKernel key_kernel_;
  dnn::BatchedProduct sum_;
};

}  // namespace glimpse::attention
