/// The decoder's training loss as plain loops in double, a caption at a time: nothing merged, shared or packed.
#pragma once

#include <algorithm>
#include <cmath>
#include <functional>
#include <limits>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "model/model.h"
#include "train/nets/decoder_network.h"

namespace glimpse::train {

using Doubles = std::vector<double>;

class NaiveDecoderLoss {
 public:
  /// Tensors by name, row-major.
  NaiveDecoderLoss(const DecoderConfig& config, std::map<std::string, Doubles> tensors)
      : config_(config), tensors_(std::move(tensors)) {}

  struct Options {
    double smoothing = 0;
    double temperature = 1;
    double doubly_stochastic = 0;
    Grid grid;
    bool pictures = true;
    bool per_caption = false;        ///< the mean is over captions
    std::vector<int> left_out = {};  ///< words that the softmax is not over
    int forced = -1;                 ///< a cell that is seen alone, whatever its weight
    Doubles masks = {};              ///< [images, cells], how much each cell counts; empty: all do
  };

  /// features [images, cells, D].
  double loss(const Doubles& features, const std::vector<TrainingCaption>& captions, const Options& options) const {
    double entropy = 0;
    double unseen = 0;
    std::size_t words = 0;
    for (const TrainingCaption& caption : captions) words += caption.words.size() + 1;
    for (const TrainingCaption& caption : captions) {
      const std::vector<Doubles> memory = memory_of(features, caption.image, options);
      mask_ = mask_of(caption.image, options);
      Doubles h = options.pictures ? start("init_h", memory) : Doubles(at("lstm.bias").size() / 4, 0.0);
      Doubles c = options.pictures ? start("init_c", memory) : h;
      Doubles seen(cells_of(options) * static_cast<std::size_t>(config_.heads), 0.0);
      std::vector<Doubles> past;
      for (std::size_t t = 0; t <= caption.words.size(); ++t) {
        const int fed = t == 0 ? config_.start_id : caption.words[t - 1];
        const int target = t == caption.words.size() ? config_.end_id : caption.words[t];
        const Doubles scores = step(memory, options, fed, h, c, seen, past);
        if (t == caption.words.size() && !caption.ended) continue;
        entropy += static_cast<double>(caption.weight) * smoothed(scores, target, options);
      }
      for (const double sum : seen) unseen += (1 - sum) * (1 - sum) / config_.heads;
    }
    return entropy / static_cast<double>(options.per_caption ? captions.size() : words) +
           (options.pictures ? options.doubly_stochastic * unseen / static_cast<double>(captions.size()) : 0);
  }

  /// What the forced cell's weight was at the last step.
  double forced_weight() const { return forced_weight_; }

 private:
  static std::size_t cells_of(const Options& options) { return static_cast<std::size_t>(options.grid.cells()); }
  const Doubles& at(const std::string& name) const { return tensors_.at(name); }

  Doubles linear(const std::string& weight, const std::string& bias, const Doubles& x) const {
    const Doubles& w = at(weight);
    Doubles y(w.size() / x.size(), 0.0);
    for (std::size_t i = 0; i < y.size(); ++i) {
      for (std::size_t j = 0; j < x.size(); ++j) y[i] += w[i * x.size() + j] * x[j];
      if (!bias.empty()) y[i] += at(bias)[i];
    }
    return y;
  }
  Doubles layer(const std::string& name, const Doubles& x) const { return linear(name + ".weight", name + ".bias", x); }

  static Doubles each(Doubles x, const std::function<double(double)>& f) {
    for (double& value : x) value = f(value);
    return x;
  }
  static double sigmoid(double x) { return 1 / (1 + std::exp(-x)); }
  static double relu(double x) { return std::max(0.0, x); }
  static double tanh_of(double x) { return std::tanh(x); }
  static Doubles sum(Doubles a, const Doubles& b) {
    for (std::size_t i = 0; i < a.size(); ++i) a[i] += b[i];
    return a;
  }

