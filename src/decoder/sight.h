/// What a step of the decoder sees: its attention over the cells with all that belongs to it, windows' places, masks,
/// the channels' weights, the cells that are drawn. Internal to this level.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include "attention/attention.h"
#include "decoder/parameters.h"

namespace glimpse {

/// For a fixed number of images and rows an image; nothing large is allocated after construction.
class Sight {
 public:
  /// Holds a reference to `model`.
  Sight(const Decoder::Impl& model, std::int64_t images, std::int64_t rows_per_image);

  /// Where the caller writes an image's cells before `prepare`: [cells, D'].
  std::span<float> memory(std::int64_t image);
  /// Begins to look at that image; see DecoderSession::prepare for the mask.
  void prepare(std::int64_t image, std::span<const float> mask);
  /// The images' means over the cells that count, [images, D'].
  const Tensor& means() const { return means_; }

  /// Hard selectors draw their cells from now on, or take the best.
  void draw_cells(std::optional<std::uint64_t> seed) { seed_ = seed; }
  /// Where the rows look: alphas [rows, cells]. products [rows, …] as DecoderSizes lays them out; steps are counted
  /// from `prepare` on.
  std::span<const float> weigh(Tensor& products, std::int64_t step);
  /// What they see there, before the gate: [rows, D'].
  std::span<const float> read(const Tensor& products);
  /// The weights of the channels at that step, [rows, D']; empty where there are none.
  std::span<const float> channels() const;

 private:
  bool channels_first() const { return model_.config.channels == DecoderConfig::Channels::kChannelSpatial; }
  std::int64_t rows() const { return images_ * rows_per_image_; }
  const float* of_row(const Tensor& products, std::int64_t row, std::int64_t column) const;
  void weigh_channels_first(const Tensor& products);
  void predict_places(const Tensor& products);
  void draw_lots(std::int64_t step);

  const Decoder::Impl& model_;
  std::int64_t images_;
  std::int64_t rows_per_image_;
  attention::AttentionSession attention_;  ///< with channels first each row has a memory of its own
  std::optional<std::uint64_t> seed_;
  dnn::LinearKernel place_;
  Tensor means_;             ///< [images, D']
  Tensor cells_;             ///< [images, cells, D'], before channels are weighed; with channels first
  Tensor channels_;          ///< [rows, D']; with weights of channels
  Tensor context_;           ///< [rows, D']; with channels last
  Tensor place_hidden_;      ///< [rows, P]; with local attention, like the next
  Tensor places_;            ///< [rows, 2], in cells
  std::vector<float> lots_;  ///< [rows, heads]; with hard attention
};

}  // namespace glimpse
