/// The gradient check: compares an operation on the tape with a naive reference in double precision.
///
/// The operation's value must equal the reference's, and the gradients that flow back must equal the central
/// differences of Σ weights · reference, in every way in which a tape may call it: into parameters whose gradients are
/// not zero, with an input used twice, with a gradient that somebody else still holds, and with every input in turn as
/// the only one that needs a gradient. All memory that the operation is given has held NaN before.
#pragma once

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <functional>
#include <limits>
#include <ostream>
#include <string>
#include <vector>

#include "core/random.h"
#include "autograd/tape.h"

namespace glimpse::train {

using Numbers = std::vector<double>;

struct GradientInput {
  Shape shape;
  double low = -1;  ///< values are drawn from [low, high), unless they are given
  double high = 1;
  std::int64_t block = 1;  ///< layout, see dnn/array.h
  bool gradient = true;    ///< false: the operation takes none of it
  std::vector<float> values = {};
};

/// `reference` takes and gives numbers in row-major order, whatever the layouts are.
struct GradientCase {
  std::string name;
  std::vector<GradientInput> inputs;
  std::function<Variable(Tape&, const std::vector<Variable>&)> op;
  std::function<Numbers(const std::vector<Numbers>&)> reference;
  bool linear = false;     ///< in each input by itself: differences are exact then, and the gradient must be
  double rounding = 1e-5;  ///< relative error of the value, and of the gradient of what is linear
};

inline std::ostream& operator<<(std::ostream& out, const GradientCase& c) { return out << c.name; }

namespace gradient_check {

constexpr int kThreads = 2;
constexpr double kStep = 1e-5;                ///< small, so that few ReLUs have their kink within it
constexpr std::size_t kMostDifferences = 64;  ///< of an input of more numbers, this many are looked at

/// Fills the memory that a pool hands out next with NaN.
inline void poison(dnn::Kernels& kernels) {
  constexpr std::int64_t kSmallest = 16;
  constexpr std::int64_t kLargest = 32768;
  constexpr int kArraysOfASize = 4;
  std::vector<dnn::Array> all;
  for (std::int64_t power = kSmallest; power <= kLargest; power *= 2) {
    for (std::int64_t count = power; count < 2 * power; count += std::max(kSmallest, power / 8)) {
      for (int i = 0; i < kArraysOfASize; ++i) all.push_back(kernels.take({count}));
    }
  }
  for (const dnn::Array& array : all) std::ranges::fill(array.values(), std::numeric_limits<float>::quiet_NaN());
}

inline Tensor random_tensor(const GradientInput& input, Random& random) {
  if (!input.values.empty()) return {input.shape, input.values};
  Tensor tensor(input.shape);
  for (float& value : tensor.values()) {
    value = static_cast<float>(input.low + (input.high - input.low) * random.uniform());
  }
  return tensor;
}

inline Numbers to_numbers(const dnn::Array& array, dnn::Kernels& kernels) {
  const dnn::Array plain = kernels.reordered(array, 1);
  return {plain.values().begin(), plain.values().end()};
}

/// |found − expected| against the number's own size, or that of the numbers around it where it is small.
inline void expect_near(const Numbers& found, const Numbers& expected, const std::vector<std::size_t>& where,
                        double tolerance, const std::string& what) {
  double squares = 0;
  for (const double value : expected) squares += value * value;
  const double usual = std::sqrt(squares / static_cast<double>(std::max<std::size_t>(1, expected.size())));
  for (std::size_t i = 0; i < expected.size(); ++i) {
    const double bound = tolerance * std::max(std::abs(expected[i]), usual) + 1e-9;
    // Not EXPECT_NEAR, which NaN would have to be told apart from.
    if (std::abs(found[where[i]] - expected[i]) <= bound) continue;
    ADD_FAILURE() << what << ", number " << where[i] << ": " << found[where[i]] << ", expected " << expected[i];
    return;
  }
}

/// Shared by all ways to call an operation.
class Check {
 public:
  explicit Check(const GradientCase& c) : case_(c), kernels_(kThreads) {
    Random random(1 + std::hash<std::string>{}(c.name));
    for (const GradientInput& input : c.inputs) {
      tensors_.push_back(random_tensor(input, random));
      numbers_.emplace_back(tensors_.back().values().begin(), tensors_.back().values().end());
    }
    expected_ = c.reference(numbers_);
    for (std::size_t i = 0; i < expected_.size(); ++i) {
      weights_.push_back(static_cast<float>(2 * random.uniform() - 1));
      prior_.push_back(static_cast<float>(random.normal()));
    }
    find_differences(random);
  }

