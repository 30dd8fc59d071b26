// Pictures a second of the encoder's forward and backward pass on the tape, for encoder_training.py: the fastest of all
// steps in the time given, on standard output.
//
//     bench_encoder_training GRAPH BATCH THREADS SECONDS
#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstdlib>

#include "core/random.h"
#include "autograd/losses.h"
#include "train/nets/network.h"

namespace {

using namespace glimpse;
using Clock = std::chrono::steady_clock;

double seconds_since(Clock::time_point start) { return std::chrono::duration<double>(Clock::now() - start).count(); }

double best_step(const char* graph, std::int64_t batch, int threads, double seconds) {
  dnn::Kernels kernels(threads);
  train::ParameterSet parameters;
  Tensor picture({batch, 3, 224, 224});
  Random random(1);
  for (float& value : picture.values()) value = static_cast<float>(random.normal());
  train::add_parameters(net::read_graph(graph), picture.shape(), 1, parameters);
  const train::Network network(net::read_graph(graph), parameters);
  double best = 1e9;
  for (const Clock::time_point start = Clock::now(); seconds_since(start) < seconds;) {
    const Clock::time_point begun = Clock::now();
    parameters.clear_gradients();
    train::Tape tape(kernels);
    const train::Variable map =
        network.forward(tape, tape.constant(dnn::Array::borrow(picture)), {train::Statistics::kBatch, false});
    tape.backward(train::mean_squared_error(tape, map, kernels.zeros(map.shape(), map.value().block())));
    best = std::min(best, seconds_since(begun));
  }
  return best;
}

}  // namespace

int main(int count, char** arguments) {
  if (count != 5) return std::fprintf(stderr, "usage: bench_encoder_training GRAPH BATCH THREADS SECONDS\n"), 2;
  const std::int64_t batch = std::atoll(arguments[2]);
  std::printf("%.3f\n", static_cast<double>(batch) /
                            best_step(arguments[1], batch, std::atoi(arguments[3]), std::atof(arguments[4])));
}
