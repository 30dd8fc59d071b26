/// Products of f32 matrices whose shapes come and go: oneDNN's sgemm. Internal to src/dnn.
#pragma once

#include <cstdint>

namespace glimpse::dnn {

/// A row-major matrix, or its transpose.
struct Factor {
  const float* values;
  std::int64_t rows;
  std::int64_t cols;
  bool transpose = false;
  std::int64_t stride = 0;  ///< floats from row to row; 0: `cols`, the matrix is dense
};

/// dst = left · right, or, `accumulate`, dst + left · right; on as many threads as are in force. dst's rows are
/// `dst_stride` floats apart; 0: dense. Throws Error(kModel) where oneDNN refuses.
void multiply(const Factor& left, const Factor& right, float* dst, bool accumulate, std::int64_t dst_stride = 0);
/// The same for each of `count` pairs, dense, which stand one behind the other; a thread takes whole pairs.
void multiply_all(std::int64_t count, const Factor& left, const Factor& right, float* dst, bool accumulate,
                  int threads);

}  // namespace glimpse::dnn
