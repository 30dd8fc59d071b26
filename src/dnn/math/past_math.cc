#include "dnn/math/past_math.h"

#include <algorithm>

#include "dnn/math/lane_loops.h"
#include "dnn/math/row_loops.h"
#include "dnn/math/step_rows.h"
#include "dnn/math/vector_math.h"
#include "dnn/runtime/over_rows.h"

namespace glimpse::dnn {
namespace {

/// Where the steps of one sequence stand.
std::vector<std::int64_t> places_of(const std::vector<std::int64_t>& alive, std::int64_t sequence) {
  std::vector<std::int64_t> places;
  std::int64_t first = 0;
  for (const std::int64_t rows : alive) {
    if (rows <= sequence) break;
    places.push_back(first + sequence);
    first += rows;
  }
  return places;
}

/// The rows of `src` at those places, one after the other.
std::vector<float> gathered(const Array& src, const std::vector<std::int64_t>& places) {
  std::vector<float> rows;
  for (const std::int64_t place : places) rows.insert(rows.end(), row_of(src, place), row_of(src, place) + src.dim(1));
  return rows;
}

void add_back(const std::vector<float>& rows, const std::vector<std::int64_t>& places, const Array& dst) {
  const std::int64_t size = dst.dim(1);
  for (std::size_t t = 0; t < places.size(); ++t) {
    add_to(row_of(dst, places[t]), rows.data() + static_cast<std::int64_t>(t) * size, size);
  }
}

/// The weights of the first `past` steps for the query at `place`.
void weigh(const PastInputs& in, const std::vector<float>& keys, std::int64_t place, std::int64_t past, float* alphas) {
  const std::int64_t size = in.keys.dim(1);
  additive_scores_tanh({keys.data(), row_of(in.queries, place), in.weight.data(), alphas, past, size});
  softmax_in_place({alphas, static_cast<std::size_t>(past)});
}

}  // namespace

void past_attention(const PastInputs& in, const Array& dst, int threads) {
  const std::int64_t width = in.states.dim(1);
  over_rows(in.alive.front(), kGrain, threads, [&](std::int64_t sequence) {
    const std::vector<std::int64_t> places = places_of(in.alive, sequence);
    const std::vector<float> keys = gathered(in.keys, places);
    const std::vector<float> states = gathered(in.states, places);
    std::vector<float> alphas(places.size());
    std::fill_n(row_of(dst, places.front()), width, 0.0F);
    for (std::size_t t = 1; t < places.size(); ++t) {
      const auto past = static_cast<std::int64_t>(t);
      weigh(in, keys, places[t], past, alphas.data());
      weighted_rows(alphas.data(), states.data(), past, row_of(dst, places[t]), width);
    }
  });
}

void past_attention_backward(const PastInputs& in, const Array& d_dst, const PastGradients& gradients, int threads) {
  const std::int64_t width = in.states.dim(1);
  const std::int64_t size = in.keys.dim(1);
  over_rows(in.alive.front(), kGrain, threads, [&](std::int64_t sequence) {
    const std::vector<std::int64_t> places = places_of(in.alive, sequence);
    const std::vector<float> keys = gathered(in.keys, places);
    const std::vector<float> states = gathered(in.states, places);
    std::vector<float> d_keys(keys.size());
    std::vector<float> d_states(states.size());
    std::vector<float> alphas(places.size());
    std::vector<float> d_scores(places.size());
    for (std::size_t t = 1; t < places.size(); ++t) {
      const auto past = static_cast<std::int64_t>(t);
      const float* d = row_of(d_dst, places[t]);
      weigh(in, keys, places[t], past, alphas.data());
      add_outer(alphas.data(), d, 1, d_states.data(), past, width);
      dots_with_rows(d, states.data(), past, d_scores.data(), width);
      softmax_d_src(alphas.data(), d_scores.data(), d_scores.data(), past);
      AdditiveScoresBackward scores;
      scores.keys = keys.data();
      scores.query = row_of(in.queries, places[t]);
      scores.weight = in.weight.data();
      scores.d_scores = d_scores.data();
      scores.d_keys = d_keys.data();
      scores.d_query = row_of(gradients.queries, places[t]);
      scores.d_weight = row_of(gradients.weights, sequence);
      scores.cells = past;
      scores.size = size;
      additive_scores_tanh_backward(scores);
    }
    add_back(d_keys, places, gradients.keys);
    add_back(d_states, places, gradients.states);
  });
}

}  // namespace glimpse::dnn
