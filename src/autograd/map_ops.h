/// Operations on feature maps [N,C,H,W], each with its gradient. Maps may stand in blocks of channels (dnn/array.h);
/// those of one cell, and those that go to matrices, are plain.
#pragma once

#include <cstdint>
#include <span>

#include "autograd/tape.h"
#include "dnn/plan/plan.h"

namespace glimpse::train {

/// `src` in the plain layout.
Variable plain(Tape& tape, const Variable& src);
/// [N,C,H,W] → [N, H·W, C]: the rows that attention reads.
Variable cells(Tape& tape, const Variable& src);

/// And back: [N, H·W, C] or [N·H·W, C] → `shape` [N,C,H,W].
Variable map_of_cells(Tape& tape, const Variable& src, const Shape& shape);

/// weight [out, in/groups, kh, kw], bias [out] or none. The options' activation is not looked at.
Variable convolution(Tape& tape, const Variable& src, const Variable& weight, const Variable& bias,
                     const dnn::ConvolutionOptions& options);

/// What batch norm learns without a gradient: running ← (1 − momentum) · running + momentum · the batch's, the variance
/// unbiased, as PyTorch has it.
struct RunningStatistics {
  Tensor& mean;      ///< [C]
  Tensor& variance;  ///< [C]
  float momentum = 0.1F;
};
enum class Statistics {
  kBatch,   ///< normalise by the batch's, and update the running ones
  kRunning  ///< normalise by the running ones, as inference does
};
struct BatchNormOptions {
  float epsilon = 1e-5F;
  bool relu = false;  ///< max(0, ·) afterwards
  Statistics statistics = Statistics::kBatch;
};
/// Ioffe and Szegedy 2015. scale, shift [C].
Variable batch_norm(Tape& tape, const Variable& src, const Variable& scale, const Variable& shift,
                    const RunningStatistics& running, const BatchNormOptions& options);

Variable activation(Tape& tape, const Variable& src, const dnn::Activation& activation);
/// The same, over the numbers of `src` where its gradient can do without them: for a sum or product that nothing else
/// reads.
Variable activation_in_place(Tape& tape, const Variable& src, const dnn::Activation& activation);

Variable max_pooling(Tape& tape, const Variable& src, const dnn::PoolingOptions& options);
Variable average_pooling(Tape& tape, const Variable& src, const dnn::PoolingOptions& options);
/// See dnn::PlanBuilder::adaptive_average.
Variable adaptive_average(Tape& tape, const Variable& src, std::int64_t rows, std::int64_t cols);

/// b has a's shape, or is [N,C,1,1] or [N,1,H,W] and broadcasts.
Variable add(Tape& tape, const Variable& a, const Variable& b);
Variable multiply(Tape& tape, const Variable& a, const Variable& b);
Variable concat(Tape& tape, std::span<const Variable> srcs);  ///< along channels

Variable channel_mean(Tape& tape, const Variable& src);  ///< [N,1,H,W]
Variable channel_max(Tape& tape, const Variable& src);   ///< [N,1,H,W]

/// weight [out, in], bias [out] or none; src [N,C,H,W] is flattened to [N, C·H·W]; the result is [N,out,1,1].
Variable dense(Tape& tape, const Variable& src, const Variable& weight, const Variable& bias);

}  // namespace glimpse::train
