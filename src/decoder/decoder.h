/// A captioner's decoder: a step as text (net/step_graph.h; Show, Attend and Tell and its variants: formulas.h) with
/// weights, as something that search runs.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "core/tensor.h"
#include "model/model.h"
#include "search/step_model.h"

namespace glimpse {

/// left [batch, rows, inner] · right [batch, inner, cols].
struct StepProduct {
  std::string name;
  std::int64_t batch = 1;
  std::int64_t rows = 1;
  std::int64_t inner = 1;
  std::int64_t cols = 1;
  bool constant = true;  ///< the right side is weights
};

/// Const: weights packed once, shared by all sessions.
class Decoder {
 public:
  struct Impl;
  /// Throws Error(kModel) naming the weights file and tensor: missing, wrong shape, not finite, or a vocabulary that
  /// does not fit.
  Decoder(const DecoderConfig& config, const Weights& weights, Grid grid, int vocabulary_size);

  int features() const;  ///< D, channels of the map that it attends to
  int cells() const;     ///< L
  int vocabulary_size() const;
  /// The matrix products of one step, for benchmarks to hold a step against.
  std::vector<StepProduct> step_products(int images, int rows_per_image) const;

 private:
  friend class DecoderSession;
  std::shared_ptr<const Impl> impl_;
};

/// Seconds spent in the parts of decoding steps.
struct StepParts {
  double products = 0;     ///< matrix products
  double attention = 0;    ///< scores and their softmax
  double gates = 0;        ///< the context's gate, the LSTM's gates, the deep output's tanh
  double log_softmax = 0;  ///< over the vocabulary
  double gather = 0;       ///< embeddings, and states of the rows that live on
};

/// The decoding state of a batch of images; one per worker. Built for a fixed number of images and rows per image;
/// nothing large is allocated after that.
class DecoderSession : public search::StepModel {
 public:
  /// Throws Error(kUsage) for fewer than one image or row.
  DecoderSession(Decoder decoder, int images, int rows_per_image);
  ~DecoderSession() override;

  /// Starts on `images` new pictures: features [images, cells, D]; projections, keys and start states are computed once
  /// here. Fewer pictures than the session was built for are allowed: `images()` is then that many, and step takes that
  /// many images' rows. masks [images, cells]: how much each cell counts, from 0, as if it were not there, to 1, one
  /// at least above 0; empty: all cells do. Throws Error(kUsage) for other masks, and for features or counts of another
  /// size.
  void prepare(std::span<const float> features, int images, std::span<const float> masks = {});
  /// Hard selectors draw their cells from the softmax, beginning with the next step; nothing: they take the best. What
  /// is drawn is a function of the seed, the step and the row's place in its image. Others do not look at it.
  void draw_cells(std::optional<std::uint64_t> seed);

  int images() const override;
  int rows_per_image() const override;
  int vocabulary_size() const override;
  int cells() const override;
  int channels() const override;
  int start_id() const override;
  int end_id() const override;
  /// Throws Error(kUsage) before `prepare`, for tokens or parents of another number than rows, tokens outside the
  /// vocabulary, and, after the first step, parents outside the row's image.
  search::StepOutput step(std::span<const int> tokens, std::span<const int> parents) override;

  /// Adds what the parts of every later step take to `parts`; null: measures no longer.
  void measure(StepParts* parts);

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace glimpse
