#include "dnn/products/sgemm.h"

#include <cassert>
#include <string>

#include "dnn/runtime/engine.h"
#include "dnn/runtime/threads.h"

namespace glimpse::dnn {

void multiply(const Factor& left, const Factor& right, float* dst, bool accumulate, std::int64_t dst_stride) {
  const auto stride = [](const Factor& factor) { return factor.stride == 0 ? factor.cols : factor.stride; };
  const std::int64_t rows = left.transpose ? left.cols : left.rows;
  const std::int64_t inner = left.transpose ? left.rows : left.cols;
  const std::int64_t cols = right.transpose ? right.rows : right.cols;
  assert((right.transpose ? right.cols : right.rows) == inner);
  if (rows == 0 || cols == 0) return;
  const dnnl_status_t status = dnnl_sgemm(left.transpose ? 'T' : 'N', right.transpose ? 'T' : 'N', rows, cols, inner,
                                          1.0F, left.values, stride(left), right.values, stride(right),
                                          accumulate ? 1.0F : 0.0F, dst, dst_stride == 0 ? cols : dst_stride);
  if (status != dnnl_success) {
    throw Error(ErrorCode::kModel, "oneDNN refuses a product of [" + std::to_string(rows) + "," +
                                       std::to_string(inner) + "] and [" + std::to_string(inner) + "," +
                                       std::to_string(cols) + "]");
  }
}

void multiply_all(std::int64_t count, const Factor& left, const Factor& right, float* dst, bool accumulate,
                  int threads) {
  const std::int64_t size = (left.transpose ? left.cols : left.rows) * (right.transpose ? right.rows : right.cols);
  const auto nth = [](const Factor& factor, std::int64_t i) {
    return Factor{factor.values + i * factor.rows * factor.cols, factor.rows, factor.cols, factor.transpose};
  };
  run_on_threads(threads, [&] {
    parallel_for(count, 1, [&](std::int64_t begin, std::int64_t end) {
      for (std::int64_t i = begin; i < end; ++i) multiply(nth(left, i), nth(right, i), dst + i * size, accumulate);
    });
  });
}

}  // namespace glimpse::dnn