  void run() {
    into_parameters();
    used_twice();
    for (std::size_t i = 0; i < tensors_.size(); ++i) {
      if (case_.inputs[i].gradient) alone(i);
    }
  }

 private:
  double reference_loss(const std::vector<Numbers>& inputs) const {
    const Numbers values = case_.reference(inputs);
    double loss = 0;
    for (std::size_t i = 0; i < values.size(); ++i) loss += static_cast<double>(weights_[i]) * values[i];
    return loss;
  }

  void find_differences(Random& random) {
    for (std::size_t i = 0; i < numbers_.size(); ++i) {
      Numbers& slopes = slopes_.emplace_back();
      std::vector<std::size_t>& where = where_.emplace_back();
      if (!case_.inputs[i].gradient) continue;
      const std::size_t count = std::min(numbers_[i].size(), kMostDifferences);
      std::vector<Numbers> moved = numbers_;
      for (std::size_t k = 0; k < count; ++k) {
        const std::size_t at =
            count == numbers_[i].size() ? k : static_cast<std::size_t>(random.below(numbers_[i].size()));
        moved[i][at] = numbers_[i][at] + kStep;
        const double above = reference_loss(moved);
        moved[i][at] = numbers_[i][at] - kStep;
        const double below = reference_loss(moved);
        moved[i][at] = numbers_[i][at];
        where.push_back(at);
        slopes.push_back((above - below) / (2 * kStep));
      }
    }
  }

  dnn::Array laid_out(std::size_t i, std::int64_t block) {
    return kernels_.reordered(kernels_.copy(dnn::Array::borrow(tensors_[i])), block);
  }

  /// Σ weights · value, which also proves the value right.
  Variable weighted_sum(Tape& tape, const Variable& value) {
    const Numbers found = to_numbers(value.value(), kernels_);
    EXPECT_EQ(found.size(), expected_.size()) << case_.name;
    std::vector<std::size_t> everywhere(expected_.size());
    for (std::size_t i = 0; i < everywhere.size(); ++i) everywhere[i] = i;
    if (found.size() == expected_.size()) {
      expect_near(found, expected_, everywhere, case_.rounding, case_.name + ": value");
    }
    dnn::Array gradient = kernels_.take(value.shape());
    std::ranges::copy(weights_, gradient.data());
    gradient = kernels_.reordered(gradient, value.value().block());
    held_ = gradient;
    return tape.record(kernels_.zeros({1}), {value},
                       [&tape, value, gradient](const dnn::Array&) { tape.add_gradient(value, gradient); });
  }

  void expect_gradient(const Numbers& found, std::size_t i, double factor, const std::string& how) {
    Numbers expected = slopes_[i];
    for (double& value : expected) value *= factor;
    expect_near(found, expected, where_[i], case_.linear ? case_.rounding : 1e-3,
                case_.name + ": gradient of input " + std::to_string(i) + ", " + how);
  }

  /// Expects that backward left everything else unchanged.
  void expect_unchanged(const std::vector<Variable>& variables) {
    const Numbers held = to_numbers(held_, kernels_);
    EXPECT_TRUE(std::ranges::equal(held, weights_)) << case_.name << ": a gradient that is not its own was changed";
    held_ = {};
    for (std::size_t i = 0; i < variables.size(); ++i) {
      EXPECT_EQ(to_numbers(variables[i].value(), kernels_), numbers_[i]) << case_.name << ": input " << i << " changed";
    }
  }

