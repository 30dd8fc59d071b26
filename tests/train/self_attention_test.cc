// What self-attention over a map is made of, through the gradient check, and the whole against plain loops.
#include <gtest/gtest.h>

#include <cmath>

#include "autograd/gradient_check.h"
#include "autograd/attention_ops.h"
#include "autograd/map_ops.h"
#include "autograd/row_ops.h"

namespace glimpse::train {
namespace {

using In = std::vector<Variable>;
using Given = std::vector<Numbers>;

constexpr std::size_t kImages = 2;
constexpr std::size_t kCells = 6;
constexpr std::size_t kHeads = 3;
constexpr std::size_t kWidth = 4;  ///< channels of a head
constexpr std::size_t kChannels = kHeads * kWidth;

TEST(SelfAttention, BatchedProductsEqualPlainLoops) {
  constexpr std::size_t kBatch = 3;
  constexpr std::size_t kRows = 4;
  constexpr std::size_t kInner = 5;
  constexpr std::size_t kCols = 2;
  for (const bool transpose : {false, true}) {
    const Shape right = transpose ? Shape{kBatch, kCols, kInner} : Shape{kBatch, kInner, kCols};
    check_gradient({transpose ? "product with a transpose" : "product",
                    {{.shape = {kBatch, kRows, kInner}}, {.shape = right}},
                    [=](Tape& tape, const In& in) { return batched_product(tape, in[0], in[1], transpose); },
                    [=](const Given& in) {
                      Numbers result;
                      for (std::size_t b = 0; b < kBatch; ++b) {
                        for (std::size_t r = 0; r < kRows; ++r) {
                          for (std::size_t c = 0; c < kCols; ++c) {
                            double sum = 0;
                            for (std::size_t i = 0; i < kInner; ++i) {
                              const std::size_t at = transpose ? c * kInner + i : i * kCols + c;
                              sum += in[0][(b * kRows + r) * kInner + i] * in[1][b * kInner * kCols + at];
                            }
                            result.push_back(sum);
                          }
                        }
                      }
                      return result;
                    },
                    true});
  }
}

TEST(SelfAttention, MergedHeadsStandSideBySide) {
  check_gradient({"merge heads",
                  {{.shape = {kImages * kHeads * kCells, kWidth}}},
                  [](Tape& tape, const In& in) { return merge_heads(tape, in[0], kCells, kHeads); },
                  [](const Given& in) {
                    Numbers result;
                    for (std::size_t row = 0; row < kImages * kCells; ++row) {
                      for (std::size_t c = 0; c < kChannels; ++c) {
                        const std::size_t from = (row / kCells * kHeads + c / kWidth) * kCells + row % kCells;
                        result.push_back(in[0][from * kWidth + c % kWidth]);
                      }
                    }
                    return result;
                  },
                  true});
}

TEST(SelfAttention, CellsBecomeAMapAgain) {
  const Shape shape = {kImages, 10, 2, 3};
  check_gradient({"map of cells",
                  {{.shape = {kImages * kCells, 10}}},
                  [&](Tape& tape, const In& in) { return map_of_cells(tape, in[0], shape); },
                  [](const Given& in) {
                    Numbers result;
                    for (std::size_t image = 0; image < kImages; ++image) {
                      for (std::size_t c = 0; c < 10; ++c) {
                        for (std::size_t i = 0; i < kCells; ++i) {
                          result.push_back(in[0][(image * kCells + i) * 10 + c]);
                        }
                      }
                    }
                    return result;
                  },
                  true});
}

/// What the head at `first` of cell `query` reads: softmax(q · k / √width) · v.
Numbers read_by(const Numbers& projected, std::size_t image, std::size_t query, std::size_t first) {
  const auto part = [&](std::size_t which, std::size_t cell, std::size_t i) {
    return projected[((image * kCells + cell) * 3 + which) * kChannels + first + i];
  };
  Numbers weights(kCells, 0.0);
  double total = 0;
  for (std::size_t cell = 0; cell < kCells; ++cell) {
    for (std::size_t i = 0; i < kWidth; ++i) weights[cell] += part(0, query, i) * part(1, cell, i);
    weights[cell] = std::exp(weights[cell] / std::sqrt(static_cast<double>(kWidth)));
    total += weights[cell];
  }
  Numbers read(kWidth, 0.0);
  for (std::size_t cell = 0; cell < kCells; ++cell) {
    for (std::size_t i = 0; i < kWidth; ++i) read[i] += weights[cell] / total * part(2, cell, i);
  }
  return read;
}

TEST(SelfAttention, EqualsPlainLoops) {
  check_gradient({"self-attention",
                  {{.shape = {kImages * kCells, 3 * kChannels}, .low = -2, .high = 2}},
                  [](Tape& tape, const In& in) { return self_attention(tape, in[0], kCells, kHeads); },
                  [](const Given& in) {
                    Numbers result;
                    for (std::size_t row = 0; row < kImages * kCells; ++row) {
                      for (std::size_t head = 0; head < kHeads; ++head) {
                        const Numbers read = read_by(in[0], row / kCells, row % kCells, head * kWidth);
                        result.insert(result.end(), read.begin(), read.end());
                      }
                    }
                    return result;
                  }});
}

}  // namespace
}  // namespace glimpse::train
