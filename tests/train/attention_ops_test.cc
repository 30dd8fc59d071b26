// Attention's operations through the gradient check: several steps with a shrinking batch, as a decoder runs them.

#include "train/attention_ops.h"

#include "gradient_check.h"
#include "train/row_ops.h"

namespace glimpse::train {
namespace {

using dnn::ScoreFunction;
using In = std::vector<Variable>;
using Given = std::vector<Numbers>;

constexpr std::size_t kCells = 6;
constexpr std::size_t kKey = 7;
constexpr std::size_t kMemory = 11;
constexpr std::size_t kHeads = 2;
const dnn::RowsOfImages kRows = {{1, 3}, {0, 2}};
constexpr std::size_t kImageOfRow[] = {1, 0, 1, 0};

/// keys [2 · cells, A], weight [2, A], two steps' queries: of four rows, and of three as part of a wider matrix.
Numbers alphas_of(const Given& in, ScoreFunction function, std::size_t row) {
  const std::size_t image = kImageOfRow[row % 4];
  Numbers alphas;
  double total = 0;
  for (std::size_t i = 0; i < kCells; ++i) {
    double score = 0;
    for (std::size_t a = 0; a < kKey; ++a) {
      const double query = row < 4 ? in[1][row * kKey + a] : in[2][(row - 4) * (kKey + 4) + 1 + a];
      const double key = in[0][(image * kCells + i) * kKey + a];
      if (function == ScoreFunction::kDot) {
        score += key * query;
      } else {
        const double x = key + query;
        score += in[3][image * kKey + a] * (function == ScoreFunction::kRelu ? std::max(0.0, x) : std::tanh(x));
      }
    }
    alphas.push_back(std::exp(score));
    total += alphas.back();
  }
  for (double& alpha : alphas) alpha /= total;
  return alphas;
}

TEST(AttentionOps, ScoresEqualPlainLoops) {
  for (const auto function : {ScoreFunction::kTanh, ScoreFunction::kRelu, ScoreFunction::kDot}) {
    GradientCase c;
    c.name = "scores " + std::to_string(static_cast<int>(function));
    c.inputs = {{.shape = {2 * kCells, kKey}, .low = -2, .high = 2}, {.shape = {4, kKey}}, {.shape = {3, kKey + 4}}};
    if (function != ScoreFunction::kDot) c.inputs.push_back({.shape = {2, kKey}, .low = -2, .high = 2});
    c.op = [=](Tape& tape, const In& in) {
      const RepeatedScores scores(tape, function, in[0], in.size() > 3 ? in[3] : Variable(), {kCells, kRows});
      const Variable one = scores({in[1]}, 4);
      const Variable two = scores({in[2], {0, 1}}, 3);
      return concat_rows(tape, std::vector<Variable>{one, two});
    };
    c.reference = [=](const Given& in) {
      Numbers result;
      for (std::size_t row = 0; row < 7; ++row) {
        const Numbers alphas = alphas_of(in, function, row);
        result.insert(result.end(), alphas.begin(), alphas.end());
      }
      return result;
    };
    check_gradient(c);
  }
}

TEST(AttentionOps, ReadingEqualsPlainLoops) {
  check_gradient({"read",
                  {{.shape = {2 * kCells, kMemory}}, {.shape = {4, kCells}}, {.shape = {3, kCells}}},
                  [](Tape& tape, const In& in) {
                    const RepeatedRead read(tape, in[0], {kCells, kRows});
                    const Variable one = read(in[1]);
                    const Variable two = read(in[2]);
                    return concat_rows(tape, std::vector<Variable>{one, two});
                  },
                  [](const Given& in) {
                    Numbers result;
                    for (std::size_t row = 0; row < 7; ++row) {
                      const double* weights = row < 4 ? &in[1][row * kCells] : &in[2][(row - 4) * kCells];
                      for (std::size_t j = 0; j < kMemory; ++j) {
                        result.push_back(0);
                        for (std::size_t i = 0; i < kCells; ++i) {
                          result.back() += weights[i] * in[0][(kImageOfRow[row % 4] * kCells + i) * kMemory + j];
                        }
                      }
                    }
                    return result;
                  },
                  true});
}

TEST(AttentionOps, SplitHeadsPutsThemBelowEachOther) {
  constexpr std::size_t kSize = 5;
  check_gradient({"split heads",
                  {{.shape = {2 * kCells, kHeads * kSize}}},
                  [](Tape& tape, const In& in) { return split_heads(tape, in[0], kCells, kHeads); },
                  [](const Given& in) {
                    Numbers result;
                    for (std::size_t image = 0; image < 2; ++image) {
                      for (std::size_t head = 0; head < kHeads; ++head) {
                        for (std::size_t i = 0; i < kCells; ++i) {
                          for (std::size_t a = 0; a < kSize; ++a) {
                            result.push_back(in[0][((image * kCells + i) * kHeads + head) * kSize + a]);
                          }
                        }
                      }
                    }
                    return result;
                  },
                  true});
}

TEST(AttentionOps, HeadsOfARowLookAtTheirOwnPart) {
  const Gaze split = split_heads({kCells, kRows}, 3);
  EXPECT_EQ(split.cells, static_cast<std::int64_t>(kCells));
  EXPECT_EQ(split.rows, (dnn::RowsOfImages{{3, 9}, {4, 10}, {5, 11}, {0, 6}, {1, 7}, {2, 8}}));
}

TEST(AttentionOps, UnitRowsEqualPlainLoops) {
  check_gradient({"unit rows",
                  {{.shape = {5, 13}, .low = -3, .high = 3}},
                  [](Tape& tape, const In& in) { return unit_rows(tape, in[0]); },
                  [](const Given& in) {
                    Numbers result = in[0];
                    for (std::size_t row = 0; row < 5; ++row) {
                      double square = 0;
                      for (std::size_t i = 0; i < 13; ++i) square += in[0][row * 13 + i] * in[0][row * 13 + i];
                      for (std::size_t i = 0; i < 13; ++i) result[row * 13 + i] /= std::sqrt(square);
                    }
                    return result;
                  }});
}

TEST(AttentionOps, RowsOfZerosHaveNoDirection) {
  dnn::Kernels kernels(1);
  Tape tape(kernels);
  const Variable src = tape.watched(kernels.zeros({1, 4}));
  const Variable unit = unit_rows(tape, src);
  for (const float value : unit.value().values()) EXPECT_EQ(value, 0);
  const dnn::Array sum = kernels.take({1, 4});
  std::ranges::fill(sum.values(), 1.0F);
  tape.backward(linear(tape, unit, tape.constant(sum), {}));
  for (const float value : tape.gradient(src).values()) EXPECT_EQ(value, 0);
}

TEST(AttentionOps, ScalingEqualsPlainLoops) {
  check_gradient({"scaled",
                  {{.shape = {4, 9}}, {.shape = {1, 1}, .low = 2, .high = 3}},
                  [](Tape& tape, const In& in) { return scaled(tape, in[0], in[1]); },
                  [](const Given& in) {
                    Numbers result = in[0];
                    for (double& value : result) value *= in[1][0];
                    return result;
                  },
                  true});
}

TEST(AttentionOps, UnseenEqualsPlainLoops) {
  check_gradient({"unseen",
                  {{.shape = {3, 4}, .low = 0}, {.shape = {3, 4}, .low = 0}, {.shape = {1, 4}, .low = 0}},
                  [](Tape& tape, const In& in) { return unseen(tape, in); },
                  [](const Given& in) {
                    double sum = 0;
                    for (std::size_t i = 0; i < 12; ++i) {
                      const double rest = 1 - in[0][i] - in[1][i] - (i < 4 ? in[2][i] : 0);
                      sum += rest * rest;
                    }
                    return Numbers{sum};
                  }});
}

}  // namespace
}  // namespace glimpse::train
