/// Splitting loops over threads by how much work an item is. Internal to src/dnn.
#pragma once

#include <algorithm>
#include <cstdint>

#include "dnn/runtime/engine.h"
#include "dnn/runtime/threads.h"

namespace glimpse::dnn {

/// Floats of work below which a second thread costs more than it brings.
constexpr std::int64_t kGrain = 16384;

/// Calls body(row) for each of `rows`, each of which is `floats` of work.
template <typename Body>
void over_rows(std::int64_t rows, std::int64_t floats, int threads, Body body) {
  run_on_threads(threads, [&] {
    parallel_for(rows, std::max<std::int64_t>(1, kGrain / std::max<std::int64_t>(1, floats)),
                 [&](std::int64_t begin, std::int64_t end) {
                   for (std::int64_t row = begin; row < end; ++row) body(row);
                 });
  });
}

/// Calls body(from, count) on stretches of [0, count).
template <typename Body>
void over_numbers(std::int64_t count, int threads, Body body) {
  run_on_threads(threads, [&] {
    parallel_for(count, kGrain, [&](std::int64_t begin, std::int64_t end) { body(begin, end - begin); });
  });
}

}  // namespace glimpse::dnn
