// Every operation on matrices through the gradient check.

#include "autograd/row_ops.h"

#include <map>

#include "gradient_check.h"

namespace glimpse::train {
namespace {

using In = std::vector<Variable>;
using Given = std::vector<Numbers>;

/// A matrix of doubles as a reference sees it.
struct Rows {
  const Numbers& numbers;
  std::size_t cols;
  double at(std::size_t row, std::size_t col) const { return numbers[row * cols + col]; }
  std::size_t rows() const { return numbers.size() / cols; }
};

Numbers product(const Numbers& src, std::size_t in, const Numbers& weight, const Numbers& bias) {
  const Rows x{src, in};
  const Rows w{weight, in};
  Numbers result;
  for (std::size_t i = 0; i < x.rows(); ++i) {
    for (std::size_t j = 0; j < w.rows(); ++j) {
      double sum = bias.empty() ? 0 : bias[j];
      for (std::size_t k = 0; k < in; ++k) sum += x.at(i, k) * w.at(j, k);
      result.push_back(sum);
    }
  }
  return result;
}

Numbers pick_rows(const Numbers& src, std::size_t cols, const std::vector<std::size_t>& rows) {
  Numbers result;
  for (const std::size_t row : rows) {
    result.insert(result.end(), src.begin() + static_cast<std::ptrdiff_t>(row * cols),
                  src.begin() + static_cast<std::ptrdiff_t>((row + 1) * cols));
  }
  return result;
}

Numbers softmax_rows(const Numbers& src, std::size_t cols) {
  Numbers result = src;
  for (std::size_t from = 0; from < src.size(); from += cols) {
    double sum = 0;
    for (std::size_t i = from; i < from + cols; ++i) sum += std::exp(src[i]);
    for (std::size_t i = from; i < from + cols; ++i) result[i] = std::exp(src[i]) / sum;
  }
  return result;
}

Numbers layer_norm_rows(const Given& in, std::size_t cols) {
  Numbers result = in[0];
  for (std::size_t from = 0; from < result.size(); from += cols) {
    double mean = 0;
    double variance = 0;
    for (std::size_t i = 0; i < cols; ++i) mean += in[0][from + i] / static_cast<double>(cols);
    for (std::size_t i = 0; i < cols; ++i) {
      variance += (in[0][from + i] - mean) * (in[0][from + i] - mean) / static_cast<double>(cols);
    }
    for (std::size_t i = 0; i < cols; ++i) {
      result[from + i] = in[1][i] * (in[0][from + i] - mean) / std::sqrt(variance + 1e-5) + in[2][i];
    }
  }
  return result;
}

const CrossEntropyOptions kTargets = {{3, 0, 36, 3}, {1, 0.5F, -2, 0}, 0.1F, 0.7F};

Numbers cross_entropy_of(Numbers logits) {
  for (double& logit : logits) logit /= static_cast<double>(kTargets.temperature);
  const std::size_t cols = logits.size() / kTargets.ids.size();
  const Numbers p = softmax_rows(logits, cols);
  double loss = 0;
  for (std::size_t r = 0; r < kTargets.ids.size(); ++r) {
    for (std::size_t k = 0; k < cols; ++k) {
      const double smoothing = kTargets.smoothing;
      const double q =
          smoothing / static_cast<double>(cols) + (static_cast<int>(k) == kTargets.ids[r] ? 1 - smoothing : 0);
      loss -= static_cast<double>(kTargets.weights[r]) * q * std::log(p[r * cols + k]);
    }
  }
  return {loss};
}

std::vector<GradientCase> linear_cases() {
  return {
      {"linear",
       {{.shape = {5, 7}}, {.shape = {19, 7}}, {.shape = {19}}},
       [](Tape& tape, const In& in) { return linear(tape, in[0], in[1], in[2]); },
       [](const Given& in) { return product(in[0], 7, in[1], in[2]); },
       true},
      {"linear without bias",
       {{.shape = {1, 33}}, {.shape = {3, 33}}},
       [](Tape& tape, const In& in) { return linear(tape, in[0], in[1], {}); },
       [](const Given& in) { return product(in[0], 33, in[1], {}); },
       true},
      {"linear, sums of many columns",
       {{.shape = {3, 2}}, {.shape = {517, 2}}, {.shape = {517}}},
       [](Tape& tape, const In& in) { return linear(tape, in[0], in[1], in[2]); },
       [](const Given& in) { return product(in[0], 2, in[1], in[2]); },
       true},
      {"reshape",
       {{.shape = {4, 6}}},
       [](Tape& tape, const In& in) {
         return reshape(tape, in[0], {2, 3, 4});
       },
       [](const Given& in) { return in[0]; },
       true},
      {"gather rows",
       {{.shape = {4, 9}}},
       [](Tape& tape, const In& in) {
         return gather_rows(tape, in[0], {2, 0, 2, 3, 2});
       },
       [](const Given& in) {
         return pick_rows(in[0], 9, {2, 0, 2, 3, 2});
       },
       true},
      {"first rows",
       {{.shape = {4, 9}}},
       [](Tape& tape, const In& in) { return first_rows(tape, in[0], 2); },
       [](const Given& in) {
         return pick_rows(in[0], 9, {0, 1});
       },
       true},
      {"concat rows",
       {{.shape = {2, 5}}, {.shape = {1, 5}}, {.shape = {3, 5}}},
       [](Tape& tape, const In& in) { return concat_rows(tape, in); },
       [](const Given& in) {
         Numbers all;
         for (const Numbers& part : in) all.insert(all.end(), part.begin(), part.end());
         return all;
       },
       true},
      {"concat of vectors, one twice",
       {{.shape = {4}}, {.shape = {3}}},
       [](Tape& tape, const In& in) {
         return concat_rows(tape, std::vector<Variable>{in[0], in[1], in[0]});
       },
       [](const Given& in) {
         Numbers all = in[0];
         all.insert(all.end(), in[1].begin(), in[1].end());
         all.insert(all.end(), in[0].begin(), in[0].end());
         return all;
       },
       true},
      {"slice columns",
       {{.shape = {3, 11}}},
       [](Tape& tape, const In& in) { return slice_columns(tape, in[0], 4, 5); },
       [](const Given& in) {
         Numbers result;
         for (std::size_t r = 0; r < 3; ++r) {
           for (std::size_t c = 4; c < 9; ++c) result.push_back(in[0][r * 11 + c]);
         }
         return result;
       },
       true},
      {"concat columns",
       {{.shape = {3, 2}}, {.shape = {3, 5}}},
       [](Tape& tape, const In& in) { return concat_columns(tape, in); },
       [](const Given& in) {
         Numbers result;
         for (std::size_t r = 0; r < 3; ++r) {
           for (std::size_t c = 0; c < 2; ++c) result.push_back(in[0][r * 2 + c]);
           for (std::size_t c = 0; c < 5; ++c) result.push_back(in[1][r * 5 + c]);
         }
         return result;
       },
       true},
      {"mean of cells",
       {{.shape = {2, 3, 17}}},
       [](Tape& tape, const In& in) { return mean_of_cells(tape, in[0]); },
       [](const Given& in) {
         Numbers result(34, 0.0);
         for (std::size_t i = 0; i < in[0].size(); ++i) result[i / 51 * 17 + i % 17] += in[0][i] / 3;
         return result;
       },
       true},
  };
}

std::vector<GradientCase> other_cases() {
  return {
      {"softmax",
       {{.shape = {3, 21}, .low = -4, .high = 4}},
       [](Tape& tape, const In& in) { return softmax(tape, in[0]); },
       [](const Given& in) { return softmax_rows(in[0], 21); }},
      {"layer norm",
       {{.shape = {3, 21}, .low = 1, .high = 4}, {.shape = {21}}, {.shape = {21}}},
       [](Tape& tape, const In& in) { return layer_norm(tape, in[0], in[1], in[2]); },
       [](const Given& in) { return layer_norm_rows(in, 21); }},
      {"cross entropy",
       {{.shape = {4, 37}, .low = -3, .high = 3}},
       [](Tape& tape, const In& in) { return cross_entropy(tape, in[0], kTargets).loss; },
       [](const Given& in) { return cross_entropy_of(in[0]); }},
  };
}

TEST(RowOps, LinearOnesEqualTheirReferences) {
  for (const GradientCase& c : linear_cases()) check_gradient(c);
}

TEST(RowOps, OthersEqualTheirReferences) {
  for (const GradientCase& c : other_cases()) check_gradient(c);
}

TEST(RowOps, CrossEntropyOfFarLogitsIsFinite) {
  dnn::Kernels kernels(1);
  Tape tape(kernels);
  const dnn::Array logits = kernels.zeros({1, 3});
  logits.data()[0] = 900;
  logits.data()[1] = -900;
  const CrossEntropy found = cross_entropy(tape, tape.watched(logits), {{1}, {1}, 0});
  EXPECT_NEAR(found.log_likelihoods.at(0), -1800, 1e-3);
  EXPECT_NEAR(found.loss.value().data()[0], 1800, 1e-3);
}

dnn::Array dropped(int threads, std::int64_t count, double rate, std::uint64_t seed) {
  dnn::Kernels kernels(threads);
  Tape tape(kernels);
  const dnn::Array ones = kernels.take({1, count});
  std::ranges::fill(ones.values(), 1.0F);
  return dropout(tape, tape.watched(ones), rate, seed).value();
}

TEST(Dropout, KeepsTheShareAndTheMean) {
  for (const double rate : {0.1, 0.5, 0.9}) {
    constexpr std::int64_t kCount = 200000;
    const dnn::Array found = dropped(2, kCount, rate, 7);
    const float kept = static_cast<float>(1 / (1 - rate));
    std::int64_t zeros = 0;
    for (const float value : found.values()) {
      if (value == 0) {
        ++zeros;
      } else {
        ASSERT_FLOAT_EQ(value, kept);
      }
    }
    EXPECT_NEAR(static_cast<double>(zeros) / kCount, rate, 0.005);
  }
}

TEST(Dropout, IsTheSameAtAnyThreadCountAndAnotherWithAnotherSeed) {
  constexpr std::int64_t kCount = 100000;
  const dnn::Array one = dropped(1, kCount, 0.5, 7);
  const dnn::Array two = dropped(2, kCount, 0.5, 7);
  EXPECT_TRUE(std::ranges::equal(one.values(), two.values()));
  for (const std::uint64_t seed : {8ULL, 7ULL << 32}) {
    const dnn::Array other = dropped(1, kCount, 0.5, seed);
    std::int64_t equal = 0;
    for (std::size_t i = 0; i < one.values().size(); ++i) equal += one.values()[i] == other.values()[i] ? 1 : 0;
    EXPECT_NEAR(static_cast<double>(equal) / kCount, 0.5, 0.01) << "independent masks agree on half of the numbers";
  }
}

TEST(Dropout, GradientFlowsThroughWhatIsKept) {
  const dnn::Array mask = dropped(2, 60, 0.4, 3);
  check_gradient({"dropout",
                  {{.shape = {1, 60}}},
                  [](Tape& tape, const In& in) { return dropout(tape, in[0], 0.4, 3); },
                  [&](const Given& in) {
                    Numbers result = in[0];
                    for (std::size_t i = 0; i < result.size(); ++i) result[i] *= static_cast<double>(mask.values()[i]);
                    return result;
                  },
                  true});
}

}  // namespace
}  // namespace glimpse::train
