#include "attention/attention.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <utility>

#include "dnn/runtime/threads.h"
#include "dnn/math/vector_math.h"

namespace glimpse::attention {
namespace {

/// Cells whose keys stay in the first-level cache while all rows of their image are scored against them.
constexpr std::int64_t kCellBlock = 16;
/// Terms (one tanh or maximum each) below which a second thread is not worth waking.
constexpr std::int64_t kTermsPerThread = 32768;

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

/// The cell in which `lot` of the softmax's mass is reached.
std::size_t drawn(std::span<const float> scores, float lot) {
  const float top = *std::ranges::max_element(scores);
  const auto mass = [&](float score) { return std::exp(static_cast<double>(score - top)); };
  double left = 0;
  for (const float score : scores) left += mass(score);
  left *= static_cast<double>(lot);
  std::size_t last = 0;  // of those that have a mass: rounding may leave a rest
  for (std::size_t i = 0; i < scores.size(); ++i) {
    const double own = mass(scores[i]);
    if (own > 0) last = i;
    left -= own;
    if (left < 0) break;
  }
  return last;
}

}  // namespace

Attention::Attention(const AttentionWeights& weights)
    : keys_("key", weights.key, weights.key_bias.values()),
      elements_(weights.element.count() > 0 ? dnn::Linear("element.key", weights.element, weights.element_bias.values())
                                            : dnn::Linear()),
      score_(std::make_shared<const Tensor>(weights.score.clone())),
      function_(weights.function),
      heads_(weights.heads),
      selector_(weights.selector),
      window_{weights.grid.cols, weights.window} {}

AttentionSession::AttentionSession(Attention attention, const AttentionShape& shape)
    : attention_(std::move(attention)),
      shape_(shape),
      memory_(zeros({shape.images, shape.cells, attention_.memory_size()})),
      keys_(zeros({shape.images, shape.cells, attention_.query_size()})),
      alphas_(Shape{head_images() * shape.rows_per_image, shape.cells}),
      context_(Shape{rows(), attention_.memory_size()}),
      masks_(zeros({shape.images, shape.cells})),
      masked_(static_cast<std::size_t>(shape.images), 0),
      key_kernel_(attention_.keys_, shape.cells),
      sum_("context",
           {head_images(), shape.rows_per_image, shape.cells, attention_.memory_size() / attention_.heads_}) {
  if (attention_.elements_) {
    elements_ = zeros(memory_.shape());
    element_kernel_ = dnn::LinearKernel(attention_.elements_, shape.cells);
  }
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
    dnn::split_heads(image_keys_.data(), {shape_.cells, heads, size}, keys);
    const std::int64_t width = attention_.memory_size() / heads;
    dnn::split_heads(memory(image).data(), {shape_.cells, heads, width},
                     head_memory_.data() + image * shape_.cells * heads * width);
  }
  if (element_kernel_) {
    element_kernel_.run(memory(image).data(), elements_.data() + image * shape_.cells * attention_.memory_size());
  }
  if (attention_.function_ != Score::kCosine) return;
  for (float* key = keys; key < keys + shape_.cells * heads * size; key += size) {
    dnn::scale({key, static_cast<std::size_t>(size)}, inverse_norm(key, size), key);
  }
}