  void into_parameters() {
    std::vector<Parameter> parameters(tensors_.size());
    Tape tape(kernels_);
    std::vector<Variable> variables;
    for (std::size_t i = 0; i < tensors_.size(); ++i) {
      parameters[i].value = tensors_[i].clone();
      parameters[i].gradient = Tensor(tensors_[i].shape());
      for (std::size_t k = 0; k < numbers_[i].size(); ++k) {
        parameters[i].gradient.data()[k] = prior_[k % prior_.size()];
      }
      variables.push_back(case_.inputs[i].gradient ? tape.parameter(parameters[i])
                                                   : tape.constant(laid_out(i, case_.inputs[i].block)));
    }
    poison(kernels_);
    const Variable loss = weighted_sum(tape, case_.op(tape, variables));
    poison(kernels_);
    tape.backward(loss);
    for (std::size_t i = 0; i < tensors_.size(); ++i) {
      if (!case_.inputs[i].gradient) continue;
      Numbers found;
      for (std::size_t k = 0; k < numbers_[i].size(); ++k) {
        found.push_back(static_cast<double>(parameters[i].gradient.data()[k]) -
                        static_cast<double>(prior_[k % prior_.size()]));
      }
      expect_gradient(found, i, 1, "added to a parameter's");
    }
    expect_unchanged(variables);
  }

  void used_twice() {
    Tape tape(kernels_);
    std::vector<Variable> variables;
    for (std::size_t i = 0; i < tensors_.size(); ++i) {
      const dnn::Array array = laid_out(i, case_.inputs[i].block);
      variables.push_back(case_.inputs[i].gradient ? tape.watched(array) : tape.constant(array));
    }
    poison(kernels_);
    const Variable first = weighted_sum(tape, case_.op(tape, variables));
    const Variable second = weighted_sum(tape, case_.op(tape, variables));
    const Variable loss =
        tape.record(kernels_.zeros({1}), {first, second}, [&tape, first, second](const dnn::Array& gradient) {
          tape.add_gradient(first, gradient);
          tape.add_gradient(second, gradient);
        });
    poison(kernels_);
    tape.backward(loss);
    for (std::size_t i = 0; i < tensors_.size(); ++i) {
      if (case_.inputs[i].gradient) expect_gradient(to_numbers(tape.gradient(variables[i]), kernels_), i, 2, "twice");
    }
    expect_unchanged(variables);
  }

  void alone(std::size_t wanted) {
    Tape tape(kernels_);
    std::vector<Variable> variables;
    for (std::size_t i = 0; i < tensors_.size(); ++i) {
      const dnn::Array array = laid_out(i, case_.inputs[i].block);
      variables.push_back(i == wanted ? tape.watched(array) : tape.constant(array));
    }
    poison(kernels_);
    const Variable loss = weighted_sum(tape, case_.op(tape, variables));
    tape.backward(loss);
    expect_gradient(to_numbers(tape.gradient(variables[wanted]), kernels_), wanted, 1, "alone");
    expect_unchanged(variables);
  }

  const GradientCase& case_;
  dnn::Kernels kernels_;
  std::vector<Tensor> tensors_;
  std::vector<Numbers> numbers_;  ///< the same
  Numbers expected_;
  std::vector<float> weights_;  ///< of the loss, one a number of the value
  std::vector<float> prior_;    ///< gradients that parameters have already
  std::vector<Numbers> slopes_;
  std::vector<std::vector<std::size_t>> where_;  ///< the numbers that they are slopes of
  dnn::Array held_;
};

}  // namespace gradient_check

inline void check_gradient(const GradientCase& c) {
  SCOPED_TRACE(c.name);
  gradient_check::Check(c).run();
}

}  // namespace glimpse::train
