/// From a described network to a Plan: chooses kernels and layouts, creates primitives, packs weights, lays out the
/// arena. Internal to src/dnn.
#pragma once

#include <memory>

#include "dnn/plan/network.h"
#include "dnn/plan/plan.h"

namespace glimpse::dnn {

/// Throws Error(kModel) naming the step that oneDNN refuses.
std::shared_ptr<const Plan::Impl> compile_plan(const Network& network, const PlanOptions& options);

}  // namespace glimpse::dnn