  std::vector<Doubles> memory_of(const Doubles& features, int image, const Options& options) const {
    if (!options.pictures) return {};
    const std::size_t images_cells = features.size();
    std::vector<Doubles> memory;
    const bool projects = config_.feature_projection == DecoderConfig::FeatureProjection::kRelu;
    const std::size_t size = projects ? at("feature.weight").size() / at("feature.bias").size()
                                      : at("key.weight").size() / at("key.bias").size();
    for (std::size_t i = 0; i < cells_of(options); ++i) {
      const std::size_t from = (static_cast<std::size_t>(image) * cells_of(options) + i) * size;
      if (from + size > images_cells) break;
      Doubles cell(features.begin() + static_cast<std::ptrdiff_t>(from),
                   features.begin() + static_cast<std::ptrdiff_t>(from + size));
      memory.push_back(projects ? each(layer("feature", cell), relu) : cell);
    }
    return memory;
  }

  static Doubles mask_of(int image, const Options& options) {
    if (options.masks.empty()) return Doubles(cells_of(options), 1.0);
    const auto from = options.masks.begin() + image * options.grid.cells();
    return {from, from + options.grid.cells()};
  }

  Doubles mean_of(const std::vector<Doubles>& memory) const {
    Doubles mean(memory[0].size(), 0.0);
    double total = 0;
    for (std::size_t i = 0; i < memory.size(); ++i) {
      for (std::size_t j = 0; j < mean.size(); ++j) mean[j] += mask_[i] * memory[i][j];
      total += mask_[i];
    }
    for (double& value : mean) value /= total;
    return mean;
  }

  Doubles start(const std::string& name, const std::vector<Doubles>& memory) const {
    Doubles mean = mean_of(memory);
    if (config_.init == DecoderConfig::Init::kTwoLayer) mean = each(layer("init", mean), relu);
    const Doubles state = layer(name, mean);
    return config_.init == DecoderConfig::Init::kLinear ? state : each(state, tanh_of);
  }

  /// Of one head's share of key and query.
  double score(std::size_t head, const Doubles& key, const Doubles& query) const {
    using Score = DecoderConfig::Score;
    const std::size_t size = key.size() / static_cast<std::size_t>(config_.heads);
    double dot = 0;
    double keys = 0;
    double queries = 0;
    double additive = 0;
    for (std::size_t a = head * size; a < (head + 1) * size; ++a) {
      dot += key[a] * query[a];
      keys += key[a] * key[a];
      queries += query[a] * query[a];
      if (config_.score == Score::kAdditiveTanh) additive += at("score.weight")[a] * std::tanh(key[a] + query[a]);
      if (config_.score == Score::kAdditiveRelu) additive += at("score.weight")[a] * relu(key[a] + query[a]);
    }
    if (config_.score == Score::kDot) return dot;
    if (config_.score == Score::kScaledDot) return dot / std::sqrt(static_cast<double>(size));
    if (config_.score == Score::kCosine) return at("score.weight")[0] * dot / std::sqrt(keys * queries);
    return additive;
  }

  /// From a place, in cells, to the middle of cell i: down and across.
  static std::pair<double, double> way(const Doubles& place, std::size_t i, Grid grid) {
    const auto cols = static_cast<std::size_t>(grid.cols);
    return {static_cast<double>(i / cols) + 0.5 - place[0], static_cast<double>(i % cols) + 0.5 - place[1]};
  }
  bool is_near(double down, double across) const {
    return std::abs(down) <= config_.window && std::abs(across) <= config_.window;
  }

  /// The place itself, or the middle of the nearest cell that counts where the window has none.
  Doubles seen_place(const Doubles& place, Grid grid) const {
    Doubles nearest = place;
    double least = std::numeric_limits<double>::infinity();
    for (std::size_t i = 0; i < mask_.size(); ++i) {
      if (mask_[i] == 0) continue;
      const auto [down, across] = way(place, i, grid);
      if (is_near(down, across)) return place;
      if (std::hypot(down, across) >= least) continue;
      least = std::hypot(down, across);
      nearest = {place[0] + down, place[1] + across};
    }
    return nearest;
  }

