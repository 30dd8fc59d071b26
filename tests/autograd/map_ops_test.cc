// Every operation on feature maps but convolution through the gradient check, plain and in blocks of channels.
#include "autograd/map_ops.h"

#include <gtest/gtest.h>

#include <utility>

#include "map_reference.h"
#include "support/activations.h"
#include "train/layouts_check.h"

namespace glimpse::train {
namespace {

using dnn::Activation;
using dnn::PoolingOptions;
using testing::Map;

Tensor tensor(const Shape& shape, const std::vector<float>& values) { return {shape, values}; }

struct NormCase {
  const char* name;
  Shape src;
  bool relu;
  Statistics statistics;
  float epsilon = 1e-5F;
};

const std::vector<NormCase> kNorms = {
    {"batch norm", {3, 16, 5, 4}, false, Statistics::kBatch},
    {"batch norm, relu", {3, 16, 5, 4}, true, Statistics::kBatch},
    {"batch norm of 10", {2, 10, 3, 5}, false, Statistics::kBatch},
    {"batch norm of 10, relu", {2, 10, 3, 5}, true, Statistics::kBatch},
    {"batch norm of 1", {2, 1, 6, 6}, false, Statistics::kBatch, 0.1F},
    {"batch norm of one cell", {6, 8, 1, 1}, true, Statistics::kBatch, 1e-2F},
    {"running norm", {3, 16, 5, 4}, false, Statistics::kRunning},
    {"running norm with relu", {3, 16, 5, 4}, true, Statistics::kRunning},
    {"running norm of 10, relu", {2, 10, 3, 5}, true, Statistics::kRunning, 1e-2F},
    {"running norm of 10", {2, 10, 3, 5}, false, Statistics::kRunning},
};

class BatchNorm : public ::testing::TestWithParam<NormCase> {};

TEST_P(BatchNorm, Gradient) {
  const NormCase& c = GetParam();
  const std::int64_t channels = c.src[1];
  std::vector<float> mean;
  std::vector<float> variance;
  for (std::int64_t i = 0; i < channels; ++i) {
    mean.push_back(0.1F * static_cast<float>(i % 7) - 0.3F);
    variance.push_back(0.2F + 0.1F * static_cast<float>(i % 5));
  }
  const auto op = [&](Tape& tape, const std::vector<Variable>& in) {
    Tensor running_mean = tensor({channels}, mean);
    Tensor running_variance = tensor({channels}, variance);
    const Variable result =
        batch_norm(tape, in[0], in[1], in[2], {running_mean, running_variance}, {c.epsilon, c.relu, c.statistics});
    // What they become before the gradient is asked for must not matter.
    std::ranges::fill(running_mean.values(), 5.0F);
    std::ranges::fill(running_variance.values(), 5.0F);
    return result;
  };
  const auto reference = [&](const std::vector<Numbers>& in) {
    const Map src{in[0], c.src};
    if (c.statistics == Statistics::kBatch) return testing::batch_norm(src, in[1], in[2], c.epsilon, c.relu);
    return testing::batch_norm_by(src, in[1], in[2], Numbers(mean.begin(), mean.end()),
                                  Numbers(variance.begin(), variance.end()), c.epsilon, c.relu);
  };
  check_layouts(
      {c.name, {{.shape = c.src}, {.shape = {channels}, .low = 0.5, .high = 2}, {.shape = {channels}}}, op, reference},
      1);
}

INSTANTIATE_TEST_SUITE_P(MapOps, BatchNorm, ::testing::ValuesIn(kNorms),
                         [](const auto& info) { return "Case" + std::to_string(info.index); });

TEST(MapOps, RunningStatisticsFollowTheBatchesAsPyTorchHasIt) {
  // One channel of 1, 2, 3, 6: mean 3, unbiased variance 14 / 3.
  dnn::Kernels kernels(1);
  Tape tape(kernels);
  Tensor mean = tensor({1}, {10});
  Tensor variance = tensor({1}, {1});
  const Variable src = tape.constant(tensor({2, 1, 1, 2}, {1, 2, 3, 6}));
  const Variable scale = tape.constant(tensor({1}, {1}));
  const Variable shift = tape.constant(tensor({1}, {0}));
  batch_norm(tape, src, scale, shift, {mean, variance}, {});
  EXPECT_FLOAT_EQ(mean.data()[0], 9.3F);
  EXPECT_FLOAT_EQ(variance.data()[0], 0.9F + 1.4F / 3);
  batch_norm(tape, src, scale, shift, {mean, variance, 0.5F}, {});
  EXPECT_FLOAT_EQ(mean.data()[0], 6.15F);
  const float before = variance.data()[0];
  batch_norm(tape, src, scale, shift, {mean, variance}, {.statistics = Statistics::kRunning});
  EXPECT_EQ(mean.data()[0], 6.15F);
  EXPECT_EQ(variance.data()[0], before);
}

TEST(MapOps, Activations) {
  for (const auto& c : glimpse::testing::kReferenceActivations) {
    for (const Shape& shape : {Shape{2, 16, 3, 3}, Shape{2, 10, 3, 3}, Shape{3, 10, 1, 1}}) {
      GradientInput input = spread(shape);
      for (float& value : input.values) value *= c.reach;
      const auto applied = [&](Numbers numbers) {
        for (double& x : numbers) x = testing::activation(x, c.activation);
        return numbers;
      };
      check_layouts({std::string(c.name) + " of " + to_string(shape),
                     {input},
                     [&](Tape& tape, const std::vector<Variable>& in) { return activation(tape, in[0], c.activation); },
                     [&](const std::vector<Numbers>& in) { return applied(in[0]); }},
                    1);
      // In the place of a sum, whose parts keep their numbers. Next to zero beside it, so that no kink is met.
      const GradientInput more{.shape = shape, .low = 0, .high = 1e-5};
      check_layouts({std::string(c.name) + " in place of a sum of " + to_string(shape),
                     {input, more},
                     [&](Tape& tape, const std::vector<Variable>& in) {
                       return activation_in_place(tape, add(tape, in[0], in[1]), c.activation);
                     },
                     [&](const std::vector<Numbers>& in) {
                       return applied(testing::meet({in[0], shape}, {in[1], shape}, false));
                     }},
                    2);
    }
  }
}

struct PoolingCase {
  const char* name;
  Shape src;
  std::array<std::int64_t, 2> kernel = {2, 2};
  std::array<std::int64_t, 2> stride = {2, 2};
  dnn::Padding padding = {};
  bool ceil_mode = false;
};

const std::vector<PoolingCase> kPoolings = {
    {"2x2", {2, 16, 6, 6}},
    {"2x2 of 10", {2, 10, 7, 5}},
    {"3x3 stride 2 padded", {2, 16, 7, 6}, {3, 3}, {2, 2}, {1, 1, 1, 1}},
    {"3x3 stride 2 ceil", {2, 10, 6, 8}, {3, 3}, {2, 2}, {}, true},
    {"3x3 stride 2 padded ceil", {2, 8, 6, 7}, {3, 3}, {2, 2}, {1, 1, 1, 1}, true},
    {"3x2 stride 1x3, padded behind", {1, 8, 6, 7}, {3, 2}, {1, 3}, {0, 0, 1, 1}},
    {"windows with gaps", {1, 8, 8, 8}, {2, 2}, {3, 3}, {}, true},
    {"the whole map", {2, 10, 5, 4}, {5, 4}},
};

TEST(MapOps, Pooling) {
  using Kind = PoolingOptions::Kind;
  for (const PoolingCase& c : kPoolings) {
    for (const auto& [kind, what] : {std::pair{Kind::kMax, "maximum "},
                                     {Kind::kAverageExcludingPadding, "average of what is there "},
                                     {Kind::kAverageIncludingPadding, "average with padding "}}) {
      const PoolingOptions options = {kind, c.kernel, c.stride, c.padding, c.ceil_mode};
      check_layouts({std::string(what) + c.name,
                     {spread(c.src)},
                     [&](Tape& tape, const std::vector<Variable>& in) {
                       return options.kind == Kind::kMax ? max_pooling(tape, in[0], options)
                                                         : average_pooling(tape, in[0], options);
                     },
                     [&](const std::vector<Numbers>& in) {
                       return testing::pooling({in[0], c.src}, options);
                     },
                     true},
                    1);
    }
  }
}

TEST(MapOps, AdaptiveAverage) {
  const Shape src = {2, 10, 7, 5};
  for (const auto& [rows, cols] : {std::pair{1, 1}, {2, 2}, {3, 5}, {7, 5}, {9, 6}}) {
    check_layouts(
        {"adaptive average to " + std::to_string(rows) + "x" + std::to_string(cols),
         {{.shape = src}},
         [&](Tape& tape, const std::vector<Variable>& in) { return adaptive_average(tape, in[0], rows, cols); },
         [&](const std::vector<Numbers>& in) {
           return testing::adaptive_average({in[0], src}, rows, cols);
         },
         true},
        1);
  }
}

TEST(MapOps, AddAndMultiply) {
  for (const std::int64_t channels : {16, 10, 1}) {
    const Shape a = {2, channels, 5, 3};
    for (const Shape& b : {a, Shape{2, channels, 1, 1}, Shape{2, 1, 5, 3}}) {
      for (const bool product : {false, true}) {
        check_layouts({(product ? "product of " : "sum of ") + to_string(a) + " and " + to_string(b),
                       {{.shape = a}, {.shape = b}},
                       [&](Tape& tape, const std::vector<Variable>& in) {
                         return product ? multiply(tape, in[0], in[1]) : add(tape, in[0], in[1]);
                       },
                       [&](const std::vector<Numbers>& in) {
                         return testing::meet({in[0], a}, {in[1], b}, product);
                       },
                       true},
                      2);
      }
    }
  }
}

TEST(MapOps, SumOfAVariableWithItself) {
  const Shape shape = {2, 10, 3, 3};
  check_layouts({"sum with itself",
                 {{.shape = shape}},
                 [](Tape& tape, const std::vector<Variable>& in) { return add(tape, in[0], in[0]); },
                 [&](const std::vector<Numbers>& in) {
                   return testing::meet({in[0], shape}, {in[0], shape}, false);
                 },
                 true},
                1);
  check_layouts({"square",
                 {{.shape = shape}},
                 [](Tape& tape, const std::vector<Variable>& in) { return multiply(tape, in[0], in[0]); },
                 [&](const std::vector<Numbers>& in) {
                   return testing::meet({in[0], shape}, {in[0], shape}, true);
                 }},
                1);
}

TEST(MapOps, Concat) {
  const std::vector<Shape> shapes = {{2, 16, 3, 4}, {2, 10, 3, 4}, {2, 1, 3, 4}};
  check_layouts({"concat",
                 {{.shape = shapes[0]}, {.shape = shapes[1]}, {.shape = shapes[2]}},
                 [](Tape& tape, const std::vector<Variable>& in) { return concat(tape, in); },
                 [&](const std::vector<Numbers>& in) {
                   return testing::concat({{in[0], shapes[0]}, {in[1], shapes[1]}, {in[2], shapes[2]}});
                 },
                 true},
                3);
}

TEST(MapOps, MeanAndMaximumOverChannels) {
  for (const Shape& shape : {Shape{3, 16, 4, 3}, Shape{2, 10, 4, 3}, Shape{2, 1, 4, 3}}) {
    check_layouts({"channel mean of " + to_string(shape),
                   {{.shape = shape}},
                   [](Tape& tape, const std::vector<Variable>& in) { return channel_mean(tape, in[0]); },
                   [&](const std::vector<Numbers>& in) {
                     return testing::channel_mean({in[0], shape});
                   },
                   true},
                  1);
    // All below zero, which padding must not win against.
    GradientInput below = spread(shape);
    for (float& value : below.values) value -= 2;
    check_layouts({"channel maximum of " + to_string(shape),
                   {below},
                   [](Tape& tape, const std::vector<Variable>& in) { return channel_max(tape, in[0]); },
                   [&](const std::vector<Numbers>& in) {
                     return testing::channel_max({in[0], shape});
                   },
                   true},
                  1);
  }
}

TEST(MapOps, TheFirstOfEqualChannelsTakesTheGradientOfTheirMaximum) {
  dnn::Kernels kernels(1);
  Tape tape(kernels);
  const Variable src = tape.watched(kernels.copy(tape.constant(tensor({1, 3, 1, 1}, {1, 4, 4})).value()));
  tape.backward(channel_max(tape, src));
  const dnn::Array gradient = tape.gradient(src);
  EXPECT_EQ(Numbers(gradient.values().begin(), gradient.values().end()), (Numbers{0, 1, 0}));
}

TEST(MapOps, Dense) {
  for (const Shape& src : {Shape{3, 10, 1, 1}, Shape{2, 16, 1, 1}, Shape{2, 5, 2, 3}}) {
    const std::int64_t in_count = element_count(src) / src[0];
    for (const bool bias : {false, true}) {
      std::vector<GradientInput> inputs = {{.shape = src}, {.shape = {7, in_count}}};
      if (bias) inputs.push_back({.shape = {7}});
      check_layouts({"dense of " + to_string(src) + (bias ? " with bias" : ""), inputs,
                     [&](Tape& tape, const std::vector<Variable>& in) {
                       return dense(tape, in[0], in[1], bias ? in[2] : Variable());
                     },
                     [&](const std::vector<Numbers>& in) {
                       return testing::dense(in[0], in[1], bias ? in[2] : Numbers(), src[0], in_count, 7);
                     },
                     true},
                    1);
    }
  }
}

TEST(MapOps, CellsAndPlain) {
  const Shape shape = {2, 10, 3, 4};
  check_layouts({"cells",
                 {{.shape = shape}},
                 [](Tape& tape, const std::vector<Variable>& in) { return cells(tape, in[0]); },
                 [&](const std::vector<Numbers>& in) {
                   return testing::cells({in[0], shape});
                 },
                 true},
                1);
  check_layouts({"plain",
                 {{.shape = shape}},
                 [](Tape& tape, const std::vector<Variable>& in) {
                   const Variable result = plain(tape, in[0]);
                   EXPECT_EQ(result.value().block(), 1);
                   return result;
                 },
                 [](const std::vector<Numbers>& in) { return in[0]; },
                 true},
                1);
}

}  // namespace
}  // namespace glimpse::train
