#include "ops/step_context.h"

#include <algorithm>
#include <utility>

namespace glimpse::ops {

StepBinding::StepBinding(Store& store, const Node& node, std::vector<StepView> srcs, std::vector<const float*> raw_srcs,
                         bool in_step)
    : store_(store), node_(node), srcs_(std::move(srcs)), raw_srcs_(std::move(raw_srcs)), in_step_(in_step) {}

const StepSizes& StepBinding::sizes() const { return store_.sizes; }

std::int64_t StepBinding::items() const { return in_step_ ? sizes().rows() : sizes().images; }

float* StepBinding::buffer(std::int64_t floats) {
  store_.buffers.push_back(std::make_unique<Tensor>(Shape{std::max<std::int64_t>(1, floats)}));
  std::ranges::fill(store_.buffers.back()->values(), 0.0F);
  return store_.buffers.back()->data();
}

StepView StepBinding::make(std::int64_t width, std::int64_t cells) {
  const std::int64_t rows = items() * std::max<std::int64_t>(1, cells);
  return {buffer(rows * width), width, width, cells, !in_step_};
}

void StepBinding::each_picture(Action action) { store_.of_picture.push_back(std::move(action)); }

void StepBinding::each_step(StepPart part, std::function<void(const StepRun&)> action) {
  store_.of_step.push_back({part, std::move(action)});
}

void StepBinding::each_item(StepPart part, std::int64_t floats, std::function<void(std::int64_t)> body) {
  if (!in_step_) {
    each_picture([body = std::move(body)](const StepRun&, std::int64_t image) { body(image); });
    return;
  }
  each_step(part, [body = std::move(body), grain = step_grain(floats)](const StepRun& run) {
    dnn::parallel_for(run.rows, grain, [&](std::int64_t begin, std::int64_t end) {
      for (std::int64_t row = begin; row < end; ++row) body(row);
    });
  });
}

std::int64_t step_grain(std::int64_t floats) {
  constexpr std::int64_t kFloatsPerThread = 32768;
  return std::max<std::int64_t>(1, kFloatsPerThread / std::max<std::int64_t>(1, floats));
}

}  // namespace glimpse::ops
