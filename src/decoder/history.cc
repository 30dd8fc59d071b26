#include "decoder/history.h"

#include <algorithm>

#include "dnn/runtime/threads.h"
#include "dnn/math/vector_math.h"

namespace glimpse {
namespace {

/// Words that there is room for at first: those of the longest captions that search makes unless told otherwise.
constexpr std::size_t kUsualSteps = 20;
/// Floats of work below which a second thread is not worth waking.
constexpr std::int64_t kFloatsPerThread = 32768;

}  // namespace

HistorySession::HistorySession(const HistoryWeights& weights, std::int64_t rows) : weights_(weights), rows_(rows) {
  if (!weights_.from_state) return;
  kernel_ = dnn::LinearKernel(weights_.from_state, rows);
  while (moments_.size() <= kUsualSteps) {
    moments_.push_back({Tensor({rows, weights_.from_state.in()}), Tensor({rows, weights_.from_state.out()}),
                        std::vector<int>(static_cast<std::size_t>(rows))});
  }
  alphas_ = Tensor({rows, std::ssize(moments_)});
}

void HistorySession::look(const Tensor& states, std::span<const int> parents, float* dst, std::int64_t stride) {
  if (steps_ == moments_.size()) {
    moments_.push_back({Tensor(states.shape()), Tensor(moments_.front().products.shape()),
                        std::vector<int>(static_cast<std::size_t>(rows_))});
    alphas_ = Tensor({rows_, std::ssize(moments_)});
  }
  Moment& now = moments_[steps_];
  std::ranges::copy(states.values(), now.states.values().begin());
  std::ranges::copy(parents, now.parents.begin());
  kernel_.run(now.states.data(), now.products.data());
  const std::int64_t floats = (static_cast<std::int64_t>(steps_) + 1) * weights_.from_state.out();
  dnn::parallel_for(std::ssize(parents), std::max<std::int64_t>(1, kFloatsPerThread / floats),
                    [&](std::int64_t begin, std::int64_t end) {
                      for (std::int64_t row = begin; row < end; ++row) {
                        const auto from = static_cast<std::size_t>(row * alphas_.dim(1));
                        look_back(row, dst + row * stride, alphas_.values().subspan(from, steps_));
                      }
                    });
  ++steps_;
}

/// r of one row; alphas [steps_] is where its weights are made.
void HistorySession::look_back(std::int64_t row, float* dst, std::span<float> alphas) const {
  const std::int64_t size = weights_.score.count();
  const std::int64_t width = weights_.from_state.in();
  std::fill_n(dst, width, 0.0F);
  if (alphas.empty()) return;
  const Moment& now = moments_[steps_];
  const float* query = now.products.data() + row * 2 * size + size;
  // From the present back along the parents.
  std::int64_t past = row;
  for (std::size_t t = steps_; t-- > 0;) {
    past = moments_[t + 1].parents[static_cast<std::size_t>(past)];
    const float* key = moments_[t].products.data() + past * 2 * size;
    dnn::additive_scores_tanh({key, query, weights_.score.data(), &alphas[t], 1, size});
  }
  dnn::softmax_in_place(alphas);
  past = row;
  for (std::size_t t = steps_; t-- > 0;) {
    past = moments_[t + 1].parents[static_cast<std::size_t>(past)];
    const float* state = moments_[t].states.data() + past * width;
    for (std::int64_t i = 0; i < width; ++i) dst[i] += alphas[t] * state[i];
  }
}

}  // namespace glimpse