void AttentionSession::mask(std::int64_t image, std::span<const float> weights) {
  masked_[static_cast<std::size_t>(image)] = weights.empty() ? 0 : 1;
  float* dst = masks_.data() + image * shape_.cells;
  for (std::size_t i = 0; i < weights.size(); ++i) dst[i] = weights[i] > 0 ? std::log(weights[i]) : dnn::kNever;
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
void AttentionSession::score(std::int64_t begin, std::int64_t end, const Question& question) {
  const std::int64_t blocks = blocks_of(shape_.cells);
  for (std::int64_t item = begin; item < end; ++item) {
    const std::int64_t head_image = item / blocks;
    const std::int64_t image = head_image / attention_.heads_;
    const std::int64_t head = head_image % attention_.heads_;
    const std::int64_t first = item % blocks * kCellBlock;
    for (std::int64_t i = 0; i < shape_.rows_per_image; ++i) {
      const float* query =
          question.queries + (image * shape_.rows_per_image + i) * question.stride + head * head_size();
      score_block(head_image, first, query,
                  alphas_.data() + (head_image * shape_.rows_per_image + i) * shape_.cells + first);
    }
  }
}

std::span<const float> AttentionSession::weigh(const Question& question) {
  const std::int64_t block_terms = kCellBlock * head_size() * shape_.rows_per_image;
  dnn::parallel_for(head_images() * blocks_of(shape_.cells), grain(block_terms),
                    [&](std::int64_t begin, std::int64_t end) { score(begin, end, question); });
  dnn::parallel_for(alphas_.dim(0), grain(shape_.cells), [&](std::int64_t begin, std::int64_t end) {
    const auto cells = static_cast<std::size_t>(shape_.cells);
    for (auto row = static_cast<std::size_t>(begin); row < static_cast<std::size_t>(end); ++row) {
      select(static_cast<std::int64_t>(row), alphas_.values().subspan(row * cells, cells), question);
    }
  });
  return attention_.heads_ == 1 ? std::as_const(alphas_).values() : mean_over_heads();
}

/// Makes weights of the scores of row `row` of alphas_.
void AttentionSession::select(std::int64_t row, std::span<float> scores, const Question& question) const {
  const std::int64_t image = image_of(row);
  if (masked_[static_cast<std::size_t>(image)] != 0) {
    dnn::add(scores, masks_.data() + image * shape_.cells, scores.data());
  }
  const Selector selector = attention_.selector_;
  if (selector == Selector::kSoft) return dnn::softmax_in_place(scores);
  const auto own = static_cast<std::size_t>(image * shape_.rows_per_image + row % shape_.rows_per_image);
  if (selector == Selector::kLocal) {
    return look_through_window(scores, {question.places[2 * own], question.places[2 * own + 1]});
  }
  const auto heads = static_cast<std::size_t>(attention_.heads_);
  const auto head = static_cast<std::size_t>(row / shape_.rows_per_image) % heads;
  const std::size_t cell = question.lots.empty()
                               ? static_cast<std::size_t>(std::ranges::max_element(scores) - scores.begin())
                               : drawn(scores, question.lots[own * heads + head]);
  if (selector == Selector::kHard) {
    std::ranges::fill(scores, 0.0F);
    scores[cell] = 1;
    return;
  }
  look_through_window(scores, dnn::Place::middle_of(static_cast<std::int64_t>(cell), attention_.window_));
}

/// The softmax of the cells whose middle lies within the window, times a Gaussian; 0 elsewhere.
void AttentionSession::look_through_window(std::span<float> scores, dnn::Place place) const {
  place = nearest_seen(scores, place);
  for (std::size_t i = 0; i < scores.size(); ++i) {
    if (!place.sees(static_cast<std::int64_t>(i), attention_.window_)) scores[i] = dnn::kNever;
  }
  dnn::softmax_in_place(scores);
  for (std::size_t i = 0; i < scores.size(); ++i) {
    scores[i] *= place.gaussian(static_cast<std::int64_t>(i), attention_.window_);
  }
}

/// `place`, or where no cell that counts lies in the window around it, the middle of the nearest.
dnn::Place AttentionSession::nearest_seen(std::span<const float> scores, const dnn::Place& place) const {
  std::int64_t nearest = 0;
  float least = std::numeric_limits<float>::infinity();
  for (std::size_t i = 0; i < scores.size(); ++i) {
    if (scores[i] < dnn::kNever / 2) continue;
    const auto cell = static_cast<std::int64_t>(i);
    if (place.sees(cell, attention_.window_)) return place;
    const auto [down, across] = place.to(cell, attention_.window_);
    const float distance = down * down + across * across;
    if (distance < least) {
      least = distance;
      nearest = cell;
    }
  }
  return dnn::Place::middle_of(nearest, attention_.window_);
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

std::span<const float> AttentionSession::read(const float* openers, std::int64_t stride) {
  if (element_kernel_) {
    dnn::parallel_for(rows(), grain(shape_.cells * attention_.memory_size()),
                      [&](std::int64_t begin, std::int64_t end) {
                        for (std::int64_t row = begin; row < end; ++row) read_elements(row, openers + row * stride);
                      });
    return std::as_const(context_).values();
  }
  if (attention_.heads_ == 1) {
    sum_.run(alphas_.data(), memory_.data(), context_.data());
    return std::as_const(context_).values();
  }
  sum_.run(alphas_.data(), head_memory_.data(), head_context_.data());
  return merge_heads();
}

/// What a row sees with weights by channel, which `opener` [D] decides.
void AttentionSession::read_elements(std::int64_t row, const float* opener) {
  const std::int64_t image = row / shape_.rows_per_image;
  const std::int64_t size = attention_.memory_size();
  const std::int64_t share = size / attention_.heads_;
  const std::span<float> context =
      context_.values().subspan(static_cast<std::size_t>(row * size), static_cast<std::size_t>(size));
  std::ranges::fill(context, 0.0F);
  for (std::int64_t head = 0; head < attention_.heads_; ++head) {
    const std::int64_t own = (image * attention_.heads_ + head) * shape_.rows_per_image + row % shape_.rows_per_image;
    for (std::int64_t cell = 0; cell < shape_.cells; ++cell) {
      const float alpha = alphas_.data()[own * shape_.cells + cell];
      if (alpha == 0) continue;
      const std::int64_t from = (image * shape_.cells + cell) * size + head * share;
      dnn::add_opened({memory_.data() + from, elements_.data() + from, opener + head * share, alpha},
                      context.subspan(static_cast<std::size_t>(head * share), static_cast<std::size_t>(share)));
    }
  }
}

/// What the heads saw, side by side.
std::span<const float> AttentionSession::merge_heads() {
  const std::int64_t heads = attention_.heads_;
  const std::int64_t width = attention_.memory_size() / heads;
  const std::int64_t size = shape_.rows_per_image * heads * width;  // of an image's rows
  for (std::int64_t image = 0; image < shape_.images; ++image) {
    dnn::merge_heads(head_context_.data() + image * size, {shape_.rows_per_image, heads, width},
                     context_.data() + image * size);
  }
  return std::as_const(context_).values();
}

}  // namespace glimpse::attention
