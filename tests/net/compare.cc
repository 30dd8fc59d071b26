#include "compare.h"

#include <gtest/gtest.h>

#include <algorithm>

#include "net/tensors.h"
#include "reference_net.h"
#include "support/random_tensor.h"

namespace glimpse::net::testing {

void expect_like_reference(const GraphSpec& graph, const Shape& input, CompileOptions options,
                           const std::vector<TunedTolerance>& tunings) {
  options.batch = input[0];
  options.channels = input[1];
  options.height = input[2];
  options.width = input[3];
  std::vector<std::string> outputs = options.outputs;
  if (outputs.empty()) outputs.push_back(graph.nodes[static_cast<std::size_t>(graph.output)].name);
  const Weights weights = random_weights(graph, input, 7);
  const Tensor image = glimpse::testing::uniform_tensor(input, 8);
  const auto expected = run_reference(graph, weights, image);
  for (const auto& [tuning, tolerance] : tunings) {
    options.plan.tuning = tuning;
    const dnn::Plan plan = compile(graph, weights, options);
    dnn::Session session(plan);
    std::copy(image.values().begin(), image.values().end(), session.input().begin());
    session.run();
    ASSERT_EQ(plan.output_count(), outputs.size());
    for (std::size_t i = 0; i < outputs.size(); ++i) {
      const Tensor& reference = expected.at(outputs[i]);
      EXPECT_EQ(plan.output_shape(i), reference.shape()) << outputs[i];
      EXPECT_LE(relative_error(session.output(i), reference.values()), tolerance)
          << outputs[i] << (tuning == dnn::Tuning::kWinograd ? ", Winograd" : "");
    }
  }
}

}  // namespace glimpse::net::testing
