#include <benchmark/benchmark.h>

#include <cstring>

#include "core/tensor.h"

namespace glimpse {
namespace {

/// Widening a model's f16 weights against plainly copying as many floats: what loading costs beyond the memory traffic.
void widen_f16(benchmark::State& state) {
  const Tensor source({1 << 20});
  const TensorView halves = {source.view().data, DType::kF16, {1 << 20}};
  std::memset(const_cast<float*>(source.data()), 0x2c, source.view().bytes());
  for (auto unused : state) benchmark::DoNotOptimize(to_float(halves).data());
  state.SetItemsProcessed(state.iterations() * halves.count());
}
BENCHMARK(widen_f16);

void copy_f32(benchmark::State& state) {
  Tensor source({1 << 20});
  std::memset(source.data(), 0x2c, source.view().bytes());
  for (auto unused : state) benchmark::DoNotOptimize(to_float(source.view()).data());
  state.SetItemsProcessed(state.iterations() * source.count());
}
BENCHMARK(copy_f32);

}  // namespace
}  // namespace glimpse
