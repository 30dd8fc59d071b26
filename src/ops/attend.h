/// What attention's two files share: attend.cc has the operations and their training, attend_step.cc the loops of a
/// decoder's step. Internal to this level.
#pragma once

#include <memory>

#include "dnn/math/map_window.h"
#include "dnn/math/step_math.h"
#include "ops/step_context.h"

namespace glimpse::ops {

enum class Score { kAdditiveTanh, kAdditiveRelu, kDot, kScaledDot };
enum class Selector { kSoft, kHard, kLocal, kHardLocal };

/// attend's attributes.
struct AttendOptions {
  Score score = Score::kAdditiveTanh;
  Selector selector = Selector::kSoft;
  std::int64_t heads = 1;
  float window = 2;  ///< half-width of the windows in cells

  bool is_additive() const { return score == Score::kAdditiveTanh || score == Score::kAdditiveRelu; }
  bool is_hard() const { return selector == Selector::kHard || selector == Selector::kHardLocal; }
};
AttendOptions attend_options(const Attributes& attributes);

std::unique_ptr<PackedStep> pack_attend(const PackContext& node);
std::unique_ptr<PackedStep> pack_read(const PackContext& node);

}  // namespace glimpse::ops
