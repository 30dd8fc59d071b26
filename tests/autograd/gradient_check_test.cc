// The gradient check itself: it accepts a correct operation and detects each kind of defect.

#include "gradient_check.h"

#include <gtest/gtest-spi.h>

namespace glimpse::train {
namespace {

/// Defects of an operation.
enum class Defect { kNone, kValue, kGradient, kForgotten, kReadsUninitialised, kOverwrites, kChangesInput };

/// x², number by number, with a defect.
Variable square(Tape& tape, const Variable& x, Defect defect) {
  const dnn::Array value = tape.kernels().take(x.shape());
  const auto count = static_cast<std::size_t>(value.count());
  for (std::size_t i = 0; i < count; ++i) {
    if (defect == Defect::kReadsUninitialised && i == 1) continue;
    value.data()[i] = x.value().data()[i] * x.value().data()[i] + (defect == Defect::kValue ? 1e-3F : 0.0F);
  }
  return tape.record(value, {x}, [&tape, x, defect, count](const dnn::Array& gradient) {
    if (defect == Defect::kForgotten) return;
    dnn::Array d_x = tape.kernels().take(x.shape());
    if (defect == Defect::kOverwrites) d_x = gradient;
    for (std::size_t i = 0; i < count; ++i) {
      d_x.data()[i] = (defect == Defect::kGradient ? 2.01F : 2.0F) * x.value().data()[i] * gradient.data()[i];
    }
    if (defect == Defect::kChangesInput) x.value().data()[0] += 1;
    tape.add_gradient(x, d_x);
  });
}

void check_square(Defect defect) {
  check_gradient({"square",
                  {{.shape = {2, 3}}},
                  [defect](Tape& tape, const std::vector<Variable>& in) { return square(tape, in[0], defect); },
                  [](const std::vector<Numbers>& in) {
                    Numbers result = in[0];
                    for (double& x : result) x *= x;
                    return result;
                  }});
}

TEST(GradientCheck, PassesWhatIsRight) { check_square(Defect::kNone); }

TEST(GradientCheck, NoticesEveryDefect) {
  for (const Defect defect : {Defect::kValue, Defect::kGradient, Defect::kForgotten, Defect::kReadsUninitialised,
                              Defect::kOverwrites, Defect::kChangesInput}) {
    ::testing::TestPartResultArray failures;
    {
      ::testing::ScopedFakeTestPartResultReporter reporter(
          ::testing::ScopedFakeTestPartResultReporter::INTERCEPT_ONLY_CURRENT_THREAD, &failures);
      check_square(defect);
    }
    EXPECT_GT(failures.size(), 0) << "defect " << static_cast<int>(defect);
  }
}

}  // namespace
}  // namespace glimpse::train
