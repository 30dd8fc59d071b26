/// The state of a training as one safetensors file. It is replaced atomically, and read only into the architecture that
/// wrote it.
#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <map>
#include <optional>
#include <string>

#include "core/safetensors.h"

namespace glimpse::train {

using TensorViews = std::map<std::string, TensorView, std::less<>>;

/// Identifies the architecture that a checkpoint fits.
struct Architecture {
  std::map<std::string, Shape, std::less<>> tensors;  ///< the network's own, without moments and averages
  std::string graph;                                  ///< the encoder's graph text
};

Architecture architecture_of(const TensorViews& tensors, std::string graph);

/// A hash of names, shapes and graph text (FNV-1a, 64 bits) as 16 hexadecimal digits.
std::string fingerprint(const Architecture& architecture);

/// Progress of the training, apart from its tensors.
struct Counters {
  std::string stage;
  int epoch = 0;          ///< of the stage, begun
  std::int64_t step = 0;  ///< of the stage, done
  std::map<std::string, std::uint64_t, std::less<>> seeds;
  std::map<std::string, std::string, std::less<>> random_states;  ///< as Random::state gives them
  std::optional<double> best_validation;
  std::string recipe;  ///< text, as to_text writes it
};

/// Throws Error(kIo, kPermission) for the file, which then stands as it was; Error(kUsage) for a counter that is not
/// finite or not UTF-8. The same state gives the same bytes.
void write_checkpoint(const std::filesystem::path& path, const Architecture& architecture, const Counters& counters,
                      const TensorViews& tensors);

/// A checkpoint on disk, which is mapped while this lives.
class Checkpoint {
 public:
  /// Throws Error: kMissing, kPermission, kIo for the file; kModel for a file that is no checkpoint or is malformed,
  /// and for one of another architecture, naming the first tensor that differs with both shapes, or the graph's first
  /// line that does.
  Checkpoint(const std::filesystem::path& path, const Architecture& expected);

  const Counters& counters() const { return counters_; }
  const Weights& weights() const { return weights_; }

 private:
  Weights weights_;
  Counters counters_;
};

}  // namespace glimpse::train
