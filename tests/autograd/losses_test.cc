// The losses of distillation through the gradient check.
#include "autograd/losses.h"

#include <gtest/gtest.h>

#include <cmath>
#include <numeric>

#include "gradient_check.h"

namespace glimpse::train {
namespace {

Tensor random_target(const Shape& shape) {
  Random random(static_cast<std::uint64_t>(element_count(shape)));
  Tensor target(shape);
  for (float& value : target.values()) value = static_cast<float>(random.normal());
  return target;
}

TEST(Losses, MeanSquaredErrorWhateverTheLayouts) {
  for (const Shape& shape : {Shape{2, 16, 3, 3}, Shape{2, 10, 3, 3}, Shape{3, 10}}) {
    Tensor target = random_target(shape);
    const std::int64_t blocked = shape.size() == 4 ? dnn::Kernels(1).block() : 1;
    for (const std::int64_t block : {std::int64_t{1}, blocked}) {
      for (const std::int64_t target_block : {std::int64_t{1}, blocked}) {
        check_gradient({"squared error of " + to_string(shape) + ", blocks of " + std::to_string(block) + " and " +
                            std::to_string(target_block),
                        {{.shape = shape, .block = block}},
                        [&](Tape& tape, const std::vector<Variable>& in) {
                          return mean_squared_error(tape, in[0],
                                                    tape.kernels().reordered(dnn::Array::borrow(target), target_block));
                        },
                        [&](const std::vector<Numbers>& in) {
                          double sum = 0;
                          for (std::size_t i = 0; i < in[0].size(); ++i) {
                            sum += (in[0][i] - target.values()[i]) * (in[0][i] - target.values()[i]);
                          }
                          return Numbers{sum / static_cast<double>(in[0].size())};
                        }});
      }
    }
  }
}

/// softmax(logits / temperature) of one row.
Numbers softened(const double* logits, std::size_t classes, double temperature) {
  Numbers result;
  for (std::size_t i = 0; i < classes; ++i) result.push_back(std::exp(logits[i] / temperature));
  const double sum = std::accumulate(result.begin(), result.end(), 0.0);
  for (double& value : result) value /= sum;
  return result;
}

TEST(Losses, Divergence) {
  constexpr std::size_t kRows = 3;
  constexpr std::size_t kClasses = 11;
  for (const Shape& shape : {Shape{kRows, kClasses}, Shape{kRows, kClasses, 1, 1}}) {
    Tensor target = random_target(shape);
    const Numbers wanted(target.values().begin(), target.values().end());
    for (const double temperature : {1.0, 3.0}) {
      check_gradient({"divergence at " + std::to_string(temperature),
                      {{.shape = shape, .low = -3, .high = 3}},
                      [&](Tape& tape, const std::vector<Variable>& in) {
                        return divergence(tape, in[0], dnn::Array::borrow(target), temperature);
                      },
                      [&](const std::vector<Numbers>& in) {
                        double sum = 0;
                        for (std::size_t r = 0; r < kRows; ++r) {
                          const Numbers p = softened(wanted.data() + r * kClasses, kClasses, temperature);
                          const Numbers q = softened(in[0].data() + r * kClasses, kClasses, temperature);
                          for (std::size_t i = 0; i < kClasses; ++i) sum += p[i] * std::log(p[i] / q[i]);
                        }
                        return Numbers{temperature * temperature * sum / kRows};
                      }});
    }
  }
}

TEST(Losses, DivergenceFromItselfIsNoneHoweverLargeTheLogits) {
  dnn::Kernels kernels(1);
  Tape tape(kernels);
  const std::vector<float> large = {1000, -1000, 0, 88, 89, 90};
  Tensor logits({2, 3}, large);
  const Variable given = tape.watched(kernels.copy(dnn::Array::borrow(logits)));
  const Variable loss = divergence(tape, given, dnn::Array::borrow(logits), 1);
  EXPECT_EQ(loss.value().data()[0], 0);
  tape.backward(loss);
  for (const float value : tape.gradient(given).values()) EXPECT_EQ(value, 0);
}

TEST(Losses, WeightedSum) {
  check_gradient({"weighted sum",
                  {{.shape = {1}}, {.shape = {1}}, {.shape = {1}}},
                  [](Tape& tape, const std::vector<Variable>& in) {
                    return weighted_sum(tape, {{2, in[0]}, {-0.25, in[1]}, {1, in[2]}, {0.5, in[0]}});
                  },
                  [](const std::vector<Numbers>& in) { return Numbers{2.5 * in[0][0] - 0.25 * in[1][0] + in[2][0]}; },
                  true});
}

TEST(Losses, Affine) {
  const std::int64_t wide = dnn::Kernels(1).block();
  for (const Shape& shape : {Shape{2, 16, 3, 2}, Shape{2, 10, 3, 2}, Shape{3, 10, 1, 1}}) {
    const Tensor scale = random_target({shape[1]});
    Tensor shift(Shape{shape[1]});
    for (std::size_t c = 0; c < shift.values().size(); ++c) shift.values()[c] = 0.5F - 0.25F * static_cast<float>(c);
    const auto cells = static_cast<std::size_t>(shape[2] * shape[3]);
    const auto channels = static_cast<std::size_t>(shape[1]);
    for (const std::int64_t block : {std::int64_t{1}, wide}) {
      check_gradient({"affine of " + to_string(shape) + ", blocks of " + std::to_string(block),
                      {{.shape = shape, .block = block}},
                      [&](Tape& tape, const std::vector<Variable>& in) { return affine(tape, in[0], scale, shift); },
                      [&](const std::vector<Numbers>& in) {
                        Numbers result = in[0];
                        for (std::size_t i = 0; i < result.size(); ++i) {
                          const std::size_t c = i / cells % channels;
                          result[i] = static_cast<double>(scale.values()[c]) * result[i] + shift.values()[c];
                        }
                        return result;
                      },
                      true});
    }
  }
}

}  // namespace
}  // namespace glimpse::train
