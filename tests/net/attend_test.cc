// Attention against plain loops, and what must hold of it.

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <numeric>
#include <string>
#include <vector>

#include "net/step_plan.h"

#include "dnn/runtime/threads.h"
#include "support/random_tensor.h"

namespace glimpse::net {
namespace {

using glimpse::testing::normal_tensor;

enum class Score { kAdditiveTanh, kAdditiveRelu, kDot, kScaledDot, kCosine };

struct Case {
  std::int64_t images, rows_per_image, cells, memory, size;
  Score function;
  std::int64_t heads = 1;
};

const std::vector<Case> kCases = {
    {1, 1, 1, 1, 1, Score::kAdditiveTanh},
    {1, 5, 196, 24, 40, Score::kAdditiveRelu},
    {3, 2, 49, 16, 33, Score::kAdditiveTanh},
    {2, 3, 17, 65, 16, Score::kAdditiveRelu},
    {16, 5, 49, 32, 128, Score::kAdditiveTanh},
    {1, 4, 33, 8, 700, Score::kAdditiveTanh},
    {2, 3, 17, 15, 16, Score::kDot},
    {1, 5, 196, 24, 40, Score::kScaledDot},
    {3, 2, 49, 16, 33, Score::kCosine},
    {2, 3, 17, 15, 12, Score::kAdditiveTanh, 3},
    {1, 1, 33, 8, 44, Score::kAdditiveRelu, 4},
    {3, 5, 20, 32, 16, Score::kDot, 8},
    {2, 2, 49, 20, 30, Score::kScaledDot, 5},
    {1, 3, 18, 14, 28, Score::kCosine, 7},
};

bool is_additive(Score function) { return function == Score::kAdditiveTanh || function == Score::kAdditiveRelu; }

struct AttentionWeights {
  Tensor key;       // [A, D]
  Tensor key_bias;  // [A]
  Tensor score;     // [1, A], cosine [1, 1]
  Score function = Score::kAdditiveTanh;
  std::int64_t heads = 1;
};

std::string name_of(Score score) {
  if (score == Score::kAdditiveTanh) return "additive-tanh";
  if (score == Score::kAdditiveRelu) return "additive-relu";
  return score == Score::kScaledDot ? "scaled-dot" : "dot";
}

/// A step of nothing but attention. Row r's query is row tokens[r] of a table; `words` are the contexts.
StepPlan plan_of(const AttentionWeights& weights, const Tensor& queries, std::int64_t cells) {
  const std::string heads = " heads=" + std::to_string(weights.heads);
  const std::string size = std::to_string(weights.key.dim(0));
  std::string text = "linear key < features out=" + size + "\n";
  text += "embed query < token out=" + size + " words=" + std::to_string(queries.dim(0)) + "\n";
  const bool cosine = weights.function == Score::kCosine;
  if (cosine) {
    text += "unit key1 < key" + heads + "\nunit query1 < query" + heads + "\nscale query2 < query1 weights=score\n";
  }
  text += std::string("attend alpha < ") + (cosine ? "key1 query2" : "key query") +
          " score=" + name_of(weights.function) + heads + " weights=score\n";
  text += "read context < alpha features" + heads + "\noutput words < context\noutput glimpse < alpha\n";
  std::map<std::string, Tensor, std::less<>> tensors;
  tensors.emplace("key.weight", weights.key.clone());
  tensors.emplace("key.bias", weights.key_bias.clone());
  tensors.emplace("query.weight", queries.clone());
  if (weights.score.count() > 0) tensors.emplace("score.weight", weights.score.clone());
  return {parse_step(text, "attention"), Weights("random", std::move(tensors)), 1, cells, weights.key.dim(1)};
}

AttentionWeights random_weights(const Case& test) {
  AttentionWeights weights;
  weights.key = normal_tensor({test.size, test.memory}, 1);
  weights.key_bias = normal_tensor({test.size}, 2);
  for (float& value : weights.key.values()) value /= std::sqrt(static_cast<float>(test.memory));
  weights.function = test.function;
  weights.heads = test.heads;
  if (is_additive(test.function)) {
    weights.score = normal_tensor({1, test.size}, 3);
    for (float& value : weights.score.values()) value /= std::sqrt(static_cast<float>(test.size));
  } else if (test.function == Score::kCosine) {
    weights.score = normal_tensor({1, 1}, 3);
  }
  return weights;
}

/// Key and query of one head, element by element: what they are summed up to.
double expected_score(const AttentionWeights& weights, std::int64_t head, const std::vector<double>& key,
                      const float* query) {
  const std::int64_t size = std::ssize(key) / weights.heads;
  double additive = 0, dot = 0, keys = 0, queries = 0;
  for (std::int64_t a = head * size; a < (head + 1) * size; ++a) {
    const double k = key[static_cast<std::size_t>(a)];
    const auto q = static_cast<double>(query[a]);
    dot += k * q;
    keys += k * k;
    queries += q * q;
    if (!is_additive(weights.function)) continue;
    additive +=
        weights.score.data()[a] * (weights.function == Score::kAdditiveTanh ? std::tanh(k + q) : std::max(0.0, k + q));
  }
  if (weights.function == Score::kDot) return dot;
  if (weights.function == Score::kScaledDot) return dot / std::sqrt(static_cast<double>(size));
  return is_additive(weights.function) ? additive : weights.score.data()[0] * dot / std::sqrt(keys * queries);
}

/// The weights of one query and head over the cells [cells, memory].
std::vector<double> expected_alphas(const AttentionWeights& weights, std::int64_t head, const float* memory,
                                    std::int64_t cells, const float* query) {
  const std::int64_t size = weights.key.dim(0);
  const std::int64_t width = weights.key.dim(1);
  std::vector<double> alphas;
  double total = 0;
  for (std::int64_t i = 0; i < cells; ++i) {
    std::vector<double> key;
    for (std::int64_t a = 0; a < size; ++a) {
      key.push_back(static_cast<double>(weights.key_bias.data()[a]));
      for (std::int64_t d = 0; d < width; ++d) {
        key.back() += static_cast<double>(weights.key.data()[a * width + d]) * memory[i * width + d];
      }
    }
    alphas.push_back(std::exp(expected_score(weights, head, key, query)));
    total += alphas.back();
  }
  for (double& alpha : alphas) alpha /= total;
  return alphas;
}

void compare(const Case& test, const std::string& repeat) {
  const AttentionWeights weights = random_weights(test);
  const std::int64_t rows = test.images * test.rows_per_image;
  const std::int64_t stride = test.size;
  const Tensor queries = normal_tensor({rows, stride}, 5);
  const StepPlan plan = plan_of(weights, queries, test.cells);
  EXPECT_EQ(plan.channels(), test.memory);
  EXPECT_EQ(plan.width("words"), test.memory);
  StepSession session(plan, test.images, test.rows_per_image);
  const Tensor memory = normal_tensor({test.images, test.cells, test.memory}, 4);
  const std::int64_t image_size = test.cells * test.memory;
  session.prepare(memory.values(), test.images, {});
  std::vector<int> tokens(static_cast<std::size_t>(rows));
  std::iota(tokens.begin(), tokens.end(), 0);
  session.step(tokens, tokens);
  const std::span<const float> alphas(session.output("glimpse").data, static_cast<std::size_t>(rows * test.cells));
  const std::span<const float> contexts(session.output("words").data, static_cast<std::size_t>(rows * test.memory));
  for (std::int64_t row = 0; row < test.images * test.rows_per_image; ++row) {
    const float* cells = memory.data() + row / test.rows_per_image * image_size;
    const std::int64_t share = test.memory / test.heads;
    std::vector<double> mean(static_cast<std::size_t>(test.cells), 0.0);
    std::vector<double> context(static_cast<std::size_t>(test.memory), 0.0);
    for (std::int64_t head = 0; head < test.heads; ++head) {
      const auto expected = expected_alphas(weights, head, cells, test.cells, queries.data() + row * stride);
      for (std::int64_t i = 0; i < test.cells; ++i) {
        const double alpha = expected[static_cast<std::size_t>(i)];
        mean[static_cast<std::size_t>(i)] += alpha / static_cast<double>(test.heads);
        for (std::int64_t d = head * share; d < (head + 1) * share; ++d) {
          context[static_cast<std::size_t>(d)] += alpha * cells[i * test.memory + d];
        }
      }
    }
    double sum = 0;
    for (std::int64_t i = 0; i < test.cells; ++i) {
      const float alpha = alphas[static_cast<std::size_t>(row * test.cells + i)];
      ASSERT_NEAR(alpha, mean[static_cast<std::size_t>(i)], 1e-5) << repeat << ", row " << row << ", cell " << i;
      sum += static_cast<double>(alpha);
    }
    EXPECT_NEAR(sum, 1, 1e-6) << repeat;
    for (std::int64_t d = 0; d < test.memory; ++d) {
      ASSERT_NEAR(contexts[static_cast<std::size_t>(row * test.memory + d)], context[static_cast<std::size_t>(d)], 1e-4)
          << repeat << ", row " << row << ", feature " << d;
    }
  }
}

TEST(Attention, EqualsPlainLoops) {
  const int before = dnn::thread_count();
  for (const int threads : {1, 2}) {
    dnn::set_thread_count(threads);
    for (std::size_t i = 0; i < kCases.size(); ++i) {
      compare(kCases[i], "case " + std::to_string(i) + ", " + std::to_string(threads) + " threads");
    }
  }
  dnn::set_thread_count(before);
}

/// However sharp the scores, alphas stay a distribution; equal cells share the weight.
TEST(Attention, ExtremesStayADistribution) {
  AttentionWeights weights;
  weights.key = normal_tensor({4, 2}, 1);
  weights.key_bias = normal_tensor({4}, 2);
  weights.score = normal_tensor({1, 4}, 3);
  for (float& value : weights.score.values()) value *= 1e6F;
  weights.function = Score::kAdditiveRelu;
  Tensor query({1, 4});
  std::ranges::fill(query.values(), 0.5F);
  StepSession session(plan_of(weights, query, 6), 1, 1);
  std::vector<float> cells(12);
  for (std::size_t i = 0; i < 6; ++i) {
    cells[2 * i] = static_cast<float>(i / 2);  // in pairs
    cells[2 * i + 1] = -static_cast<float>(i / 2);
  }
  session.prepare(cells, 1, {});
  const std::vector<int> first = {0};
  session.step(first, first);
  const std::span<const float> alphas(session.output("glimpse").data, 6);
  double sum = 0;
  for (const float alpha : alphas) {
    EXPECT_TRUE(alpha >= 0 && alpha <= 1);
    sum += static_cast<double>(alpha);
  }
  EXPECT_NEAR(sum, 1, 1e-6);
  for (std::size_t i = 0; i < 6; i += 2) EXPECT_EQ(alphas[i], alphas[i + 1]);
}

}  // namespace
}  // namespace glimpse::net
