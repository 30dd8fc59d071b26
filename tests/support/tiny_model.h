/// A whole captioner small enough to build in milliseconds: 32×32 picture → 4×4 cells of 8 features → 20 words, random
/// weights.
#pragma once

#include <cmath>
#include <map>
#include <string>

#include "core/random.h"
#include "model/model.h"

namespace glimpse::testing {

constexpr int kTinyWords = 20;

inline ModelConfig tiny_config() {
  ModelConfig config;
  config.name = "tiny";
  config.input.width = 32;
  config.input.height = 32;
  config.input.mean = {127.5, 127.5, 127.5};
  config.input.std = {127.5, 127.5, 127.5};
  config.graph =
      "conv c1 < image out=8 k=3 s=2 pad=1 act=relu\n"
      "conv c2 < c1 out=8 k=3 s=2 pad=1 act=relu\n"
      "conv c3 < c2 out=8 k=3 s=2 pad=1\n"
      "output c3\n";
  config.graph_name = "tiny.graph";
  config.output_node = "c3";
  config.rows = 4;
  config.cols = 4;
  config.decoder.never_emit = {0, 1, 3};
  config.vocabulary = {"<pad>", "<start>", "<end>", "<unk>"};
  for (int i = 4; i < kTinyWords; ++i)
    config.vocabulary.push_back("word" + std::string(1, static_cast<char>('a' + i - 4)));
  return config;
}

/// Tensors drawn from a normal distribution, wide enough that captions differ from picture to picture.
inline std::map<std::string, Tensor, std::less<>> tiny_tensors(std::uint64_t seed = 1) {
  Random random(seed);
  std::map<std::string, Tensor, std::less<>> tensors;
  const auto add = [&](const std::string& name, const Shape& shape) {
    Tensor tensor(shape);
    const double fan_in = shape.size() > 1 ? static_cast<double>(tensor.count()) / static_cast<double>(shape[0]) : 1;
    for (float& value : tensor.values()) value = static_cast<float>(random.normal() * 1.5 / std::sqrt(fan_in));
    tensors.emplace(name, std::move(tensor));
  };
  constexpr std::int64_t kFeatures = 8;
  constexpr std::int64_t kProjected = 12;
  constexpr std::int64_t kAttention = 6;
  constexpr std::int64_t kEmbedding = 10;
  constexpr std::int64_t kState = 12;
  add("c1.weight", {8, 3, 3, 3});
  add("c1.bias", {8});
  add("c2.weight", {8, 8, 3, 3});
  add("c2.bias", {8});
  add("c3.weight", {kFeatures, 8, 3, 3});
  add("c3.bias", {kFeatures});
  add("feature.weight", {kProjected, kFeatures});
  add("feature.bias", {kProjected});
  add("key.weight", {kAttention, kProjected});
  add("key.bias", {kAttention});
  add("query.weight", {kAttention, kState});
  add("score.weight", {1, kAttention});
  add("gate.weight", {1, kState});
  add("gate.bias", {1});
  add("embedding.weight", {kTinyWords, kEmbedding});
  add("lstm.weight_ih", {4 * kState, kEmbedding + kProjected});
  add("lstm.weight_hh", {4 * kState, kState});
  add("lstm.bias", {4 * kState});
  add("init_h.weight", {kState, kProjected});
  add("init_h.bias", {kState});
  add("init_c.weight", {kState, kProjected});
  add("init_c.bias", {kState});
  add("deep.h.weight", {kState, kState});
  add("deep.z.weight", {kState, kProjected});
  add("deep.e.weight", {kState, kEmbedding});
  add("deep.bias", {kState});
  add("output.weight", {kTinyWords, kState});
  add("output.bias", {kTinyWords});
  return tensors;
}

inline Model tiny_model(std::uint64_t seed = 1) { return {tiny_config(), Weights("tiny", tiny_tensors(seed))}; }

}  // namespace glimpse::testing
