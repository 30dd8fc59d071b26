/// The innermost loops of array_math.cc: over the cells and lanes of one block of channels, [cells, lanes]. Internal to
/// src/dnn; each is compiled once per instruction set.
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

}  // namespace glimpse::dnn
