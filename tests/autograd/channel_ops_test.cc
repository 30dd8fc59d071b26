// The channels' weights and attention over the past through the gradient check, with a shrinking batch, as a decoder
// runs them.

#include "autograd/channel_ops.h"

#include <cmath>

#include "gradient_check.h"
#include "autograd/row_ops.h"

namespace glimpse::train {
namespace {

using In = std::vector<Variable>;
using Given = std::vector<Numbers>;

constexpr std::size_t kCells = 6;
constexpr std::size_t kMemory = 11;
const dnn::RowsOfImages kRows = {{1, 3}, {0, 2}};
constexpr std::size_t kImageOfRow[] = {1, 0, 1, 0};

double sigmoid(double x) { return 1 / (1 + std::exp(-x)); }

TEST(ChannelOps, ScoresEqualPlainLoops) {
  constexpr std::size_t kRowCount = 3;
  constexpr std::size_t kKey = 7;
  constexpr std::size_t kWide = kKey + 4;  // the query is part of a wider matrix
  check_gradient({"channel scores",
                  {{.shape = {kRowCount, kMemory}, .low = -2, .high = 2},
                   {.shape = {kRowCount, kWide}},
                   {.shape = {kKey, 1}, .low = -2, .high = 2},
                   {.shape = {1, kKey}}},
                  [](Tape& tape, const In& in) {
                    return channel_scores(tape, in[0], {in[1], {0, 3}}, in[2], in[3]);
                  },
                  [](const Given& in) {
                    Numbers result;
                    for (std::size_t row = 0; row < kRowCount; ++row) {
                      for (std::size_t c = 0; c < kMemory; ++c) {
                        result.push_back(0);
                        for (std::size_t a = 0; a < kKey; ++a) {
                          result.back() +=
                              in[3][a] * std::tanh(in[2][a] * in[0][row * kMemory + c] + in[1][row * kWide + 3 + a]);
                        }
                      }
                    }
                    return result;
                  }});
}

TEST(ChannelOps, ScalingChannelsEqualsPlainLoops) {
  check_gradient({"scale channels",
                  {{.shape = {2 * kCells, kMemory}}, {.shape = {4, kMemory}}, {.shape = {3, kMemory}}},
                  [](Tape& tape, const In& in) {
                    const Gaze gaze = {kCells, kRows};
                    const Variable one = scale_channels(tape, in[0], in[1], gaze);
                    const Variable two = scale_channels(tape, in[0], in[2], gaze);
                    return concat_rows(tape, std::vector<Variable>{one, two});
                  },
                  [](const Given& in) {
                    Numbers result;
                    for (std::size_t row = 0; row < 7; ++row) {
                      for (std::size_t i = 0; i < kCells; ++i) {
                        for (std::size_t c = 0; c < kMemory; ++c) {
                          const double weight = row < 4 ? in[1][row * kMemory + c] : in[2][(row - 4) * kMemory + c];
                          result.push_back(weight * in[0][(kImageOfRow[row % 4] * kCells + i) * kMemory + c]);
                        }
                      }
                    }
                    return result;
                  },
                  true});
}

TEST(ChannelOps, ReadingElementsEqualsPlainLoops) {
  check_gradient({"element read",
                  {{.shape = {2 * kCells, kMemory}},
                   {.shape = {2 * kCells, kMemory}, .low = -2, .high = 2},
                   {.shape = {3, kCells}},
                   {.shape = {3, kMemory}, .low = -2, .high = 2}},
                  [](Tape& tape, const In& in) {
                    return element_read(tape, in[0], in[1], in[2], in[3], {kCells, kRows});
                  },
                  [](const Given& in) {
                    Numbers result(3 * kMemory, 0.0);
                    for (std::size_t row = 0; row < 3; ++row) {
                      for (std::size_t i = 0; i < kCells; ++i) {
                        for (std::size_t c = 0; c < kMemory; ++c) {
                          const std::size_t at = (kImageOfRow[row] * kCells + i) * kMemory + c;
                          result[row * kMemory + c] +=
                              in[2][row * kCells + i] * in[0][at] * sigmoid(in[1][at] + in[3][row * kMemory + c]);
                        }
                      }
                    }
                    return result;
                  }});
}

/// Three captions of four, three and one words.
TEST(ChannelOps, LookingBackEqualsPlainLoops) {
  constexpr std::size_t kState = 5;
  constexpr std::size_t kKey = 7;
  constexpr std::size_t kWords = 8;
  const std::vector<std::vector<std::size_t>> places = {{0, 3, 5, 7}, {1, 4, 6}, {2}};
  check_gradient({"past attention",
                  {{.shape = {kWords, kState}},
                   {.shape = {kWords, kKey}, .low = -2, .high = 2},
                   {.shape = {kWords, kKey}, .low = -2, .high = 2},
                   {.shape = {1, kKey}, .low = -2, .high = 2}},
                  [](Tape& tape, const In& in) {
                    return past_attention(tape, {in[0], in[1], in[2], in[3]}, {3, 2, 2, 1});
                  },
                  [&](const Given& in) {
                    Numbers result(kWords * kState, 0.0);
                    for (const std::vector<std::size_t>& words : places) {
                      for (std::size_t t = 1; t < words.size(); ++t) {
                        Numbers alphas;
                        double total = 0;
                        for (std::size_t s = 0; s < t; ++s) {
                          double score = 0;
                          for (std::size_t a = 0; a < kKey; ++a) {
                            score += in[3][a] * std::tanh(in[1][words[s] * kKey + a] + in[2][words[t] * kKey + a]);
                          }
                          alphas.push_back(std::exp(score));
                          total += alphas.back();
                        }
                        for (std::size_t s = 0; s < t; ++s) {
                          for (std::size_t j = 0; j < kState; ++j) {
                            result[words[t] * kState + j] += alphas[s] / total * in[0][words[s] * kState + j];
                          }
                        }
                      }
                    }
                    return result;
                  }});
}

}  // namespace
}  // namespace glimpse::train
