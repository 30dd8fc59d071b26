#include "train/stages/picture_batch.h"

#include <algorithm>

#include "image/image.h"
#include "pipeline/region.h"

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

void add_mask(const Preprocess& input, Grid grid, int width, int height, bool mirrored, std::vector<float>& masks) {
  if (input.resize != Preprocess::Resize::kFit) return;
  std::vector<float> mask = cell_weights({}, view_transform(input, width, height), grid.rows, grid.cols);
  for (auto row = mask.begin(); mirrored && row != mask.end(); row += grid.cols) std::reverse(row, row + grid.cols);
  masks.insert(masks.end(), mask.begin(), mask.end());
}

}  // namespace glimpse::train