  /// Hard selectors as their expectation.
  Doubles weights(const Doubles& scores, const Doubles& h, Grid grid) const {
    const bool local = config_.selector == DecoderConfig::Selector::kLocal;
    Doubles place(2, 0.0);
    if (local) {
      place = each(layer("place", each(layer("place_hidden", h), tanh_of)), sigmoid);
      place = seen_place({grid.rows * place[0], grid.cols * place[1]}, grid);
    }
    Doubles alphas;
    double total = 0;
    for (std::size_t i = 0; i < scores.size(); ++i) {
      const auto [down, across] = way(place, i, grid);
      const double sigma = config_.window / 2;
      const double gaussian = local ? std::exp(-(down * down + across * across) / (2 * sigma * sigma)) : 1;
      const double share = local && !is_near(down, across) ? 0 : mask_[i] * std::exp(scores[i]);
      alphas.push_back(gaussian * share);
      total += share;
    }
    for (double& alpha : alphas) alpha /= total;
    return alphas;
  }

  static Doubles times(Doubles a, const Doubles& b) {
    for (std::size_t i = 0; i < a.size(); ++i) a[i] *= b[i];
    return a;
  }
  static Doubles softmax(Doubles scores) {
    double total = 0;
    for (double& score : scores) total += score = std::exp(score);
    for (double& score : scores) score /= total;
    return scores;
  }

  /// The channels' weights, mean 1.
  Doubles channel_weights(const Doubles& values, const Doubles& h) const {
    const Doubles query = layer("channel.query", h);
    Doubles scores;
    for (const double value : values) {
      const Doubles b = each(sum(linear("channel.key.weight", "", {value}), query), tanh_of);
      scores.push_back(linear("channel.score.weight", "", b)[0]);
    }
    return each(softmax(scores), [&](double weight) { return weight * static_cast<double>(values.size()); });
  }

  Doubles look(const std::vector<Doubles>& whole, const Doubles& h, const Options& options, Doubles& seen) const {
    using Channels = DecoderConfig::Channels;
    std::vector<Doubles> memory = whole;
    if (config_.channels == Channels::kChannelSpatial) {
      const Doubles weights = channel_weights(mean_of(whole), h);
      for (Doubles& cell : memory) cell = times(cell, weights);
    }
    Doubles context = look_at_cells(memory, h, options, seen);
    if (config_.channels == Channels::kSpatialChannel) context = times(context, channel_weights(context, h));
    if (config_.gate == DecoderConfig::Gate::kNone) return context;
    const Doubles gate = each(layer("gate", h), sigmoid);
    for (std::size_t j = 0; j < context.size(); ++j) context[j] *= gate[gate.size() == 1 ? 0 : j];
    return context;
  }

  /// What is read of a cell: its channels as far as they are open.
  Doubles opened(const Doubles& cell, const Doubles& h) const {
    if (config_.channels != DecoderConfig::Channels::kElement) return cell;
    return times(cell, each(sum(layer("element.key", cell), linear("element.query.weight", "", h)), sigmoid));
  }

  Doubles look_at_cells(const std::vector<Doubles>& memory, const Doubles& h, const Options& options,
                        Doubles& seen) const {
    const Doubles query = linear("query.weight", tensors_.contains("query.bias") ? "query.bias" : std::string(), h);
    Doubles context(memory[0].size(), 0.0);
    const auto heads = static_cast<std::size_t>(config_.heads);
    const std::size_t share = context.size() / heads;
    for (std::size_t head = 0; head < heads; ++head) {
      Doubles scores;
      for (const Doubles& cell : memory) scores.push_back(score(head, layer("key", cell), query));
      Doubles alphas = weights(scores, h, options.grid);
      if (options.forced >= 0) {
        forced_weight_ = alphas[static_cast<std::size_t>(options.forced)];
        std::ranges::fill(alphas, 0.0);
        alphas[static_cast<std::size_t>(options.forced)] = 1;
      }
      for (std::size_t i = 0; i < memory.size(); ++i) {
        seen[head * memory.size() + i] += alphas[i];
        const Doubles cell = opened(memory[i], h);
        for (std::size_t j = head * share; j < (head + 1) * share; ++j) context[j] += alphas[i] * cell[j];
      }
    }
    return context;
  }

