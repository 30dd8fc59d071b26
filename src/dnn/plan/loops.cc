#include "dnn/plan/loops.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include "dnn/math/row_loops.h"
#include "dnn/products/sgemm.h"
#include "dnn/runtime/threads.h"

namespace glimpse::dnn {
namespace {

/// Floats of work below which a second thread costs more than it brings.
constexpr std::int64_t kGrain = 16384;

std::int64_t grain(std::int64_t floats_an_item) {
  return std::max<std::int64_t>(1, kGrain / std::max<std::int64_t>(1, floats_an_item));
}

struct Map {
  std::int64_t rows, cols, channels;
};

void average_bin(const float* src, const Map& map, const Bin& row, const Bin& col, float* dst) {
  std::fill_n(dst, map.channels, 0.0F);
  for (std::int64_t y = row.begin; y < row.end; ++y) {
    for (std::int64_t x = col.begin; x < col.end; ++x) {
      const float* cell = src + (y * map.cols + x) * map.channels;
#pragma omp simd
      for (std::int64_t c = 0; c < map.channels; ++c) dst[c] += cell[c];
    }
  }
  const float scale = 1.0F / static_cast<float>(row.divisor * col.divisor);
#pragma omp simd
  for (std::int64_t c = 0; c < map.channels; ++c) dst[c] *= scale;
}

float sum_of(const float* values, std::int64_t count) {
  float sum = 0;
#pragma omp simd reduction(+ : sum)
  for (std::int64_t i = 0; i < count; ++i) sum += values[i];
  return sum;
}

float max_of(const float* values, std::int64_t count) {
  float max = -std::numeric_limits<float>::infinity();
#pragma omp simd reduction(max : max)
  for (std::int64_t i = 0; i < count; ++i) max = values[i] > max ? values[i] : max;
  return max;
}

}  // namespace

void binned_average(const BinnedAverageOp& op, const Shape& src_nchw, const float* src, float* dst) {
  const Map map = {src_nchw[2], src_nchw[3], src_nchw[1]};
  const auto rows = static_cast<std::int64_t>(op.rows.size());
  const auto cols = static_cast<std::int64_t>(op.cols.size());
  parallel_for(src_nchw[0] * rows, grain(cols * map.channels), [&](std::int64_t begin, std::int64_t end) {
    for (std::int64_t i = begin; i < end; ++i) {
      const float* picture = src + i / rows * map.rows * map.cols * map.channels;
      for (std::int64_t j = 0; j < cols; ++j) {
        average_bin(picture, map, op.rows[static_cast<std::size_t>(i % rows)], op.cols[static_cast<std::size_t>(j)],
                    dst + (i * cols + j) * map.channels);
      }
    }
  });
}

void reduce_channels(const ChannelReductionOp& op, std::int64_t cells, std::int64_t channels, const float* src,
                     float* dst) {
  parallel_for(cells, grain(channels), [&](std::int64_t begin, std::int64_t end) {
    for (std::int64_t i = begin; i < end; ++i) {
      const float* cell = src + i * channels;
      dst[i] = op.max ? max_of(cell, channels) : sum_of(cell, channels) / static_cast<float>(channels);
    }
  });
}

void self_attention(const SelfAttentionShape& shape, const float* src, float* dst, float* scratch) {
  const std::int64_t cells = shape.cells;
  const std::int64_t width = shape.channels / shape.heads;
  const float factor = 1.0F / std::sqrt(static_cast<float>(width));
  parallel_for(shape.pictures * shape.heads, 1, [&](std::int64_t begin, std::int64_t end) {
    for (std::int64_t i = begin; i < end; ++i) {
      const std::int64_t picture = i / shape.heads * cells * shape.channels;
      const std::int64_t first = i % shape.heads * width;
      const auto part = [&](std::int64_t which, bool transpose) {
        return Factor{src + 3 * picture + which * shape.channels + first, cells, width, transpose, 3 * shape.channels};
      };
      float* scores = scratch + i * cells * cells;
      multiply(part(0, false), part(1, true), scores, false);
      scale_and_shift(scores, factor, 0, cells * cells);
      for (std::int64_t row = 0; row < cells; ++row) softmax_to(scores + row * cells, scores + row * cells, cells);
      multiply({scores, cells, cells}, part(2, false), dst + picture + first, false, shape.channels);
    }
  });
}

void layer_norm(const Tensor& scale, const Tensor& shift, float epsilon, std::int64_t rows, const float* src,
                float* dst) {
  const std::int64_t channels = scale.count();
  parallel_for(rows, grain(channels), [&](std::int64_t begin, std::int64_t end) {
    for (std::int64_t i = begin; i < end; ++i) {
      layer_norm(src + i * channels, scale.data(), shift.data(), epsilon, dst + i * channels, channels);
    }
  });
}

}  // namespace glimpse::dnn
