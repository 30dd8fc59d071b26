// Convolution on the tape through the gradient check, plain and in blocks of channels.
#include <gtest/gtest.h>

#include <array>

#include "train/layouts_check.h"
#include "map_reference.h"
#include "autograd/map_ops.h"

namespace glimpse::train {
namespace {

struct Windows {
  std::array<std::int64_t, 2> stride = {1, 1};
  std::array<std::int64_t, 2> dilation = {1, 1};
  dnn::Padding padding = {};
  std::int64_t groups = 1;
};

struct ConvolutionCase {
  const char* name;
  Shape src;
  Shape weight;
  bool bias;
  Windows windows = {};
  double rounding = 1e-5;
};

/// Winograd's transforms multiply and cancel (Lavin and Gray 2016, section 5.3).
constexpr double kWinogradRounding = 1e-4;

const std::vector<ConvolutionCase> kConvolutions = {
    {"3x3", {2, 16, 7, 6}, {24, 16, 3, 3}, false, {.padding = {1, 1, 1, 1}}},
    {"3x3 with bias", {2, 8, 5, 5}, {8, 8, 3, 3}, true, {.padding = {1, 1, 1, 1}}},
    {"1x1", {3, 16, 4, 5}, {8, 16, 1, 1}, true},
    {"1x1 of one cell", {3, 16, 1, 1}, {8, 16, 1, 1}, false},
    {"a picture", {2, 3, 9, 9}, {16, 3, 3, 3}, false, {.stride = {2, 2}, .padding = {1, 1, 1, 1}}},
    {"a picture with bias", {1, 3, 8, 7}, {10, 3, 5, 5}, true, {.stride = {2, 1}, .padding = {2, 2, 2, 2}}},
    {"stride 2", {2, 8, 8, 7}, {16, 8, 3, 3}, false, {.stride = {2, 2}, .padding = {1, 1, 1, 1}}},
    {"stride 3, 1x1", {2, 8, 8, 7}, {8, 8, 1, 1}, true, {.stride = {3, 3}}},
    {"dilation 2", {2, 8, 7, 7}, {8, 8, 3, 3}, false, {.dilation = {2, 2}, .padding = {2, 2, 2, 2}}},
    {"dilation of rows", {1, 16, 9, 5}, {8, 16, 3, 3}, true, {.dilation = {3, 1}, .padding = {3, 1, 3, 1}}},
    {"asymmetric padding", {2, 8, 6, 6}, {8, 8, 3, 3}, true, {.stride = {2, 2}, .padding = {0, 1, 2, 1}}},
    {"asymmetric kernel", {2, 8, 6, 5}, {8, 8, 1, 3}, false, {.padding = {0, 1, 0, 1}}},
    {"no padding", {2, 8, 5, 5}, {8, 8, 3, 3}, false},
    {"10 to 20 channels", {2, 10, 6, 5}, {20, 10, 3, 3}, true, {.padding = {1, 1, 1, 1}}},
    {"20 to 5 channels, dilated", {2, 20, 6, 6}, {5, 20, 3, 3}, false, {.dilation = {2, 2}, .padding = {2, 2, 2, 2}}},
    {"2 channels to 1", {2, 2, 9, 8}, {1, 2, 7, 7}, false, {.padding = {3, 3, 3, 3}}},
    {"depthwise", {2, 16, 6, 6}, {16, 1, 3, 3}, false, {.padding = {1, 1, 1, 1}, .groups = 16}},
    {"depthwise of 20, stride 2",
     {2, 20, 7, 6},
     {20, 1, 3, 3},
     true,
     {.stride = {2, 2}, .padding = {1, 1, 1, 1}, .groups = 20}},
    {"2 groups of 8", {2, 16, 5, 5}, {16, 8, 3, 3}, true, {.padding = {1, 1, 1, 1}, .groups = 2}},
    // Enough channels for Winograd, whether a block has 8 or 16.
    {"32 to 48 channels", {2, 32, 9, 6}, {48, 32, 3, 3}, false, {.padding = {1, 1, 1, 1}}, kWinogradRounding},
    {"48 to 32 channels, no padding", {1, 48, 7, 11}, {32, 48, 3, 3}, false, {}, kWinogradRounding},
    {"32 channels, dilation 2",
     {2, 32, 7, 8},
     {32, 32, 3, 3},
     false,
     {.dilation = {2, 2}, .padding = {2, 2, 2, 2}},
     kWinogradRounding},
    {"32 channels, dilation of columns, padding of two sides",
     {1, 32, 6, 9},
     {32, 32, 3, 3},
     false,
     {.dilation = {1, 3}, .padding = {0, 2, 1, 5}},
     kWinogradRounding},
    {"32 channels, one cell", {3, 32, 1, 1}, {32, 32, 3, 3}, false, {.padding = {1, 1, 1, 1}}, kWinogradRounding},
    {"3 groups of 4", {2, 12, 5, 5}, {6, 4, 3, 3}, false, {.padding = {1, 1, 1, 1}, .groups = 3}},
};

class Convolution : public ::testing::TestWithParam<ConvolutionCase> {};

TEST_P(Convolution, Gradient) {
  const ConvolutionCase& c = GetParam();
  const dnn::ConvolutionOptions options = {
      c.windows.stride, c.windows.dilation, c.windows.padding, c.windows.groups, {}};
  std::vector<GradientInput> inputs = {{.shape = c.src}, {.shape = c.weight}};
  if (c.bias) inputs.push_back({.shape = {c.weight[0]}});
  check_layouts({c.name, inputs,
                 [&](Tape& tape, const std::vector<Variable>& in) {
                   return convolution(tape, in[0], in[1], c.bias ? in[2] : Variable(), options);
                 },
                 [&](const std::vector<Numbers>& in) {
                   return testing::convolution({in[0], c.src}, {in[1], c.weight}, c.bias ? in[2] : Numbers(), options);
                 },
                 true, c.rounding},
                1);
}

INSTANTIATE_TEST_SUITE_P(MapOps, Convolution, ::testing::ValuesIn(kConvolutions),
                         [](const auto& info) { return "Case" + std::to_string(info.index); });

}  // namespace
}  // namespace glimpse::train
