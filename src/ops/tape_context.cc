#include "ops/tape_context.h"

namespace glimpse::ops {

train::Variable TapeContext::batch_norm(const std::string& part, const train::Variable& src, float epsilon,
                                        const dnn::Activation& activation) const {
  const bool relu = activation.kind == dnn::Activation::Kind::kRelu;
  const train::RunningStatistics running{statistic(part + ".running_mean"), statistic(part + ".running_var")};
  const train::Variable result = train::batch_norm(tape, src, tensor(part + ".weight"), tensor(part + ".bias"), running,
                                                   {epsilon, relu, mode_.statistics});
  return relu ? result : train::activation_in_place(tape, result, activation);
}

}  // namespace glimpse::ops
