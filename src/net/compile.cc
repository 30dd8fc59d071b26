#include "net/compile.h"

#include <algorithm>

#include "core/error.h"
#include "net/fusion.h"
#include "net/lowering.h"
#include "net/shapes.h"
#include "net/tensors.h"

namespace glimpse::net {

dnn::Plan compile(const GraphSpec& graph, const Weights& weights, const CompileOptions& options) {
  const Shape input = options.input_shape();
  const GraphSpec live = extract(graph, options.outputs);
  const std::vector<Shape> shapes = infer_shapes(live, input);
  check_weights(live, input, weights);

  std::vector<int> outputs;
  for (const std::string& name : options.outputs) {
    const int index = live.find(name);
    if (std::find(outputs.begin(), outputs.end(), index) != outputs.end()) {
      throw Error(ErrorCode::kUsage, "node " + quote(name) + " is asked for as an output twice");
    }
    outputs.push_back(index);
  }
  if (outputs.empty()) outputs.push_back(live.output);

  dnn::PlanBuilder builder(options.plan);
  Lowering lowering(live, input, weights, builder);
  for (const FusedStep& step : fuse(live, shapes, input, outputs)) lowering.lower(step);
  for (const int index : outputs) builder.output(lowering.value(index), options.channels_last);
  return builder.build();
}

}  // namespace glimpse::net
