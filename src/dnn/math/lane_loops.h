/// The innermost loops of training: over numbers, or over the cells and lanes of one block of channels, [cells, lanes].
/// Each is compiled once per instruction set and sequential: callers split work with parallel_for.
#pragma once

#include <cstdint>

namespace glimpse::dnn {

void add_to(float* sum, const float* more, std::int64_t count);
void relu(const float* src, float* dst, std::int64_t count);
void relu_d_src(const float* dst, const float* d_dst, float* d_src, std::int64_t count);
void clip(const float* src, float lo, float hi, float* dst, std::int64_t count);
void clip_d_src(const float* src, float lo, float hi, const float* d_dst, float* d_src, std::int64_t count);
void sigmoid_d_src(const float* dst, const float* d_dst, float* d_src, std::int64_t count);
void tanh_d_src(const float* dst, const float* d_dst, float* d_src, std::int64_t count);
void hardswish(const float* src, float* dst, std::int64_t count);
void hardswish_d_src(const float* src, const float* d_dst, float* d_src, std::int64_t count);

void add(const float* a, const float* b, float* dst, std::int64_t count);
void multiply(const float* a, const float* b, float* dst, std::int64_t count);

/// One block of channels.
struct Block {
  std::int64_t cells;
  std::int64_t lanes;
};
/// b [lanes] meets every cell of a.
void add_lanes(const float* a, const float* b, float* dst, Block block);
void multiply_lanes(const float* a, const float* b, float* dst, Block block);
/// b [cells] meets every lane of a.
void add_cells(const float* a, const float* b, float* dst, Block block);
void multiply_cells(const float* a, const float* b, float* dst, Block block);
/// sum [lanes] += Σ over cells of a, or of a · b.
void sum_to_lanes(const float* a, float* sum, Block block);
void sum_to_lanes(const float* a, const float* b, float* sum, Block block);
/// sum [cells] += Σ over lanes.
void sum_to_cells(const float* a, float* sum, Block block);
void sum_to_cells(const float* a, const float* b, float* sum, Block block);

/// One step of AdamW (Loshchilov and Hutter 2019) or of SGD.
struct DescentStep {
  float clip = 1;   ///< factor of the gradient
  float keep = 1;   ///< what weight decay leaves of the value
  float rate = 0;   ///< the learning rate, by AdamW divided by 1 − β1^t
  float beta1 = 0;  ///< SGD: the momentum
  float beta2 = 0;
  float second_scale = 1;  ///< 1 / (1 − β2^t)
  float epsilon = 0;
};
void adam(const DescentStep& step, const float* gradient, float* first, float* second, float* value,
          std::int64_t count);
void descend(const DescentStep& step, const float* gradient, float* velocity, float* value, std::int64_t count);
/// average = decay · average + (1 − decay) · value
void move_average(float decay, const float* value, float* average, std::int64_t count);

}  // namespace glimpse::dnn
