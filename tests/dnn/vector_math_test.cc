// The vectorised loops against the standard library in double.

#include "dnn/math/vector_math.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <functional>
#include <limits>
#include <vector>

#include "core/random.h"

namespace glimpse::dnn {
namespace {

/// −100 to 100, dense around 0, and tiny ones.
std::vector<float> sweep() {
  std::vector<float> values;
  for (int i = -40000; i <= 40000; ++i) values.push_back(static_cast<float>(i) * 2.5e-3F);
  for (float x = 1e-30F; x < 1; x *= 1.01F) {
    values.push_back(x);
    values.push_back(-x);
  }
  values.push_back(0);
  return values;
}

std::vector<float> random_values(std::size_t count, std::uint64_t seed, double scale = 1) {
  std::vector<float> values(count);
  Random random(seed);
  for (float& value : values) value = static_cast<float>(random.normal() * scale);
  return values;
}

/// The greatest relative error over the sweep; results below `ignored` are compared absolutely.
double greatest_error(void (*fast)(std::span<float>), double (*exact)(double), double ignored) {
  const std::vector<float> x = sweep();
  std::vector<float> y = x;
  fast(y);
  double greatest = 0;
  for (std::size_t i = 0; i < x.size(); ++i) {
    const double expected = exact(static_cast<double>(x[i]));
    const double error = std::abs(static_cast<double>(y[i]) - expected) / std::max(std::abs(expected), ignored);
    greatest = std::max(greatest, error);
  }
  return greatest;
}

TEST(VectorMath, ElementaryFunctionsAreAccurate) {
  const auto exact_tanh = [](double x) { return std::tanh(x); };
  const auto exact_sigmoid = [](double x) { return 1 / (1 + std::exp(-x)); };
  EXPECT_LT(greatest_error(tanh_in_place, exact_tanh, 1e-37), 3e-7);
  EXPECT_LT(greatest_error(sigmoid_in_place, exact_sigmoid, 1e-31), 5e-7);  // it ends at 6e-39, not at 0
  std::vector<float> x;
  for (int i = -8700; i <= 8800; ++i) x.push_back(static_cast<float>(i) * 0.01F);
  std::vector<float> y = x;
  exp_in_place(y);
  for (std::size_t i = 0; i < x.size(); ++i) {
    const double expected = std::exp(static_cast<double>(x[i]));
    EXPECT_NEAR(y[i] / expected, 1, 3e-7) << x[i];
  }
}

TEST(VectorMath, ExpAtItsEnds) {
  const float inf = std::numeric_limits<float>::infinity();
  std::vector<float> values = {-inf, -1000, -87.5F, 1000, inf};
  exp_in_place(values);
  EXPECT_EQ(values[0], 0);
  EXPECT_EQ(values[1], 0);
  EXPECT_EQ(values[2], 0);
  EXPECT_TRUE(std::isfinite(values[3]) && values[3] > 1e38F);
  EXPECT_TRUE(values[4] > 1e38F);
}

/// Every length up to a few vectors, so that each loop's rest is taken.
TEST(VectorMath, SoftmaxesSumToOne) {
  for (std::size_t count = 1; count <= 130; ++count) {
    const std::vector<float> x = random_values(count, count, 5);
    double total = 0;
    for (const float value : x) total += std::exp(static_cast<double>(value));
    std::vector<float> soft = x;
    std::vector<float> logs = x;
    softmax_in_place(soft);
    log_softmax_in_place(logs);
    double sum = 0;
    for (std::size_t i = 0; i < count; ++i) {
      const double expected = std::exp(static_cast<double>(x[i])) / total;
      EXPECT_NEAR(soft[i] / expected, 1, 2e-6) << count << " values";
      EXPECT_NEAR(logs[i], std::log(expected), 1e-5) << count << " values";
      sum += static_cast<double>(soft[i]);
    }
    EXPECT_NEAR(sum, 1, 1e-6) << count << " values";
  }
}

TEST(VectorMath, SoftmaxesStandLargeAndMaskedScores) {
  const float inf = std::numeric_limits<float>::infinity();
  std::vector<float> values = {1e30F, -inf, 1e30F, -1e30F};
  std::vector<float> logs = {1000, 1001, -inf, 900};
  softmax_in_place(values);
  EXPECT_EQ(values, (std::vector<float>{0.5F, 0, 0.5F, 0}));
  log_softmax_in_place(logs);
  EXPECT_NEAR(logs[1], -0.3132617, 1e-6);
  EXPECT_EQ(logs[2], -inf);
  EXPECT_NEAR(logs[3], -101.3132617, 1e-4);
}

TEST(VectorMath, ElementwiseLoopsOfEveryLength) {
  for (std::size_t count = 1; count <= 70; ++count) {
    const std::vector<float> a = random_values(count, count);
    const std::vector<float> b = random_values(count, count + 1000, 3);
    std::vector<float> sum(count);
    std::vector<float> squashed(count);
    std::vector<float> gated(count);
    std::vector<float> scaled(count);
    add(a, b.data(), sum.data());
    add_tanh(a, b.data(), squashed.data());
    const float mean = scale_by_sigmoid(a, b.data(), gated.data());
    scale(a, 0.25F, scaled.data());
    double expected_mean = 0;
    for (std::size_t i = 0; i < count; ++i) {
      const double open = 1 / (1 + std::exp(-static_cast<double>(b[i])));
      expected_mean += open / static_cast<double>(count);
      EXPECT_EQ(sum[i], a[i] + b[i]);
      EXPECT_NEAR(squashed[i], std::tanh(static_cast<double>(a[i]) + b[i]), 1e-6);
      EXPECT_NEAR(gated[i], a[i] * open, 1e-6);
      EXPECT_EQ(scaled[i], a[i] * 0.25F);
    }
    EXPECT_NEAR(mean, expected_mean, 1e-6) << count << " values";
  }
}

TEST(VectorMath, MeanOfRows) {
  constexpr std::size_t kRows = 7;
  constexpr std::size_t kCols = 37;
  const std::vector<float> src = random_values(kRows * kCols, 1);
  std::vector<float> mean(kCols, 99);
  mean_of_rows(src.data(), kRows, mean);
  for (std::size_t c = 0; c < kCols; ++c) {
    double expected = 0;
    for (std::size_t r = 0; r < kRows; ++r) expected += static_cast<double>(src[r * kCols + c]) / kRows;
    EXPECT_NEAR(mean[c], expected, 1e-6);
  }
}

TEST(VectorMath, LstmRow) {
  for (const std::size_t n : {1U, 7U, 16U, 45U}) {
    const std::vector<float> a = random_values(4 * n, n, 2);
    const std::vector<float> b = random_values(4 * n, n + 100, 2);
    const std::vector<float> before = random_values(n, n + 200);
    std::vector<float> c(n);
    std::vector<float> h(n);
    lstm_row({a.data(), b.data(), before.data(), c.data(), h.data()}, static_cast<std::int64_t>(n));
    const auto sigmoid = [](double x) { return 1 / (1 + std::exp(-x)); };
    for (std::size_t j = 0; j < n; ++j) {
      const auto gate = [&](std::size_t g) { return static_cast<double>(a[g * n + j]) + b[g * n + j]; };
      const double cell = sigmoid(gate(1)) * before[j] + sigmoid(gate(0)) * std::tanh(gate(2));
      EXPECT_NEAR(c[j], cell, 2e-6) << "n = " << n;
      EXPECT_NEAR(h[j], sigmoid(gate(3)) * std::tanh(cell), 2e-6) << "n = " << n;
    }
  }
}

TEST(VectorMath, ChannelScoresAndOpenedCellsOfEveryLength) {
  const auto sigmoid = [](double x) { return 1 / (1 + std::exp(-x)); };
  constexpr std::size_t kKeys = 5;
  const std::vector<float> slope = random_values(kKeys, 1, 2);
  const std::vector<float> shift = random_values(kKeys, 2, 2);
  const std::vector<float> weight = random_values(kKeys, 3);
  for (std::size_t count = 1; count <= 70; ++count) {
    const std::vector<float> values = random_values(count, count, 2);
    const std::vector<float> key = random_values(count, count + 1000, 3);
    const std::vector<float> query = random_values(count, count + 2000, 3);
    const std::vector<float> before = random_values(count, count + 3000);
    std::vector<float> scores(count, 99);
    channel_scores({values.data(), slope.data(), shift.data(), weight.data(), scores.data(),
                    static_cast<std::int64_t>(count), kKeys});
    std::vector<float> sum = before;
    add_opened({values.data(), key.data(), query.data(), 0.3F}, sum);
    std::vector<float> product(count);
    scale_each(values, key.data(), product.data());
    for (std::size_t i = 0; i < count; ++i) {
      double expected = 0;
      for (std::size_t a = 0; a < kKeys; ++a) {
        expected += weight[a] * std::tanh(static_cast<double>(slope[a]) * values[i] + shift[a]);
      }
      EXPECT_NEAR(scores[i], expected, 1e-5) << count << " channels";
      const double open = sigmoid(static_cast<double>(key[i]) + query[i]);
      EXPECT_NEAR(sum[i], before[i] + 0.3 * values[i] * open, 1e-5) << count << " channels";
      EXPECT_EQ(product[i], values[i] * key[i]);
    }
  }
}

TEST(VectorMath, HeadsAreSplitAndMerged) {
  const HeadShape shape = {3, 2, 2};
  const std::vector<float> joint = {0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11};
  std::vector<float> apart(12);
  std::vector<float> back(12);
  split_heads(joint.data(), shape, apart.data());
  EXPECT_EQ(apart, (std::vector<float>{0, 1, 4, 5, 8, 9, 2, 3, 6, 7, 10, 11}));
  merge_heads(apart.data(), shape, back.data());
  EXPECT_EQ(back, joint);
}

TEST(VectorMath, AdditiveScoresOfEveryCellCount) {
  for (std::int64_t cells = 1; cells <= 20; ++cells) {
    for (const std::int64_t size : {1, 15, 16, 67}) {
      const auto seed = static_cast<std::uint64_t>(cells * 100 + size);
      const std::vector<float> keys = random_values(static_cast<std::size_t>(cells * size), seed);
      const std::vector<float> query = random_values(static_cast<std::size_t>(size), seed + 1);
      const std::vector<float> weight = random_values(static_cast<std::size_t>(size), seed + 2);
      for (const bool squash : {true, false}) {
        std::vector<float> scores(static_cast<std::size_t>(cells), 99);
        const AdditiveScores args = {keys.data(), query.data(), weight.data(), scores.data(), cells, size};
        (squash ? additive_scores_tanh : additive_scores_relu)(args);
        for (std::int64_t i = 0; i < cells; ++i) {
          double expected = 0;
          for (std::int64_t k = 0; k < size; ++k) {
            const double sum =
                static_cast<double>(keys[static_cast<std::size_t>(i * size + k)]) + query[static_cast<std::size_t>(k)];
            expected += weight[static_cast<std::size_t>(k)] * (squash ? std::tanh(sum) : std::max(0.0, sum));
          }
          EXPECT_NEAR(scores[static_cast<std::size_t>(i)], expected, 2e-5) << cells << " cells of " << size;
        }
      }
    }
  }
}

}  // namespace
}  // namespace glimpse::dnn
