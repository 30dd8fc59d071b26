#include "decoder/decoder.h"

#include <utility>

#include "core/error.h"
#include "decoder/decoder_impl.h"
#include "decoder/formulas.h"

namespace glimpse {
namespace {

void check_ids(const DecoderConfig& config, const Weights& weights, int vocabulary_size) {
  std::vector<int> ids = config.never_emit;
  ids.insert(ids.end(), {config.start_id, config.end_id, config.unknown_id});
  for (const int id : ids) {
    if (id >= 0 && id < vocabulary_size) continue;
    throw Error(ErrorCode::kModel, quote(weights.path().native()) + ": the decoder's special word id " +
                                       std::to_string(id) + " lies outside the vocabulary of " +
                                       std::to_string(vocabulary_size) + " words");
  }
}

void check_vocabulary(const DecoderSizes& sizes, const Weights& weights, int vocabulary_size) {
  if (sizes.vocabulary == vocabulary_size) return;
  throw Error(ErrorCode::kModel, quote(weights.path().native()) + ": tensor 'embedding.weight' has " +
                                     std::to_string(sizes.vocabulary) + " words, the vocabulary " +
                                     std::to_string(vocabulary_size));
}

/// Additive scores may come with a bias that no softmax sees; it is checked like the others.
void check_score_bias(const DecoderConfig& config, const Weights& weights) {
  const bool additive =
      config.score == DecoderConfig::Score::kAdditiveTanh || config.score == DecoderConfig::Score::kAdditiveRelu;
  if (additive && weights.contains("score.bias")) weights.load("score.bias", {1});
}

void check_history(const DecoderConfig& config, const Weights& weights) {
  if (config.history == DecoderConfig::History::kNone || config.output != DecoderConfig::Output::kPlain) return;
  throw Error(ErrorCode::kModel, quote(weights.path().native()) +
                                     ": the decoder looks at its past, but its output is plain: the deep output "
                                     "would read what it sees");
}

std::shared_ptr<const Decoder::Impl> make(const DecoderConfig& config, const Weights& weights, Grid grid,
                                          int vocabulary_size) {
  check_history(config, weights);
  const DecoderSizes sizes = read_sizes(config, weights);
  check_vocabulary(sizes, weights, vocabulary_size);
  check_score_bias(config, weights);
  check_ids(config, weights, vocabulary_size);
  const net::StepPlan plan(decoder_graph(config, sizes), weights, grid.rows, grid.cols, sizes.features);
  return std::make_shared<const Decoder::Impl>(Decoder::Impl{config, grid, sizes.features, plan});
}

}  // namespace

Decoder::Decoder(const DecoderConfig& config, const Weights& weights, Grid grid, int vocabulary_size)
    : impl_(make(config, weights, grid, vocabulary_size)) {}

int Decoder::features() const { return static_cast<int>(impl_->features); }
int Decoder::cells() const { return impl_->grid.cells(); }
int Decoder::vocabulary_size() const { return static_cast<int>(impl_->plan.width("words")); }

std::vector<StepProduct> Decoder::step_products(int images, int rows_per_image) const {
  std::vector<StepProduct> products;
  for (const ops::StepProductSpec& product : impl_->plan.products(images, rows_per_image)) {
    products.push_back({product.name, product.batch, product.rows, product.inner, product.cols, product.constant});
  }
  return products;
}

}  // namespace glimpse
