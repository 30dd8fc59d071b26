#include "decoder/decoder.h"

#include "decoder/parameters.h"

namespace glimpse {

Decoder::Decoder(const DecoderConfig& config, const Weights& weights, Grid grid, int vocabulary_size)
    : impl_(std::make_shared<const Impl>(config, weights, grid, vocabulary_size)) {}

int Decoder::features() const { return static_cast<int>(impl_->sizes.features); }
int Decoder::cells() const { return impl_->grid.cells(); }
int Decoder::vocabulary_size() const { return static_cast<int>(impl_->sizes.vocabulary); }

std::vector<StepProduct> Decoder::step_products(int images, int rows_per_image) const {
  const std::int64_t rows = std::int64_t{images} * rows_per_image;
  std::vector<StepProduct> products;
  const auto add = [&](const char* name, const dnn::Linear& linear) {
    if (linear) products.push_back({name, 1, rows, linear.in(), linear.out(), true});
  };
  add("query, gate, LSTM on h", impl_->from_hidden);
  const std::int64_t heads = impl_->config.heads;
  if (impl_->config.channels == DecoderConfig::Channels::kChannelSpatial) {
    products.push_back({"keys", 1, rows * impl_->grid.cells(), impl_->sizes.memory, impl_->sizes.attention, true});
  }
  products.push_back(
      {"context", images * heads, rows_per_image, impl_->grid.cells(), impl_->sizes.memory / heads, false});
  add("LSTM on the word and the context", impl_->from_input);
  add("keys and queries of the past", impl_->history.from_state);
  add("deep output on h", impl_->deep_hidden);
  add("words", impl_->output);
  return products;
}

}  // namespace glimpse
