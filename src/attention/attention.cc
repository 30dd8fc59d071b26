#include "attention/attention.h"

#include <algorithm>
#include <utility>

#include "dnn/threads.h"
#include "dnn/vector_math.h"

namespace glimpse::attention {
namespace {

/// Cells whose keys stay in the first-level cache while all rows of their image are scored against them.
constexpr std::int64_t kCellBlock = 16;
/// Terms (one tanh or maximum each) below which a second thread is not worth waking.
constexpr std::int64_t kTermsPerThread = 32768;

std::int64_t blocks_of(std::int64_t cells) { return (cells + kCellBlock - 1) / kCellBlock; }

std::int64_t grain(std::int64_t terms_per_item) { return std::max<std::int64_t>(1, kTermsPerThread / terms_per_item); }

}  // namespace

Attention::Attention(const AdditiveWeights& weights)
    : keys_("key", weights.key, weights.key_bias.values()),
      score_(std::make_shared<const Tensor>(weights.score.clone())),
      nonlinearity_(weights.nonlinearity) {}

AttentionSession::AttentionSession(Attention attention, const AttentionShape& shape)
    : attention_(std::move(attention)),
      shape_(shape),
      memory_(Shape{shape.images, shape.cells, attention_.memory_size()}),
      keys_(Shape{shape.images, shape.cells, attention_.query_size()}),
      alphas_(Shape{shape.images * shape.rows_per_image, shape.cells}),
      context_(Shape{shape.images * shape.rows_per_image, attention_.memory_size()}),
      key_kernel_(attention_.keys_, shape.cells),
      sum_("context", {shape.images, shape.rows_per_image, shape.cells, attention_.memory_size()}) {
  // Images that a batch leaves out are computed along with it: their numbers must at least be numbers.
  std::fill(memory_.values().begin(), memory_.values().end(), 0.0F);
  std::fill(keys_.values().begin(), keys_.values().end(), 0.0F);
}

std::span<float> AttentionSession::memory(std::int64_t image) {
  const std::int64_t size = shape_.cells * attention_.memory_size();
  return memory_.values().subspan(static_cast<std::size_t>(image * size), static_cast<std::size_t>(size));
}

void AttentionSession::prepare(std::int64_t image) {
  key_kernel_.run(memory(image).data(), keys_.data() + image * shape_.cells * attention_.query_size());
}

/// Blocks [begin, end) of the batch's images × blocks.
void AttentionSession::score(std::int64_t begin, std::int64_t end, const float* queries, std::int64_t stride) {
  const std::int64_t size = attention_.query_size();
  const auto scores =
      attention_.nonlinearity_ == Nonlinearity::kTanh ? dnn::additive_scores_tanh : dnn::additive_scores_relu;
  const std::int64_t blocks = blocks_of(shape_.cells);
  for (std::int64_t item = begin; item < end; ++item) {
    const std::int64_t image = item / blocks;
    const std::int64_t cell = item % blocks * kCellBlock;
    dnn::AdditiveScores args;
    args.keys = keys_.data() + (image * shape_.cells + cell) * size;
    args.weight = attention_.score_->data();
    args.cells = std::min(kCellBlock, shape_.cells - cell);
    args.size = size;
    for (std::int64_t i = 0; i < shape_.rows_per_image; ++i) {
      const std::int64_t row = image * shape_.rows_per_image + i;
      args.query = queries + row * stride;
      args.scores = alphas_.data() + row * shape_.cells + cell;
      scores(args);
    }
  }
}

std::span<const float> AttentionSession::weigh(const float* queries, std::int64_t stride) {
  const std::int64_t rows = shape_.images * shape_.rows_per_image;
  const std::int64_t block_terms = kCellBlock * attention_.query_size() * shape_.rows_per_image;
  dnn::parallel_for(shape_.images * blocks_of(shape_.cells), grain(block_terms),
                    [&](std::int64_t begin, std::int64_t end) { score(begin, end, queries, stride); });
  dnn::parallel_for(rows, grain(shape_.cells), [&](std::int64_t begin, std::int64_t end) {
    const auto cells = static_cast<std::size_t>(shape_.cells);
    for (auto row = static_cast<std::size_t>(begin); row < static_cast<std::size_t>(end); ++row) {
      dnn::softmax_in_place(alphas_.values().subspan(row * cells, cells));
    }
  });
  return std::as_const(alphas_).values();
}

std::span<const float> AttentionSession::read() {
  sum_.run(alphas_.data(), memory_.data(), context_.data());
  return std::as_const(context_).values();
}

}  // namespace glimpse::attention
