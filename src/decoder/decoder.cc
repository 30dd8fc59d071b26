#include "decoder/decoder.h"

#include "decoder/parameters.h"

namespace glimpse {

Decoder::Decoder(const DecoderConfig& config, const Weights& weights, int cells, int vocabulary_size)
    : impl_(std::make_shared<const Impl>(config, weights, cells, vocabulary_size)) {}

int Decoder::features() const { return static_cast<int>(impl_->sizes.features); }
int Decoder::cells() const { return impl_->cells; }
int Decoder::vocabulary_size() const { return static_cast<int>(impl_->sizes.vocabulary); }

}  // namespace glimpse
