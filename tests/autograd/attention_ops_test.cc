// Attention's operations through the gradient check: several steps with a shrinking batch, as a decoder runs them.

#include "autograd/attention_ops.h"

#include <limits>

#include "autograd/row_ops.h"
#include "gradient_check.h"

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

TEST(AttentionOps, MaskedCellsAreLeftOut) {
  GradientCase c;
  c.name = "scores through a mask";
  c.inputs = {{.shape = {2 * kCells, kKey}, .low = -2, .high = 2}, {.shape = {4, kKey}}};
  const auto seen = [](std::size_t row, std::size_t cell) { return (row + cell) % 3 != 0; };
  c.op = [&](Tape& tape, const In& in) {
    const dnn::Array mask = tape.kernels().take({4, kCells});
    for (std::size_t i = 0; i < 4 * kCells; ++i) mask.data()[i] = seen(i / kCells, i % kCells) ? 1.0F : 0.0F;
    const RepeatedScores scores(tape, ScoreFunction::kDot, in[0], {}, {kCells, kRows});
    return scores({in[1]}, 4, mask);
  };
  c.reference = [&](const Given& in) {
    Numbers result;
    for (std::size_t row = 0; row < 4; ++row) {
      Numbers alphas = alphas_of({in[0], in[1], {}}, ScoreFunction::kDot, row);
      double total = 0;
      for (std::size_t i = 0; i < kCells; ++i) total += seen(row, i) ? alphas[i] : 0;
      for (std::size_t i = 0; i < kCells; ++i) result.push_back(seen(row, i) ? alphas[i] / total : 0);
    }
    return result;
  };
  check_gradient(c);
}

constexpr dnn::Window kWindow = {3, 1.4F};

TEST(AttentionOps, GaussianWindowsEqualPlainLoops) {
  GradientCase c;
  c.name = "gaussian window";
  c.inputs = {{.shape = {3, 6}, .low = 0}, {.shape = {3, 2}, .low = 0, .high = 3}};
  c.op = [](Tape& tape, const In& in) { return gaussian_window(tape, in[0], in[1], kWindow); };
  c.reference = [](const Given& in) {
    Numbers result = in[0];
    for (std::size_t i = 0; i < result.size(); ++i) {
      const double down = static_cast<double>(i % 6 / 3) + 0.5 - in[1][i / 6 * 2];
      const double across = static_cast<double>(i % 3) + 0.5 - in[1][i / 6 * 2 + 1];
      result[i] *= std::exp(-(down * down + across * across) / (2 * 0.7 * 0.7));
    }
    return result;
  };
  check_gradient(c);
}

TEST(AttentionOps, WindowsWithoutACountedCellMoveToTheNearest) {
  const dnn::Window window = {3, 0.6F};  // on a map of 2 × 3
  const auto seen = [&](const dnn::Place& place, const std::vector<int>& counted) {
    const dnn::Place moved = dnn::nearest_seen(
        place, 6, window, [&](std::int64_t i) { return std::ranges::find(counted, i) != counted.end(); });
    return std::pair(moved.row, moved.col);
  };
  EXPECT_EQ(seen({1.4F, 2.2F}, {5}), std::pair(1.4F, 2.2F));
  EXPECT_EQ(seen({0.4F, 0.7F}, {2}), std::pair(0.5F, 2.5F));
  EXPECT_EQ(seen({1.1F, 1.4F}, {0, 5}), std::pair(0.5F, 0.5F)) << "a little nearer than the other";
}

TEST(AttentionOps, MovedRowsTakeNoGradient) {
  GradientCase c;
  c.name = "moved rows";
  c.inputs = {{.shape = {3, 2}, .values = {1.25F, 2.5F, 0.5F, 0.75F, 1, 1.5F}}};
  c.op = [](Tape& tape, const In& in) {
    const dnn::Array moved = tape.kernels().copy(in[0].value());
    moved.data()[3] = 4;
    return moved_rows(tape, in[0], moved);
  };
  c.reference = [](const Given& in) { return Numbers{in[0][0], in[0][1], 0.5, 4, in[0][4], in[0][5]}; };
  check_gradient(c);
}

TEST(AttentionOps, WindowsHoldTheCellsWhoseMiddleIsNear) {
  dnn::Kernels kernels(1);
  const dnn::Array places = kernels.take({3, 2});
  const float nowhere = std::numeric_limits<float>::quiet_NaN();
  std::ranges::copy(std::vector<float>{0.5F, 1.5F, 2, 0, nowhere, nowhere}, places.data());
  const dnn::Array mask = kernels.take({3, 6});
  dnn::window_mask(places, {3, 0.5F}, mask, 1);  // a map of 2 × 3
  EXPECT_EQ(std::vector<float>(mask.data(), mask.data() + 18),
            (std::vector<float>{0, 1, 0, 0, 0, 0, 0, 0, 0, 1, 0, 0, 1, 1, 1, 1, 1, 1}));
}

TEST(AttentionOps, ChosenCellsAreSeenAlone) {
  check_gradient({"chosen",
                  {{.shape = {3, 4}}},
                  [](Tape& tape, const In& in) {
                    return chosen(tape, in[0], {2, -1, 0});
                  },
                  [](const Given& in) {
                    Numbers result = {0, 0, 1, 0};
                    result.insert(result.end(), in[0].begin() + 4, in[0].begin() + 8);
                    result.insert(result.end(), {1, 0, 0, 0});
                    return result;
                  },
                  true});
}

TEST(AttentionOps, LogOfChosenAndEntropyEqualPlainLoops) {
  check_gradient({"log of chosen",
                  {{.shape = {3, 4}, .low = 0.1}},
                  [](Tape& tape, const In& in) {
                    return log_of_chosen(tape, in[0], {2, -1, 0}, {0.5F, 7, -2});
                  },
                  [](const Given& in) { return Numbers{0.5 * std::log(in[0][2]) - 2 * std::log(in[0][8])}; }});
  check_gradient({"entropy",
                  {{.shape = {3, 4}, .low = 0.1}},
                  [](Tape& tape, const In& in) {
                    return entropy(tape, in[0], {0.5F, 0, 2});
                  },
                  [](const Given& in) {
                    double sum = 0;
                    for (std::size_t i = 0; i < 4; ++i) sum -= 0.5 * in[0][i] * std::log(in[0][i]);
                    for (std::size_t i = 8; i < 12; ++i) sum -= 2 * in[0][i] * std::log(in[0][i]);
                    return Numbers{sum};
                  }});
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
