/// Products of f32 matrices whose shapes come and go: oneDNN's sgemm. Internal to src/dnn.
#pragma once

#include <cstdint>

namespace glimpse::dnn {

/// A dense, row-major matrix, or its transpose.
struct Factor {
  const float* values;
  std::int64_t rows;
  std::int64_t cols;
  bool transpose = false;
};

/// dst = left · right, or, `accumulate`, dst + left · right; on as many threads as are in force. Throws Error(kModel)
/// where oneDNN refuses.
void multiply(const Factor& left, const Factor& right, float* dst, bool accumulate);
/// The same for each of `count` pairs, which stand one behind the other; a thread takes whole pairs.
void multiply_all(std::int64_t count, const Factor& left, const Factor& right, float* dst, bool accumulate,
                  int threads);

}  // namespace glimpse::dnn
