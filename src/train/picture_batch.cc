#include "train/picture_batch.h"

#include "image/image.h"

namespace glimpse::train {

Variable picture_batch(Tape& tape, const Batch& batch, const Preprocess& preprocess) {
  const auto count = static_cast<std::int64_t>(batch.pictures.size());
  const dnn::Array pictures = tape.kernels().take({count, 3, preprocess.height, preprocess.width});
  const std::size_t bytes = batch.pixels.size() / batch.pictures.size();
  for (std::size_t i = 0; i < batch.pictures.size(); ++i) {
    normalise(batch.pixels.subspan(i * bytes, bytes), preprocess, pictures.values().subspan(i * bytes, bytes));
  }
  return tape.constant(pictures);
}

}  // namespace glimpse::train
