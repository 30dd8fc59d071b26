/// Where a decoder under training looks, and what it sees there: DecoderConfig's score, heads, selector and weights of
/// channels on the tape, for all steps of all captions.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "autograd/attention_ops.h"
#include "autograd/parameters.h"
#include "autograd/tape.h"
#include "model/model.h"

namespace glimpse::train {

/// Whether the score is a weighted sum over key + query, with a tensor of weights.
bool is_additive(DecoderConfig::Score score);

/// Of the hard selectors.
struct HardOptions {
  std::uint64_t seed = 0;    ///< of the cells that are drawn; another one each step
  double expectation = 0.5;  ///< probability with which an image's captions take all cells' mean for one cell
};

class DecoderAttention {
 public:
  /// memory [images · cells, D']; `rows`: the captions of each image, by falling length; masks: see
  /// DecoderNetwork::loss. Holds references to the first three.
  DecoderAttention(const DecoderConfig& config, ParameterSet& parameters, Tape& tape, Grid grid, Variable memory,
                   dnn::RowsOfImages rows, std::span<const float> masks, const HardOptions& hard);

  const Variable& means() const { return means_; }  ///< [images, D'], of their cells as far as they count

  /// Names, without ".weight" and ".bias", of the layers on h[t−1] whose results `look` reads: the first is the query,
  /// the others are what the windows' places and the channels' weights are made of.
  static std::vector<std::string> hidden_layers(const DecoderConfig& config);

  /// What the rows see at the next step, [rows, D']. sums [rows, …] has the query from column 0 on, and what the other
  /// hidden_layers give in its last columns.
  Variable look(const Variable& sums, std::int64_t rows);

  /// The alphas of all steps, [rows · heads, cells].
  const std::vector<Variable>& alphas() const { return alphas_; }

  /// What the cells that were drawn add to the loss (Xu et al. 2015, section 4.1), [1]; none with other selectors:
  /// −Σ advantages · log α of the cells − entropy_weight · Σ shares · H(α), over steps, rows and heads.
  Variable loss(std::span<const float> advantages, std::span<const float> shares, double entropy_weight);

 private:
  Variable parameter(const std::string& name) { return tape_.parameter(parameters_.at(name)); }
  bool has_channels_first() const { return config_.channels == DecoderConfig::Channels::kChannelSpatial; }
  void look_at(const Variable& memory, const Variable& keys, const Gaze& gaze);
  Piece asked(const Variable& sums, const std::string& layer);
  Variable channel_weights(const Variable& values, const Variable& sums);
  Variable mean_of_images(std::span<const float> masks);
  dnn::Array mask_of_rows(std::span<const float> masks, std::span<const int> images) const;
  Variable select(const Piece& query, const Variable& sums, std::int64_t rows);
  Variable chosen_weights(const Piece& query, const Variable& alphas);
  Variable read(const Variable& weights, const Variable& sums, std::int64_t rows);
  Piece query(const Variable& sums, std::int64_t rows);
  Variable predicted_places(const Variable& sums, std::int64_t rows);
  std::vector<int> draw(const Variable& alphas);
  Variable windowed(const Piece& query, const Variable& places);
  dnn::Window window() const { return {grid_.cols, static_cast<float>(config_.window)}; }

  const DecoderConfig& config_;
  ParameterSet& parameters_;
  Tape& tape_;
  Grid grid_;
  HardOptions hard_;
  Gaze gaze_;                  ///< of the captions at their images
  Variable memory_;            ///< [images · cells, D']
  std::vector<char> expects_;  ///< a row: whether it takes the mean for one cell
  dnn::Array mask_;            ///< [captions · heads, cells]; none where all cells count
  std::int64_t key_size_ = 0;
  // What is looked at, a head's share as an image of its own; with channels first another memory at every step.
  Variable seen_;
  Gaze seen_by_;
  std::optional<RepeatedScores> scores_;
  std::optional<RepeatedRead> read_;
  std::optional<RepeatedLinear> keys_;  ///< with channels first
  Variable means_;                      ///< [images, D']
  Variable means_of_rows_;              ///< [captions, D'], of their images; with channels first
  Variable elements_;                   ///< keys of a weight for every cell and channel, a head below the other
  std::optional<RepeatedLinear> place_;
  std::vector<Variable> alphas_;
  std::vector<std::vector<int>> cells_;  ///< that were drawn, a step
};

}  // namespace glimpse::train
