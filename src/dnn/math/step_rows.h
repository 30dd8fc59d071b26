/// Rows of Arrays and of their parts, and loops over the rows of images. Internal to src/dnn.
#pragma once

#include <cstdint>

#include "dnn/kernels/array.h"
#include "dnn/math/step_math.h"
#include "dnn/runtime/over_rows.h"

namespace glimpse::dnn {

inline float* row_of(const Array& array, std::int64_t row) { return array.data() + row * array.dim(1); }
inline float* row_of(const Part& part, std::int64_t row) {
  return part.matrix.data() + (part.corner.row + row) * part.matrix.dim(1) + part.corner.col;
}

/// Calls body(image, row) for the first `count` rows, all of one image on one thread.
template <typename Body>
void over_images(const RowsOfImages& rows, std::int64_t count, int threads, Body body) {
  over_rows(static_cast<std::int64_t>(rows.size()), kGrain, threads, [&](std::int64_t image) {
    for (const int row : rows[static_cast<std::size_t>(image)]) {
      if (row >= count) break;
      body(image, row);
    }
  });
}

}  // namespace glimpse::dnn
