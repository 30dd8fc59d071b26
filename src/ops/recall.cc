// A decoder's look at its own past at inference: the states of all steps so far, followed back along the parents.

#include <algorithm>
#include <utility>
#include <vector>

#include "dnn/math/vector_math.h"
#include "dnn/products/linear.h"
#include "ops/families.h"
#include "ops/step_context.h"

namespace glimpse::ops {
namespace {

/// Words that there is room for at first: those of the longest captions that search makes unless told otherwise.
constexpr std::size_t kUsualSteps = 20;

struct Weights {
  dnn::Linear from_state;  // h → [key A; query A]
  Tensor score;            // [1, A]
};

/// The pasts of a session's rows. A caption of more words than there was room for at first takes more memory as it
/// grows, which is kept.
class Pasts {
 public:
  Pasts(std::shared_ptr<const Weights> weights, std::int64_t rows)
      : weights_(std::move(weights)), rows_(rows), kernel_(weights_->from_state, rows) {
    while (moments_.size() <= kUsualSteps) add_moment();
  }

  void look(const StepRun& run, const StepView& states, const StepView& dst) {
    const auto step = static_cast<std::size_t>(run.step);
    while (step >= moments_.size()) add_moment();
    Moment& now = moments_[step];
    for (std::int64_t row = 0; row < run.rows; ++row) {
      std::copy_n(states.item(row), states.width, now.states.data() + row * states.width);
    }
    std::ranges::copy(run.parents, now.parents.begin());
    kernel_.run(now.states.data(), now.products.data());
    const std::int64_t floats = (run.step + 1) * weights_->from_state.out();
    dnn::parallel_for(run.rows, step_grain(floats), [&](std::int64_t begin, std::int64_t end) {
      for (std::int64_t row = begin; row < end; ++row) look_back(step, row, dst.item(row));
    });
  }

 private:
  struct Moment {
    Tensor states;    // [rows, n]
    Tensor products;  // [rows, 2A], keys and queries
    std::vector<int> parents;
  };

  void add_moment() {
    moments_.push_back({zeros({rows_, weights_->from_state.in()}), zeros({rows_, weights_->from_state.out()}),
                        std::vector<int>(static_cast<std::size_t>(rows_))});
    alphas_ = Tensor({rows_, std::ssize(moments_)});
  }

  static Tensor zeros(Shape shape) {
    Tensor tensor(std::move(shape));
    std::ranges::fill(tensor.values(), 0.0F);
    return tensor;
  }

  void look_back(std::size_t step, std::int64_t row, float* dst) {
    const std::int64_t size = weights_->score.count();
    const std::int64_t width = weights_->from_state.in();
    std::fill_n(dst, width, 0.0F);
    if (step == 0) return;
    const std::span<float> alphas = alphas_.values().subspan(static_cast<std::size_t>(row * alphas_.dim(1)), step);
    const float* query = moments_[step].products.data() + row * 2 * size + size;
    // From the present back along the parents.
    std::int64_t past = row;
    for (std::size_t t = step; t-- > 0;) {
      past = moments_[t + 1].parents[static_cast<std::size_t>(past)];
      const float* key = moments_[t].products.data() + past * 2 * size;
      dnn::additive_scores_tanh({key, query, weights_->score.data(), &alphas[t], 1, size});
    }
    dnn::softmax_in_place(alphas);
    past = row;
    for (std::size_t t = step; t-- > 0;) {
      past = moments_[t + 1].parents[static_cast<std::size_t>(past)];
      const float* state = moments_[t].states.data() + past * width;
      for (std::int64_t i = 0; i < width; ++i) dst[i] += alphas[t] * state[i];
    }
  }

  std::shared_ptr<const Weights> weights_;
  std::int64_t rows_;
  dnn::LinearKernel kernel_;
  std::vector<Moment> moments_;
  Tensor alphas_;  // [rows, moments]
};

}  // namespace

std::unique_ptr<PackedStep> pack_recall(const PackContext& node) {
  const std::int64_t size = node.view.attributes().count("size");
  const std::int64_t width = node.view.src()[1];
  Tensor weight(Shape{2 * size, width});
  Tensor bias(Shape{2 * size});
  std::ranges::fill(bias.values(), 0.0F);
  std::ranges::copy(node.tensor(".key.weight", {size, width}).values(), weight.data());
  std::ranges::copy(node.tensor(".query.weight", {size, width}).values(), weight.data() + size * width);
  std::ranges::copy(node.tensor(".key.bias", {size}).values(), bias.data());
  auto weights = std::make_shared<Weights>();
  weights->from_state = dnn::Linear(node.view.node.name, weight, std::as_const(bias).values());
  weights->score = node.tensor(".score.weight", {1, size});
  return std::make_unique<Unweighted>([weights](StepBinding& binding) {
    const auto pasts = std::make_shared<Pasts>(weights, binding.items());
    const StepView states = binding.src();
    const StepView dst = binding.make(states.width);
    binding.each_step(StepPart::kGates, [=](const StepRun& run) { pasts->look(run, states, dst); });
    binding.give(dst);
  });
}

}  // namespace glimpse::ops
