#include "dnn/math/lane_loops.h"

#include <algorithm>
#include <array>
#include <cmath>

#include "dnn/math/multiversion.h"

namespace glimpse::dnn {
namespace {

/// Widest block that sums keep in registers; plain arrays (one lane) and wider blocks take the general way.
constexpr std::int64_t kMaxLanes = 16;

template <typename F>
GLIMPSE_INLINE void each(std::int64_t count, F f) {
#pragma omp simd
  for (std::int64_t i = 0; i < count; ++i) f(i);
}

template <typename F>
GLIMPSE_INLINE void each_lane(Block block, F f) {
  if (block.lanes == 1) {
#pragma omp simd
    for (std::int64_t i = 0; i < block.cells; ++i) f(i, i, std::int64_t{0});
    return;
  }
  for (std::int64_t i = 0; i < block.cells; ++i) {
#pragma omp simd
    for (std::int64_t l = 0; l < block.lanes; ++l) f(i * block.lanes + l, i, l);
  }
}

/// Sums are taken over stretches of cells, so that rounding errors of long sums stay small.
constexpr std::int64_t kStretch = 64;

template <typename F>
GLIMPSE_INLINE void lane_sums(Block block, float* sum, F term) {
  for (std::int64_t from = 0; from < block.cells; from += kStretch) {
    const std::int64_t to = std::min(block.cells, from + kStretch);
    if (block.lanes == 1) {
      float total = 0;
#pragma omp simd reduction(+ : total)
      for (std::int64_t i = from; i < to; ++i) total += term(i);
      sum[0] += total;
      continue;
    }
    std::array<float, kMaxLanes> totals{};
    for (std::int64_t i = from; i < to; ++i) {
#pragma omp simd
      for (std::int64_t l = 0; l < block.lanes; ++l) totals[static_cast<std::size_t>(l)] += term(i * block.lanes + l);
    }
    for (std::int64_t l = 0; l < block.lanes; ++l) sum[l] += totals[static_cast<std::size_t>(l)];
  }
}

template <typename F>
GLIMPSE_INLINE void cell_sums(Block block, float* sum, F term) {
  for (std::int64_t i = 0; i < block.cells; ++i) {
    float total = 0;
#pragma omp simd reduction(+ : total)
    for (std::int64_t l = 0; l < block.lanes; ++l) total += term(i * block.lanes + l);
    sum[i] += total;
  }
}

}  // namespace

GLIMPSE_MULTIVERSION void add_to(float* sum, const float* more, std::int64_t count) {
  each(count, [&](std::int64_t i) { sum[i] += more[i]; });
}

GLIMPSE_MULTIVERSION void relu(const float* src, float* dst, std::int64_t count) {
  each(count, [&](std::int64_t i) { dst[i] = src[i] > 0 ? src[i] : 0; });
}

GLIMPSE_MULTIVERSION void relu_d_src(const float* dst, const float* d_dst, float* d_src, std::int64_t count) {
  each(count, [&](std::int64_t i) { d_src[i] = dst[i] > 0 ? d_dst[i] : 0; });
}

GLIMPSE_MULTIVERSION void clip(const float* src, float lo, float hi, float* dst, std::int64_t count) {
  each(count, [&](std::int64_t i) { dst[i] = std::min(std::max(src[i], lo), hi); });
}

GLIMPSE_MULTIVERSION void clip_d_src(const float* src, float lo, float hi, const float* d_dst, float* d_src,
                                     std::int64_t count) {
  each(count, [&](std::int64_t i) { d_src[i] = src[i] > lo && src[i] < hi ? d_dst[i] : 0; });
}

GLIMPSE_MULTIVERSION void sigmoid_d_src(const float* dst, const float* d_dst, float* d_src, std::int64_t count) {
  each(count, [&](std::int64_t i) { d_src[i] = d_dst[i] * dst[i] * (1 - dst[i]); });
}

GLIMPSE_MULTIVERSION void tanh_d_src(const float* dst, const float* d_dst, float* d_src, std::int64_t count) {
  each(count, [&](std::int64_t i) { d_src[i] = d_dst[i] * (1 - dst[i] * dst[i]); });
}

GLIMPSE_MULTIVERSION void hardswish(const float* src, float* dst, std::int64_t count) {
  each(count, [&](std::int64_t i) { dst[i] = src[i] * std::min(std::max(src[i] + 3.0F, 0.0F), 6.0F) / 6.0F; });
}

GLIMPSE_MULTIVERSION void hardswish_d_src(const float* src, const float* d_dst, float* d_src, std::int64_t count) {
  each(count, [&](std::int64_t i) {
    const float slope = src[i] <= -3.0F ? 0.0F : src[i] >= 3.0F ? 1.0F : (2.0F * src[i] + 3.0F) / 6.0F;
    d_src[i] = d_dst[i] * slope;
  });
}

GLIMPSE_MULTIVERSION void add(const float* a, const float* b, float* dst, std::int64_t count) {
  each(count, [&](std::int64_t i) { dst[i] = a[i] + b[i]; });
}

GLIMPSE_MULTIVERSION void multiply(const float* a, const float* b, float* dst, std::int64_t count) {
  each(count, [&](std::int64_t i) { dst[i] = a[i] * b[i]; });
}

GLIMPSE_MULTIVERSION void add_lanes(const float* a, const float* b, float* dst, Block block) {
  each_lane(block, [&](std::int64_t at, std::int64_t, std::int64_t lane) { dst[at] = a[at] + b[lane]; });
}

GLIMPSE_MULTIVERSION void multiply_lanes(const float* a, const float* b, float* dst, Block block) {
  each_lane(block, [&](std::int64_t at, std::int64_t, std::int64_t lane) { dst[at] = a[at] * b[lane]; });
}

GLIMPSE_MULTIVERSION void add_cells(const float* a, const float* b, float* dst, Block block) {
  each_lane(block, [&](std::int64_t at, std::int64_t cell, std::int64_t) { dst[at] = a[at] + b[cell]; });
}

GLIMPSE_MULTIVERSION void multiply_cells(const float* a, const float* b, float* dst, Block block) {
  each_lane(block, [&](std::int64_t at, std::int64_t cell, std::int64_t) { dst[at] = a[at] * b[cell]; });
}

GLIMPSE_MULTIVERSION void sum_to_lanes(const float* a, float* sum, Block block) {
  lane_sums(block, sum, [&](std::int64_t i) { return a[i]; });
}

GLIMPSE_MULTIVERSION void sum_to_lanes(const float* a, const float* b, float* sum, Block block) {
  lane_sums(block, sum, [&](std::int64_t i) { return a[i] * b[i]; });
}

GLIMPSE_MULTIVERSION void sum_to_cells(const float* a, float* sum, Block block) {
  cell_sums(block, sum, [&](std::int64_t i) { return a[i]; });
}

GLIMPSE_MULTIVERSION void sum_to_cells(const float* a, const float* b, float* sum, Block block) {
  cell_sums(block, sum, [&](std::int64_t i) { return a[i] * b[i]; });
}

GLIMPSE_MULTIVERSION void adam(const DescentStep& step, const float* gradient, float* first, float* second,
                               float* value, std::int64_t count) {
  const DescentStep s = step;
  each(count, [&](std::int64_t i) {
    const float g = gradient[i] * s.clip;
    first[i] = s.beta1 * first[i] + (1 - s.beta1) * g;
    second[i] = s.beta2 * second[i] + (1 - s.beta2) * g * g;
    value[i] = s.keep * value[i] - s.rate * first[i] / (std::sqrt(second[i] * s.second_scale) + s.epsilon);
  });
}

GLIMPSE_MULTIVERSION void descend(const DescentStep& step, const float* gradient, float* velocity, float* value,
                                  std::int64_t count) {
  const DescentStep s = step;
  each(count, [&](std::int64_t i) {
    velocity[i] = s.beta1 * velocity[i] + gradient[i] * s.clip;
    value[i] = s.keep * value[i] - s.rate * velocity[i];
  });
}

GLIMPSE_MULTIVERSION void move_average(float decay, const float* value, float* average, std::int64_t count) {
  each(count, [&](std::int64_t i) { average[i] += (1 - decay) * (value[i] - average[i]); });
}

}  // namespace glimpse::dnn
