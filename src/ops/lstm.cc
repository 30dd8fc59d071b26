#include <algorithm>

#include "autograd/step_ops.h"
#include "dnn/math/vector_math.h"
#include "ops/families.h"
#include "ops/step_context.h"
#include "ops/tape_step.h"

namespace glimpse::ops {
namespace {

/// lstm h,c < SUMS... C: i, f, g, o = the sum of all inputs but the last, [4n]; c = σ(f) C + σ(i) tanh(g); h = σ(o)
/// tanh(c) (Hochreiter and Schmidhuber 1997, with forget gates).
class Lstm final : public Operation {
 public:
  std::string_view name() const override { return "lstm"; }
  bool belongs_to(Dialect dialect) const override { return dialect == Dialect::kStep; }
  std::size_t min_inputs() const override { return 2; }
  std::size_t max_inputs() const override { return kAnyNumber; }
  std::size_t results() const override { return 2; }

  Shape shape(const NodeView& view) const override {
    const Shape& c = view.srcs.back();
    for (const Shape& src : view.srcs) {
      if (src.size() != 2) view.fail("takes vectors, not " + to_string(src));
    }
    for (std::size_t i = 0; i + 1 < view.srcs.size(); ++i) {
      if (view.srcs[i][1] == 4 * c[1]) continue;
      view.fail("input " + std::to_string(i + 1) + " has " + std::to_string(view.srcs[i][1]) +
                " numbers; four gates of a state of " + std::to_string(c[1]) + " are " + std::to_string(4 * c[1]));
    }
    return c;
  }

  std::unique_ptr<PackedStep> pack(std::span<const PackContext>) const override {
    return std::make_unique<Unweighted>([](StepBinding& binding) { bind(binding); });
  }

  void teach(std::span<TapeStep* const> nodes) const override {
    TapeStep& step = *nodes.front();
    std::vector<train::Piece> sums;
    const std::size_t last = step.src_count() - 1;
    for (std::size_t i = 0; i < last; ++i) {
      for (train::Piece& piece : step.pieces(i)) sums.push_back(std::move(piece));
    }
    // It may have more rows than this step, but no columns beside its own.
    const std::vector<train::Piece> held = step.pieces(last);
    const bool plain = held.size() == 1 && held[0].corner.row == 0 && held[0].corner.col == 0 &&
                       held[0].matrix.dim(1) == step.width(last);
    const train::Variable c = plain ? held[0].matrix : step.src(last);
    const train::LstmState state = train::lstm_cell(step.tape, sums, c, step.rows());
    step.give(state.h);
    step.give(state.c);
  }

 private:
  static void bind(StepBinding& binding) {
    const std::size_t last = binding.src_count() - 1;
    const StepView c_before = binding.src(last);
    const std::int64_t n = c_before.width;
    const StepView h = binding.make(n);
    const StepView c = binding.make(n);
    const StepView a = binding.src(0);
    // The loop adds two; one alone meets zeros, a third and later ones are added up first.
    StepView b = last > 1 ? binding.src(1) : StepView{binding.buffer(4 * n), 4 * n, 0, 0, false};
    if (last > 2) {
      const StepView sum = binding.make(4 * n);
      std::vector<StepView> more;
      for (std::size_t i = 1; i < last; ++i) more.push_back(binding.src(i));
      binding.each_item(StepPart::kGates, 4 * n, [=](std::int64_t row) {
        std::copy_n(more[0].item(row), 4 * n, sum.item(row));
        for (std::size_t i = 1; i < more.size(); ++i) {
          dnn::add({sum.item(row), static_cast<std::size_t>(4 * n)}, more[i].item(row), sum.item(row));
        }
      });
      b = sum;
    }
    binding.each_item(StepPart::kGates, 4 * n, [=](std::int64_t row) {
      dnn::lstm_row({a.item(row), b.item(row), c_before.item(row), c.item(row), h.item(row)}, n);
    });
    binding.give(h);
    binding.give(c);
  }
};

}  // namespace

const Operation& lstm() {
  static const Lstm kOperation;
  return kOperation;
}

}  // namespace glimpse::ops
