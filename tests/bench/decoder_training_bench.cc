// Captions a second of the decoder's training, forward and backward: what decoder_training.py holds against PyTorch's.

#include <algorithm>
#include <chrono>
#include <iostream>
#include <string>

#include "core/random.h"
#include "train/nets/decoder_network.h"

namespace {

constexpr int kPhotos = 25;
constexpr int kWords = 3172;
constexpr int kFeatures = 1280;
constexpr double kSeconds = 20;

/// As decoder_training.py has them: captions of 4, 5, … words among 125.
constexpr int kCaptionsOfLength[] = {2, 4, 8, 10, 12, 14, 14, 13, 11, 10, 8, 6, 4, 3, 2, 2, 1, 1};

std::vector<glimpse::train::TrainingCaption> make_captions(glimpse::Random& random) {
  std::vector<glimpse::train::TrainingCaption> captions;
  std::size_t length = 4;
  for (const int count : kCaptionsOfLength) {
    for (int i = 0; i < count; ++i) {
      glimpse::train::TrainingCaption caption;
      caption.image = static_cast<int>(captions.size()) % kPhotos;
      while (caption.words.size() < length) caption.words.push_back(4 + static_cast<int>(random.below(kWords - 4)));
      captions.push_back(caption);
    }
    ++length;
  }
  return captions;
}

double captions_a_second(std::int64_t cells, int threads) {
  using Clock = std::chrono::steady_clock;
  const glimpse::DecoderConfig config;
  glimpse::train::ParameterSet parameters;
  glimpse::DecoderSizes shape;
  shape.features = kFeatures;
  shape.vocabulary = kWords;
  glimpse::train::add_decoder_parameters(config, shape, 1, parameters);
  glimpse::Random random(1);
  glimpse::Tensor features({kPhotos, cells, kFeatures});
  for (float& value : features.values()) value = static_cast<float>(random.uniform());
  const auto captions = make_captions(random);
  glimpse::train::DecoderLossOptions options;
  options.feature_dropout = 0.5;
  options.embedding_dropout = 0.3;
  options.output_dropout = 0.5;
  options.label_smoothing = 0.1F;
  options.doubly_stochastic = 1;
  glimpse::dnn::Kernels kernels(threads);
  const glimpse::train::DecoderNetwork network(config, parameters, {1, static_cast<int>(cells)});
  double best = 1e9;
  for (const auto start = Clock::now(); std::chrono::duration<double>(Clock::now() - start).count() < kSeconds;) {
    const auto begun = Clock::now();
    parameters.clear_gradients();
    glimpse::train::Tape tape(kernels);
    ++options.seed;
    tape.backward(network.loss(tape, tape.constant(features), captions, options).loss);
    best = std::min(best, std::chrono::duration<double>(Clock::now() - begun).count());
  }
  return static_cast<double>(captions.size()) / best;
}

}  // namespace

int main(int count, char** arguments) {
  const std::int64_t cells = count > 1 ? std::stoll(arguments[1]) : 49;
  const int threads = count > 2 ? std::stoi(arguments[2]) : 2;
  std::cout << captions_a_second(cells, threads) << "\n";
}
