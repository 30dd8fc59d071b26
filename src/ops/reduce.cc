#include <algorithm>
#include <numeric>

#include "autograd/attention_ops.h"
#include "autograd/row_ops.h"
#include "dnn/math/vector_math.h"
#include "ops/families.h"
#include "ops/step_context.h"
#include "ops/tape_step.h"

namespace glimpse::ops {
namespace {

using train::Variable;

/// dst [width] = Σ weights[i] · rows[i] / Σ weights.
void weighted_mean(const float* rows, std::span<const float> weights, std::span<float> dst) {
  float total = 0;
  std::ranges::fill(dst, 0.0F);
  for (const float weight : weights) {
    total += weight;
    for (float& sum : dst) sum += weight * *rows++;
  }
  for (float& sum : dst) sum /= total;
}

/// mean: of a picture's cells, as far as they count.
class Mean final : public Operation {
 public:
  std::string_view name() const override { return "mean"; }
  bool belongs_to(Dialect dialect) const override { return dialect == Dialect::kStep; }
  Shape shape(const NodeView& view) const override {
    if (view.src().size() != 3) view.fail("takes a map of cells, not " + to_string(view.src()));
    return {1, view.src()[2]};
  }

  std::unique_ptr<PackedStep> pack(std::span<const PackContext>) const override {
    return std::make_unique<Unweighted>([](StepBinding& binding) {
      const StepView src = binding.src();
      const StepView dst = binding.make(src.width);
      binding.each_picture([=](const StepRun& run, std::int64_t image) {
        const std::span<float> mean(dst.item(image), static_cast<std::size_t>(src.width));
        if (run.mask.empty()) {
          dnn::mean_of_rows(src.item(image), src.cells, mean);
        } else {
          weighted_mean(src.item(image), run.mask, mean);
        }
      });
      binding.give(dst);
    });
  }

  void teach(std::span<TapeStep* const> nodes) const override {
    TapeStep& step = *nodes.front();
    if (step.is_zero(0)) return step.give_zero(step.width(0));
    const Variable memory = step.src();
    const std::int64_t images = step.lesson.images;
    const std::int64_t cells = step.lesson.cell_count();
    const std::span<const float> masks = step.lesson.masks;
    if (masks.empty()) {
      step.give(train::mean_of_cells(step.tape, train::reshape(step.tape, memory, {images, cells, memory.dim(1)})));
      return;
    }
    const dnn::Array shares = step.tape.kernels().take({images, cells});
    train::Gaze own = {cells, {}};
    for (std::int64_t image = 0; image < images; ++image) {
      const auto mask = masks.subspan(static_cast<std::size_t>(image * cells), static_cast<std::size_t>(cells));
      const float total = std::accumulate(mask.begin(), mask.end(), 0.0F);
      std::ranges::transform(mask, shares.data() + image * cells, [&](float weight) { return weight / total; });
      own.rows.push_back({static_cast<int>(image)});
    }
    step.give(train::RepeatedRead(step.tape, memory, std::move(own))(step.tape.constant(shares)));
  }
};

}  // namespace

const Operation& mean() {
  static const Mean kOperation;
  return kOperation;
}

}  // namespace glimpse::ops
