#include "reference_decoder.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <utility>

namespace glimpse::testing {
namespace {

using Variant = DecoderConfig;

double sigmoid(double x) { return 1 / (1 + std::exp(-x)); }

Vector map(Vector x, double (*f)(double)) {
  for (double& value : x) value = f(value);
  return x;
}

double relu(double x) { return std::max(0.0, x); }
double tanh_of(double x) { return std::tanh(x); }

Vector operator+(Vector a, const Vector& b) {
  for (std::size_t i = 0; i < a.size(); ++i) a[i] += b[i];
  return a;
}

Vector join(Vector a, const Vector& b) {
  a.insert(a.end(), b.begin(), b.end());
  return a;
}

double log_sum_exp(const Vector& x) {
  const double top = *std::max_element(x.begin(), x.end());
  double sum = 0;
  for (const double value : x) sum += std::exp(value - top);
  return top + std::log(sum);
}

}  // namespace

Vector ReferenceDecoder::product(const std::string& tensor, const Vector& x) const {
  const Tensor weight = to_float(weights_.at(tensor));
  const auto cols = static_cast<std::size_t>(weight.dim(1));
  Vector y(static_cast<std::size_t>(weight.dim(0)), 0.0);
  for (std::size_t i = 0; i < y.size(); ++i) {
    for (std::size_t j = 0; j < cols; ++j) y[i] += static_cast<double>(weight.data()[i * cols + j]) * x[j];
  }
  return y;
}

Vector ReferenceDecoder::bias(const std::string& tensor, std::size_t size) const {
  if (!weights_.contains(tensor)) return Vector(size, 0.0);
  const Tensor values = to_float(weights_.at(tensor));
  return {values.values().begin(), values.values().end()};
}

Vector ReferenceDecoder::linear(const std::string& name, const Vector& x) const {
  const Vector y = product(name + ".weight", x);
  return y + bias(name + ".bias", y.size());
}

void ReferenceDecoder::prepare(std::span<const float> features, Grid grid, std::span<const float> mask) {
  grid_ = grid;
  mask_.assign(mask.begin(), mask.end());
  if (mask.empty()) mask_.assign(static_cast<std::size_t>(grid.cells()), 1.0);
  const int cells = grid.cells();
  const std::size_t size = features.size() / static_cast<std::size_t>(cells);
  memory_.clear();
  for (std::size_t i = 0; i < static_cast<std::size_t>(cells); ++i) {
    const std::span<const float> cell = features.subspan(i * size, size);
    Vector v(cell.begin(), cell.end());
    if (config_.feature_projection == Variant::FeatureProjection::kRelu) v = map(linear("feature", v), relu);
    memory_.push_back(v);
  }
}

ReferenceDecoder::State ReferenceDecoder::start() const {
  Vector mean = mean_cell();
  if (config_.init == Variant::Init::kTwoLayer) mean = map(linear("init", mean), relu);
  State state = {linear("init_h", mean), linear("init_c", mean), {}};
  if (config_.init == Variant::Init::kLinear) return state;
  return {map(state.h, tanh_of), map(state.c, tanh_of), {}};
}

/// Of the cells that count, as much as they do.
Vector ReferenceDecoder::mean_cell() const {
  Vector mean(memory_.front().size(), 0.0);
  double total = 0;
  for (std::size_t i = 0; i < memory_.size(); ++i) {
    total += mask_[i];
    for (std::size_t j = 0; j < mean.size(); ++j) mean[j] += mask_[i] * memory_[i][j];
  }
  for (double& value : mean) value /= total;
  return mean;
}

/// Of one head's share of key and query.
double ReferenceDecoder::score(std::size_t head, const Vector& key, const Vector& query) const {
  const std::size_t size = key.size() / static_cast<std::size_t>(config_.heads);
  const std::size_t first = head * size;
  const auto sum = [&](const auto& term) {
    double total = 0;
    for (std::size_t a = first; a < first + size; ++a) total += term(a);
    return total;
  };
  const double dot = sum([&](std::size_t a) { return key[a] * query[a]; });
  switch (config_.score) {
    case Variant::Score::kDot:
      return dot;
    case Variant::Score::kScaledDot:
      return dot / std::sqrt(static_cast<double>(size));
    case Variant::Score::kCosine: {
      const double keys = sum([&](std::size_t a) { return key[a] * key[a]; });
      const double queries = sum([&](std::size_t a) { return query[a] * query[a]; });
      return product("score.weight", {1})[0] * dot / std::sqrt(keys * queries);
    }
    default:
      break;
  }
  const Tensor weight = to_float(weights_.at("score.weight"));
  const auto f = config_.score == Variant::Score::kAdditiveTanh ? tanh_of : relu;
  return sum([&](std::size_t a) { return static_cast<double>(weight.data()[a]) * f(key[a] + query[a]); });
}

/// Scores of cells that do not count are −infinity.
Vector ReferenceDecoder::select(const Vector& scores, const Vector& h) const {
  if (config_.selector == Variant::Selector::kLocal) {
    const Vector place = map(linear("place", map(linear("place_hidden", h), tanh_of)), sigmoid);
    return windowed(scores, grid_.rows * place[0], grid_.cols * place[1]);
  }
  const auto best = std::max_element(scores.begin(), scores.end()) - scores.begin();
  if (config_.selector == Variant::Selector::kHardLocal) {
    return windowed(scores, static_cast<double>(best / grid_.cols) + 0.5, static_cast<double>(best % grid_.cols) + 0.5);
  }
  Vector alphas(scores.size(), 0.0);
  if (config_.selector == Variant::Selector::kHard) {
    alphas[static_cast<std::size_t>(best)] = 1;
    return alphas;
  }
  const double normaliser = log_sum_exp(scores);
  for (std::size_t i = 0; i < scores.size(); ++i) alphas[i] = std::exp(scores[i] - normaliser);
  return alphas;
}

Vector ReferenceDecoder::windowed(const Vector& scores, double row, double col) const {
  const double sigma = config_.window / 2;
  Vector alphas(scores.size(), 0.0);
  double total = 0;
  double least = std::numeric_limits<double>::infinity();
  std::pair<double, double> nearest;
  for (std::size_t i = 0; i < scores.size(); ++i) {
    if (mask_[i] == 0) continue;
    const double middle_row = static_cast<double>(i / static_cast<std::size_t>(grid_.cols)) + 0.5;
    const double middle_col = static_cast<double>(i % static_cast<std::size_t>(grid_.cols)) + 0.5;
    const double down = middle_row - row;
    const double across = middle_col - col;
    const double square = down * down + across * across;
    if (square < least) {
      least = square;
      nearest = {middle_row, middle_col};
    }
    if (std::abs(down) > config_.window || std::abs(across) > config_.window) continue;
    total += std::exp(scores[i]);
    alphas[i] = std::exp(scores[i] - square / (2 * sigma * sigma));
  }
  if (total == 0) return windowed(scores, nearest.first, nearest.second);
  for (double& alpha : alphas) alpha /= total;
  return alphas;
}

/// Their mean is 1.
Vector ReferenceDecoder::channel_weights(const Vector& values, const Vector& h) const {
  const Vector query = linear("channel.query", h);
  Vector scores;
  for (const double value : values) {
    Vector b = product("channel.key.weight", {value});
    for (std::size_t a = 0; a < b.size(); ++a) b[a] = std::tanh(b[a] + query[a]);
    scores.push_back(product("channel.score.weight", b)[0]);
  }
  const double normaliser = log_sum_exp(scores);
  for (double& score : scores) score = static_cast<double>(values.size()) * std::exp(score - normaliser);
  return scores;
}

/// The context before its gate.
Vector ReferenceDecoder::look(const Vector& h, Output& output) const {
  std::vector<Vector> memory = memory_;
  const std::size_t size = memory.front().size();
  if (config_.channels == Variant::Channels::kChannelSpatial) {
    output.channels = channel_weights(mean_cell(), h);
    for (Vector& v : memory) {
      for (std::size_t j = 0; j < size; ++j) v[j] *= output.channels[j];
    }
  }
  const std::vector<Vector> keyed = memory;
  if (config_.channels == Variant::Channels::kElement) {
    for (Vector& v : memory) {
      const Vector open = map(linear("element.key", v) + product("element.query.weight", h), sigmoid);
      for (std::size_t j = 0; j < size; ++j) v[j] *= open[j];
    }
  }
  const Vector query = linear("query", h);
  const auto heads = static_cast<std::size_t>(config_.heads);
  const std::size_t share = size / heads;
  Vector context(size, 0.0);
  output.alphas.assign(memory.size(), 0.0);
  for (std::size_t head = 0; head < heads; ++head) {
    Vector scores;
    for (std::size_t i = 0; i < memory.size(); ++i) {
      scores.push_back(score(head, linear("key", keyed[i]), query) + std::log(mask_[i]));
    }
    const Vector alphas = select(scores, h);
    for (std::size_t i = 0; i < memory.size(); ++i) {
      output.alphas[i] += alphas[i] / static_cast<double>(heads);
      for (std::size_t j = head * share; j < (head + 1) * share; ++j) context[j] += alphas[i] * memory[i][j];
    }
  }
  if (config_.channels != Variant::Channels::kSpatialChannel) return context;
  output.channels = channel_weights(context, h);
  for (std::size_t j = 0; j < size; ++j) context[j] *= output.channels[j];
  return context;
}

/// What the state sees of those before it.
Vector ReferenceDecoder::look_back(const State& state) const {
  Vector seen(state.h.size(), 0.0);
  if (state.past.empty()) return seen;
  const Vector query = product("history.query.weight", state.h);
  Vector scores;
  for (const Vector& before : state.past) {
    scores.push_back(product("history.score.weight", map(linear("history.key", before) + query, tanh_of))[0]);
  }
  const double normaliser = log_sum_exp(scores);
  for (std::size_t i = 0; i < scores.size(); ++i) {
    for (std::size_t j = 0; j < seen.size(); ++j) seen[j] += std::exp(scores[i] - normaliser) * state.past[i][j];
  }
  return seen;
}

ReferenceDecoder::Output ReferenceDecoder::step(const State& state, int token) const {
  Output output;
  Vector context = look(state.h, output);
  if (config_.gate != Variant::Gate::kNone) {
    const Vector gate = map(linear("gate", state.h), sigmoid);
    output.gate = 0;
    for (const double value : gate) output.gate += value / static_cast<double>(gate.size());
    for (std::size_t j = 0; j < context.size(); ++j) context[j] *= gate[gate.size() == 1 ? 0 : j];
  }

  const Tensor table = to_float(weights_.at("embedding.weight"));
  const float* row = table.data() + token * table.dim(1);
  const Vector word(row, row + table.dim(1));
  const std::size_t n = state.h.size();
  const Vector gates =
      product("lstm.weight_ih", join(word, context)) + product("lstm.weight_hh", state.h) + bias("lstm.bias", 4 * n);
  output.state = state;
  for (std::size_t j = 0; j < n; ++j) {
    output.state.c[j] = sigmoid(gates[n + j]) * state.c[j] + sigmoid(gates[j]) * std::tanh(gates[2 * n + j]);
    output.state.h[j] = sigmoid(gates[3 * n + j]) * std::tanh(output.state.c[j]);
  }

  Vector last = output.state.h;
  if (config_.output != Variant::Output::kPlain) {
    const Vector from_h = product("deep.h.weight", last);
    last =
        from_h + product("deep.z.weight", context) + product("deep.e.weight", word) + bias("deep.bias", from_h.size());
    if (config_.history != Variant::History::kNone) last = last + product("deep.r.weight", look_back(output.state));
    if (config_.output == Variant::Output::kDeepTanh) last = map(last, tanh_of);
  }
  output.log_probs = linear("output", last);
  const double all = log_sum_exp(output.log_probs);
  for (double& value : output.log_probs) value -= all;
  output.state.past.push_back(output.state.h);
  return output;
}

}  // namespace glimpse::testing