  /// What h sees of the states before it.
  Doubles look_back(const Doubles& h, const std::vector<Doubles>& past) const {
    Doubles seen(h.size(), 0.0);
    if (past.empty()) return seen;
    const Doubles query = linear("history.query.weight", "", h);
    Doubles scores;
    for (const Doubles& before : past) {
      const Doubles b = each(sum(layer("history.key", before), query), tanh_of);
      scores.push_back(linear("history.score.weight", "", b)[0]);
    }
    scores = softmax(scores);
    for (std::size_t i = 0; i < past.size(); ++i) {
      for (std::size_t j = 0; j < seen.size(); ++j) seen[j] += scores[i] * past[i][j];
    }
    return seen;
  }

  /// The words' scores; h and c become those of the next step, `seen` [heads, cells] grows by the alphas, `past`
  /// by h.
  Doubles step(const std::vector<Doubles>& memory, const Options& options, int fed, Doubles& h, Doubles& c,
               Doubles& seen, std::vector<Doubles>& past) const {
    const std::size_t n = h.size();
    const std::size_t input = at("lstm.weight_ih").size() / (4 * n);
    const std::size_t size = at("embedding.weight").size() / at("output.bias").size();
    const auto from = at("embedding.weight").begin() + static_cast<std::ptrdiff_t>(size) * fed;
    const Doubles word(from, from + static_cast<std::ptrdiff_t>(size));
    const Doubles context = memory.empty() ? Doubles(input - size, 0.0) : look(memory, h, options, seen);
    Doubles both = word;
    both.insert(both.end(), context.begin(), context.end());
    const Doubles gates = sum(linear("lstm.weight_ih", "lstm.bias", both), linear("lstm.weight_hh", "", h));
    for (std::size_t j = 0; j < n; ++j) {
      c[j] = sigmoid(gates[n + j]) * c[j] + sigmoid(gates[j]) * std::tanh(gates[2 * n + j]);
      h[j] = sigmoid(gates[3 * n + j]) * std::tanh(c[j]);
    }
    if (config_.output == DecoderConfig::Output::kPlain) return layer("output", h);
    Doubles deep = sum(sum(linear("deep.h.weight", "deep.bias", h), linear("deep.z.weight", "", context)),
                       linear("deep.e.weight", "", word));
    if (config_.history == DecoderConfig::History::kAdditive) {
      deep = sum(deep, linear("deep.r.weight", "", look_back(h, past)));
      past.push_back(h);
    }
    return layer("output", config_.output == DecoderConfig::Output::kDeepTanh ? each(deep, tanh_of) : deep);
  }

  static double smoothed(Doubles scores, int target, const Options& options) {
    double total = 0;
    for (double& score : scores) {
      score /= options.temperature;
      total += std::exp(score);
    }
    for (const int word : options.left_out) total -= std::exp(scores[static_cast<std::size_t>(word)]);
    double loss = 0;
    for (std::size_t k = 0; k < scores.size(); ++k) {
      const double share = options.smoothing / static_cast<double>(scores.size()) +
                           (static_cast<int>(k) == target ? 1 - options.smoothing : 0);
      loss -= share * (scores[k] - std::log(total));
    }
    return loss;
  }

  const DecoderConfig& config_;
  const std::map<std::string, Doubles> tensors_;
  mutable double forced_weight_ = 0;
  mutable Doubles mask_;  ///< of the picture that is looked at
};

}  // namespace glimpse::train
