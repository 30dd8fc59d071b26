#include "dnn/plan/plan_compiler.h"

#include "dnn/plan/lowering.h"
#include "dnn/plan/tuning.h"

namespace glimpse::dnn {
std::shared_ptr<const Plan::Impl> compile_plan(const Network& network, const PlanOptions& options) {
  std::shared_ptr<const Plan::Impl> plan;
  run_on_threads(options.threads, [&] { plan = PlanLowering(network, tune(network, options), options.threads).run(); });
  return plan;
}

}  // namespace glimpse::dnn
