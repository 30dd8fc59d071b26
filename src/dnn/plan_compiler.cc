#include "dnn/plan_compiler.h"

#include <utility>

#include "dnn/lowering.h"
#include "dnn/tuning.h"

namespace glimpse::dnn {
namespace {

std::vector<ConvolutionProblem> convolution_problems(const Network& network) {
  std::vector<ConvolutionProblem> problems;
  for (const Op& op : network.ops) {
    if (const auto* convolution = std::get_if<ConvolutionOp>(&op.what)) problems.push_back(convolution->problem);
  }
  return problems;
}

}  // namespace

std::shared_ptr<const Plan::Impl> compile_plan(const Network& network, const PlanOptions& options) {
  std::shared_ptr<const Plan::Impl> plan;
  run_on_threads(options.threads, [&] {
    const std::vector<ConvolutionProblem> problems = convolution_problems(network);
    plan = PlanLowering(network, translate_errors("measuring convolutions", [&] { return tune(problems, options); }),
                        options.threads)
               .run();
  });
  return plan;
}

}  // namespace glimpse::dnn
