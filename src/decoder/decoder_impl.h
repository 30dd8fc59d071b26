/// What stands behind a Decoder. Internal to this level.
#pragma once

#include "decoder/decoder.h"
#include "net/step_plan.h"

namespace glimpse {

struct Decoder::Impl {
  DecoderConfig config;
  Grid grid;
  std::int64_t features = 0;
  net::StepPlan plan;
};

}  // namespace glimpse
