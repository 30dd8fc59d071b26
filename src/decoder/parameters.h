/// The decoder's tensors as they stand in a weights file, checked against each other, and the products made of them:
/// matrices that multiply the same vector are merged into one. Internal to this level.
#pragma once

#include <optional>
#include <string_view>
#include <vector>

#include "attention/attention.h"
#include "attention/channels.h"
#include "core/safetensors.h"
#include "core/tensor.h"
#include "decoder/decoder.h"
#include "decoder/history.h"
#include "dnn/products/linear.h"
#include "model/model.h"

namespace glimpse {

/// All read from the tensors' shapes.
struct DecoderSizes {
  std::int64_t features = 0;    ///< D, channels of the encoder's map
  std::int64_t memory = 0;      ///< D', of what attention reads: D, or the projection's
  std::int64_t attention = 0;   ///< A, keys and queries
  std::int64_t hidden = 0;      ///< n, the LSTM's state
  std::int64_t embedding = 0;   ///< m
  std::int64_t gate = 0;        ///< 0, 1 or D'
  std::int64_t place = 0;       ///< P, hidden layer of what predicts a window's place; 0: none
  std::int64_t channel = 0;     ///< k, keys and queries of the channels' weights; 0: none
  std::int64_t element = 0;     ///< D' with a weight for every cell and channel, else 0
  std::int64_t history = 0;     ///< A, keys and queries of the past's weights; 0: none
  std::int64_t deep = 0;        ///< E, 0 for plain output
  std::int64_t vocabulary = 0;  ///< V

  // Where the parts of from_hidden's products begin; the query stands first.
  std::int64_t lstm_at() const { return attention; }
  std::int64_t gate_at() const { return lstm_at() + 4 * hidden; }
  std::int64_t place_at() const { return gate_at() + gate; }
  std::int64_t channel_at() const { return place_at() + place; }
  std::int64_t element_at() const { return channel_at() + channel; }
  std::int64_t from_hidden() const { return element_at() + element; }
};

struct Decoder::Impl {
  /// See Decoder's constructor.
  Impl(const DecoderConfig& config, const Weights& weights, Grid grid, int vocabulary_size);

  const DecoderConfig config;
  const Grid grid;
  const DecoderSizes sizes;
  const Tensor embedding;         ///< [V, m]
  const dnn::Linear feature;      ///< D → D'; none without projection
  const dnn::Linear init;         ///< D' → hidden layer; none unless two-layer
  const dnn::Linear init_state;   ///< [h; c] → 2n
  const dnn::Linear from_hidden;  ///< h[t−1] → [query A; LSTM gates 4n; gate; place P; channel k; element D']
  const dnn::Linear from_input;   ///< [Ey; ẑ] → [LSTM gates 4n; deep E]
  const dnn::Linear deep_hidden;  ///< h[t], or [h[t]; r[t]] with history, → deep E; none for plain output
  const dnn::Linear output;       ///< h[t] or deep → V
  const dnn::Linear place;        ///< P → 2; none unless local
  const attention::Attention attention;
  const attention::ChannelAttention channels;  ///< none unless SCA-CNN's
  const HistoryWeights history;
};

}  // namespace glimpse
