#include "attention/attention.h"

#include <algorithm>
#include <cmath>
#include <utility>

#include "dnn/threads.h"
#include "dnn/vector_math.h"

namespace glimpse::attention {
namespace {

/// Cells whose keys stay in the first-level cache while all rows of their image are scored against them.
constexpr std::int64_t kCellBlock = 16;
/// Terms (one tanh or maximum each) below which a second thread is not worth waking.
constexpr std::int64_t kTermsPerThread = 32768;
/// A score that no softmax sees, and that can still be calculated with.
constexpr float kNever = -1e30F;

std::int64_t blocks_of(std::int64_t cells) { return (cells + kCellBlock - 1) / kCellBlock; }

std::int64_t grain(std::int64_t terms_per_item) { return std::max<std::int64_t>(1, kTermsPerThread / terms_per_item); }

/// 1 / |x|, or 0 for zeros.
float inverse_norm(const float* x, std::int64_t size) {
  float square = 0;
  dnn::dots_with_rows(x, x, 1, &square, size);
  return square > 0 ? 1 / std::sqrt(square) : 0;
}

/// Zeros: images that a batch leaves out are computed along with it, and their numbers must at least be numbers.
Tensor zeros(Shape shape) {
  Tensor tensor(std::move(shape));
  std::ranges::fill(tensor.values(), 0.0F);
  return tensor;
}

struct HeadShape {
  std::int64_t cells;
  std::int64_t heads;
  std::int64_t size;
};

/// src [cells, heads · size] → dst [heads, cells, size].
void split_heads(const float* src, const HeadShape& shape, float* dst) {
  for (std::int64_t cell = 0; cell < shape.cells; ++cell) {
    for (std::int64_t head = 0; head < shape.heads; ++head, src += shape.size) {
      std::copy_n(src, shape.size, dst + (head * shape.cells + cell) * shape.size);
    }
  }
}

}  // namespace

Attention::Attention(const AttentionWeights& weights)
    : keys_("key", weights.key, weights.key_bias.values()),
      score_(std::make_shared<const Tensor>(weights.score.clone())),
      function_(weights.function),
      heads_(weights.heads),
      selector_(weights.selector),
      window_(weights.window),
      grid_(weights.grid) {}

AttentionSession::AttentionSession(Attention attention, const AttentionShape& shape)
    : attention_(std::move(attention)),
      shape_(shape),
      memory_(zeros({shape.images, shape.cells, attention_.memory_size()})),
      keys_(zeros({shape.images, shape.cells, attention_.query_size()})),
      alphas_(Shape{head_images() * shape.rows_per_image, shape.cells}),
      context_(Shape{rows(), attention_.memory_size()}),
      key_kernel_(attention_.keys_, shape.cells),
      sum_("context",
           {head_images(), shape.rows_per_image, shape.cells, attention_.memory_size() / attention_.heads_}) {
  if (attention_.heads_ == 1) return;
  image_keys_ = zeros({shape.cells, attention_.query_size()});
  head_memory_ = zeros(memory_.shape());
  head_context_ = zeros(context_.shape());
  mean_alphas_ = zeros({rows(), shape.cells});
}

std::span<float> AttentionSession::memory(std::int64_t image) {
  const std::int64_t size = shape_.cells * attention_.memory_size();
  return memory_.values().subspan(static_cast<std::size_t>(image * size), static_cast<std::size_t>(size));
}

void AttentionSession::prepare(std::int64_t image) {
  const std::int64_t heads = attention_.heads_;
  const std::int64_t size = head_size();
  float* keys = keys_.data() + image * shape_.cells * heads * size;
  if (heads == 1) {
    key_kernel_.run(memory(image).data(), keys);
  } else {
    key_kernel_.run(memory(image).data(), image_keys_.data());
    split_heads(image_keys_.data(), {shape_.cells, heads, size}, keys);
    const std::int64_t width = attention_.memory_size() / heads;
    split_heads(memory(image).data(), {shape_.cells, heads, width},
                head_memory_.data() + image * shape_.cells * heads * width);
  }
  if (attention_.function_ != Score::kCosine) return;
  for (float* key = keys; key < keys + shape_.cells * heads * size; key += size) {
    dnn::scale({key, static_cast<std::size_t>(size)}, inverse_norm(key, size), key);
  }
}

/// Some cells from `first` on of an image as one head has it: query [A/heads].
void AttentionSession::score_block(std::int64_t head_image, std::int64_t first, const float* query,
                                   float* scores) const {
  const std::int64_t size = head_size();
  const std::int64_t cells = std::min(kCellBlock, shape_.cells - first);
  const float* keys = keys_.data() + (head_image * shape_.cells + first) * size;
  const Score function = attention_.function_;
  if (function == Score::kAdditiveTanh || function == Score::kAdditiveRelu) {
    const float* weight = attention_.score_->data() + head_image % attention_.heads_ * size;
    const dnn::AdditiveScores args = {keys, query, weight, scores, cells, size};
    (function == Score::kAdditiveTanh ? dnn::additive_scores_tanh : dnn::additive_scores_relu)(args);
    return;
  }
  dnn::dots_with_rows(query, keys, cells, scores, size);
  if (function == Score::kDot) return;
  const float factor = function == Score::kScaledDot ? 1 / std::sqrt(static_cast<float>(size))
                                                     : attention_.score_->data()[0] * inverse_norm(query, size);
  dnn::scale({scores, static_cast<std::size_t>(cells)}, factor, scores);
}

/// Blocks [begin, end) of the batch's images × heads × blocks.
void AttentionSession::score(std::int64_t begin, std::int64_t end, const float* queries, std::int64_t stride) {
  const std::int64_t blocks = blocks_of(shape_.cells);
  for (std::int64_t item = begin; item < end; ++item) {
    const std::int64_t head_image = item / blocks;
    const std::int64_t image = head_image / attention_.heads_;
    const std::int64_t head = head_image % attention_.heads_;
    const std::int64_t first = item % blocks * kCellBlock;
    for (std::int64_t i = 0; i < shape_.rows_per_image; ++i) {
      const float* query = queries + (image * shape_.rows_per_image + i) * stride + head * head_size();
      score_block(head_image, first, query,
                  alphas_.data() + (head_image * shape_.rows_per_image + i) * shape_.cells + first);
    }
  }
}

std::span<const float> AttentionSession::weigh(const float* queries, std::int64_t stride,
                                               std::span<const float> places) {
  const std::int64_t block_terms = kCellBlock * head_size() * shape_.rows_per_image;
  dnn::parallel_for(head_images() * blocks_of(shape_.cells), grain(block_terms),
                    [&](std::int64_t begin, std::int64_t end) { score(begin, end, queries, stride); });
  dnn::parallel_for(alphas_.dim(0), grain(shape_.cells), [&](std::int64_t begin, std::int64_t end) {
    const auto cells = static_cast<std::size_t>(shape_.cells);
    for (auto row = static_cast<std::size_t>(begin); row < static_cast<std::size_t>(end); ++row) {
      select(static_cast<std::int64_t>(row), alphas_.values().subspan(row * cells, cells), places);
    }
  });
  return attention_.heads_ == 1 ? std::as_const(alphas_).values() : mean_over_heads();
}

/// Makes weights of the scores of row `row` of alphas_.
void AttentionSession::select(std::int64_t row, std::span<float> scores, std::span<const float> places) const {
  const Selector selector = attention_.selector_;
  if (selector == Selector::kSoft) return dnn::softmax_in_place(scores);
  if (selector == Selector::kLocal) {
    const std::int64_t image = row / shape_.rows_per_image / attention_.heads_;
    const std::int64_t own = image * shape_.rows_per_image + row % shape_.rows_per_image;
    const float* place = places.data() + 2 * own;
    return look_through_window(scores, place[0], place[1]);
  }
  const auto best = std::ranges::max_element(scores) - scores.begin();
  if (selector == Selector::kHard) {
    std::ranges::fill(scores, 0.0F);
    scores[static_cast<std::size_t>(best)] = 1;
    return;
  }
  look_through_window(scores, static_cast<float>(best / attention_.grid_.cols) + 0.5F,
                      static_cast<float>(best % attention_.grid_.cols) + 0.5F);
}

/// The softmax of the cells whose middle lies within the window, times a Gaussian; 0 elsewhere.
void AttentionSession::look_through_window(std::span<float> scores, float row, float col) const {
  const float sigma = attention_.window_ / 2;
  const auto distance = [&](std::size_t i) {
    const auto cols = static_cast<std::size_t>(attention_.grid_.cols);
    return std::pair(static_cast<float>(i / cols) + 0.5F - row, static_cast<float>(i % cols) + 0.5F - col);
  };
  for (std::size_t i = 0; i < scores.size(); ++i) {
    const auto [down, across] = distance(i);
    if (std::abs(down) > attention_.window_ || std::abs(across) > attention_.window_) scores[i] = kNever;
  }
  dnn::softmax_in_place(scores);
  for (std::size_t i = 0; i < scores.size(); ++i) {
    const auto [down, across] = distance(i);
    scores[i] *= std::exp(-(down * down + across * across) / (2 * sigma * sigma));
  }
}

std::span<const float> AttentionSession::mean_over_heads() {
  const std::int64_t heads = attention_.heads_;
  const std::int64_t size = shape_.rows_per_image * shape_.cells;  // of an image's rows
  for (std::int64_t image = 0; image < shape_.images; ++image) {
    const auto mean =
        mean_alphas_.values().subspan(static_cast<std::size_t>(image * size), static_cast<std::size_t>(size));
    dnn::mean_of_rows(alphas_.data() + image * heads * size, heads, mean);
  }
  return std::as_const(mean_alphas_).values();
}

std::span<const float> AttentionSession::read() {
  if (attention_.heads_ == 1) {
    sum_.run(alphas_.data(), memory_.data(), context_.data());
    return std::as_const(context_).values();
  }
  sum_.run(alphas_.data(), head_memory_.data(), head_context_.data());
  return merge_heads();
}

/// What the heads saw, side by side.
std::span<const float> AttentionSession::merge_heads() {
  const std::int64_t heads = attention_.heads_;
  const std::int64_t width = attention_.memory_size() / heads;
  const float* src = head_context_.data();
  for (std::int64_t image = 0; image < shape_.images; ++image) {
    for (std::int64_t head = 0; head < heads; ++head) {
      for (std::int64_t i = 0; i < shape_.rows_per_image; ++i, src += width) {
        std::copy_n(src, width, context_.data() + ((image * shape_.rows_per_image + i) * heads + head) * width);
      }
    }
  }
  return std::as_const(context_).values();
}

}  // namespace glimpse::attention
