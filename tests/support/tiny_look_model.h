/// Models that look around, small enough to build at once, with random weights.
#pragma once

#include <cmath>
#include <map>
#include <string>

#include "core/random.h"
#include "glimpses/look_model.h"

namespace glimpse::testing {

/// 16 × 12 pixels, patches of 4 and 8 pixels, three classes; with DRAM up to two objects.
inline LookConfig tiny_look_config(LookConfig::Kind kind = LookConfig::Kind::kRam,
                                   LookConfig::Core core = LookConfig::Core::kRelu) {
  LookConfig config;
  config.kind = kind;
  config.core = core;
  config.width = 16;
  config.height = 12;
  config.patch = 4;
  config.scales = 2;
  config.glimpses = 3;
  config.objects = kind == LookConfig::Kind::kRam ? 1 : 2;
  config.classes = {"one", "two", "three"};
  config.name = "tiny-look";
  return config;
}

inline std::map<std::string, Tensor, std::less<>> tiny_look_tensors(const LookConfig& config, std::uint64_t seed = 1) {
  Random random(seed);
  std::map<std::string, Tensor, std::less<>> tensors;
  for (const auto& [name, shape] : look_tensors(config, {.features = 7, .glimpse = 9, .hidden = 8})) {
    Tensor tensor(shape);
    const double fan_in = shape.size() > 1 ? static_cast<double>(shape[1]) : 4;
    for (float& value : tensor.values()) value = static_cast<float>(1.5 * random.normal() / std::sqrt(fan_in));
    tensors.emplace(name, std::move(tensor));
  }
  return tensors;
}

inline LookModel tiny_look_model(const LookConfig& config, std::uint64_t seed = 1) {
  return {config, Weights("tiny", tiny_look_tensors(config, seed))};
}

/// Grey of a picture of the config's size.
inline std::vector<float> random_grey(const LookConfig& config, std::uint64_t seed) {
  Random random(seed);
  std::vector<float> pixels(static_cast<std::size_t>(config.width) * static_cast<std::size_t>(config.height));
  for (float& pixel : pixels) pixel = static_cast<float>(random.uniform());
  return pixels;
}

}  // namespace glimpse::testing
