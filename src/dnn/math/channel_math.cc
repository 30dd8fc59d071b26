#include "dnn/math/channel_math.h"

#include <algorithm>

#include "dnn/math/row_loops.h"
#include "dnn/math/step_rows.h"
#include "dnn/math/vector_math.h"
#include "dnn/runtime/over_rows.h"

namespace glimpse::dnn {

void channel_scores(const ChannelInputs& in, const Array& dst, int threads) {
  const std::int64_t channels = in.values.dim(1);
  const std::int64_t size = in.slope.count();
  over_rows(dst.dim(0), channels * size, threads, [&](std::int64_t row) {
    channel_scores({row_of(in.values, row), in.slope.data(), row_of(in.shift, row), in.weight.data(), row_of(dst, row),
                    channels, size});
  });
}

void channel_scores_backward(const ChannelInputs& in, const Array& d_dst, const ChannelGradients& gradients,
                             int threads) {
  const std::int64_t channels = in.values.dim(1);
  const std::int64_t size = in.slope.count();
  over_rows(d_dst.dim(0), channels * size, threads, [&](std::int64_t row) {
    ChannelScoresBackward args;
    args.scores = {
        row_of(in.values, row), in.slope.data(), row_of(in.shift, row), in.weight.data(), nullptr, channels, size};
    args.d_scores = row_of(d_dst, row);
    args.d_values = row_of(gradients.values, row);
    args.d_slope = row_of(gradients.slopes, row);
    args.d_shift = row_of(gradients.shift, row);
    args.d_weight = row_of(gradients.weights, row);
    channel_scores_backward(args);
  });
}

void scale_channels(const MemoryInputs& in, const Array& weights, const Array& dst, int threads) {
  const std::int64_t size = in.memory.dim(1);
  over_images(*in.rows, weights.dim(0), threads, [&](std::int64_t image, std::int64_t row) {
    for (std::int64_t i = 0; i < in.cells; ++i) {
      scale_each({row_of(in.memory, image * in.cells + i), static_cast<std::size_t>(size)}, row_of(weights, row),
                 row_of(dst, row * in.cells + i));
    }
  });
}

void scale_channels_backward(const MemoryInputs& in, const Array& weights, const Array& d_dst, const Array& d_memory,
                             const Array& d_weights, int threads) {
  const std::int64_t size = in.memory.dim(1);
  over_images(*in.rows, weights.dim(0), threads, [&](std::int64_t image, std::int64_t row) {
    std::fill_n(row_of(d_weights, row), size, 0.0F);
    for (std::int64_t i = 0; i < in.cells; ++i) {
      const float* d = row_of(d_dst, row * in.cells + i);
      add_product(d, row_of(in.memory, image * in.cells + i), row_of(d_weights, row), size);
      add_product(d, row_of(weights, row), row_of(d_memory, image * in.cells + i), size);
    }
  });
}

void element_read(const ElementInputs& in, const Array& weights, const Part& query, const Array& context, int threads) {
  const std::int64_t cells = in.memory.cells;
  const auto size = static_cast<std::size_t>(context.dim(1));
  over_images(*in.memory.rows, weights.dim(0), threads, [&](std::int64_t image, std::int64_t row) {
    const std::span<float> dst(row_of(context, row), size);
    std::ranges::fill(dst, 0.0F);
    for (std::int64_t i = 0; i < cells; ++i) {
      add_opened({row_of(in.memory.memory, image * cells + i), row_of(in.keys, image * cells + i), row_of(query, row),
                  row_of(weights, row)[i]},
                 dst);
    }
  });
}

void element_read_backward(const ElementInputs& in, const Array& weights, const Part& query, const Array& d_context,
                           const ElementGradients& gradients, int threads) {
  const std::int64_t cells = in.memory.cells;
  const std::int64_t size = d_context.dim(1);
  over_images(*in.memory.rows, weights.dim(0), threads, [&](std::int64_t image, std::int64_t row) {
    for (std::int64_t i = 0; i < cells; ++i) {
      OpenedCellBackward args;
      args.cell = {row_of(in.memory.memory, image * cells + i), row_of(in.keys, image * cells + i), row_of(query, row),
                   row_of(weights, row)[i]};
      args.d_dst = row_of(d_context, row);
      args.d_src = row_of(gradients.memory, image * cells + i);
      args.d_key = row_of(gradients.keys, image * cells + i);
      args.d_query = row_of(gradients.query, row);
      row_of(gradients.weights, row)[i] = opened_backward(args, size);
    }
  });
}

}  // namespace glimpse::dnn
