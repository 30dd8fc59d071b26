// Packed linear layers and batched products against plain loops.

#include "dnn/products/linear.h"

#include <gtest/gtest.h>

#include <cmath>

#include "dnn/products/product.h"
#include "dnn/runtime/threads.h"
#include "support/random_tensor.h"

namespace glimpse::dnn {
namespace {

using glimpse::testing::normal_tensor;

struct LinearCase {
  std::int64_t rows, in, out;
  bool bias, relu;
};

TEST(Linear, EqualsPlainLoops) {
  const std::vector<LinearCase> cases = {
      {1, 1, 1, true, false},     {1, 7, 5, false, false},     {5, 512, 130, true, false}, {3, 65, 64, true, true},
      {80, 33, 257, true, false}, {49, 256, 512, true, true},  {2, 17, 2305, true, false}, {130, 20, 19, false, true},
      {16, 700, 48, true, false}, {196, 128, 96, true, false},
  };
  for (std::size_t index = 0; index < cases.size(); ++index) {
    const LinearCase& test = cases[index];
    const Tensor weight = normal_tensor({test.out, test.in}, index + 1);
    const Tensor bias = normal_tensor({test.out}, index + 100);
    const Tensor src = normal_tensor({test.rows, test.in}, index + 200);
    const Linear linear("layer", weight, test.bias ? bias.values() : std::span<const float>());
    EXPECT_EQ(linear.in(), test.in);
    EXPECT_EQ(linear.out(), test.out);
    EXPECT_GE(linear.bytes(), weight.view().bytes());
    LinearKernel kernel(linear, test.rows, test.relu);
    Tensor dst(Shape{test.rows, test.out});
    kernel.run(src.data(), dst.data());
    for (std::int64_t r = 0; r < test.rows; ++r) {
      for (std::int64_t o = 0; o < test.out; ++o) {
        double sum = test.bias ? static_cast<double>(bias.data()[o]) : 0;
        double size = 1;
        for (std::int64_t i = 0; i < test.in; ++i) {
          const double term = static_cast<double>(weight.data()[o * test.in + i]) * src.data()[r * test.in + i];
          sum += term;
          size += std::abs(term);
        }
        if (test.relu) sum = std::max(0.0, sum);
        ASSERT_NEAR(dst.data()[r * test.out + o], sum, 1e-6 * size)
            << "case " << index << ", row " << r << ", out " << o;
      }
    }
  }
}

/// One packing, kernels for many row counts and thread counts, buffers that change from run to run.
TEST(Linear, IsSharedByKernelsOfAnyRows) {
  const Tensor weight = normal_tensor({70, 40}, 1);
  const Linear linear("layer", weight, {});
  const Tensor src = normal_tensor({100, 40}, 2);
  Tensor expected(Shape{100, 70});
  LinearKernel(linear, 100).run(src.data(), expected.data());
  const int before = thread_count();
  for (const int threads : {1, 3}) {
    set_thread_count(threads);
    for (const std::int64_t rows : {1, 2, 5, 33, 50}) {
      LinearKernel kernel(linear, rows);
      for (std::int64_t first = 0; first + rows <= 100; first += rows) {
        Tensor dst(Shape{rows, 70});
        kernel.run(src.data() + first * 40, dst.data());
        for (std::int64_t i = 0; i < rows * 70; ++i) {
          ASSERT_NEAR(dst.data()[i], expected.data()[first * 70 + i], 1e-4)
              << rows << " rows, " << threads << " threads";
        }
      }
    }
  }
  set_thread_count(before);
}

TEST(BatchedProduct, EqualsPlainLoops) {
  const std::vector<ProductShape> shapes = {
      {1, 1, 1, 1}, {1, 5, 196, 130}, {16, 3, 49, 64}, {4, 1, 7, 33}, {2, 9, 1, 5}};
  for (std::size_t index = 0; index < shapes.size(); ++index) {
    const ProductShape& shape = shapes[index];
    const Tensor left = normal_tensor({shape.batch, shape.rows, shape.inner}, index + 1);
    const Tensor right = normal_tensor({shape.batch, shape.inner, shape.cols}, index + 50);
    Tensor dst(Shape{shape.batch, shape.rows, shape.cols});
    BatchedProduct product("product", shape);
    product.run(left.data(), right.data(), dst.data());
    for (std::int64_t b = 0; b < shape.batch; ++b) {
      for (std::int64_t r = 0; r < shape.rows; ++r) {
        const float* row = left.data() + (b * shape.rows + r) * shape.inner;
        for (std::int64_t c = 0; c < shape.cols; ++c) {
          double sum = 0;
          for (std::int64_t i = 0; i < shape.inner; ++i) {
            sum += static_cast<double>(row[i]) * right.data()[(b * shape.inner + i) * shape.cols + c];
          }
          ASSERT_NEAR(dst.data()[(b * shape.rows + r) * shape.cols + c], sum, 1e-4) << "case " << index;
        }
      }
    }
  }
}

}  // namespace
}  // namespace glimpse::dnn
