/// A model that looks at a picture a few times, through a small window each time, and says what is on it: one digit,
/// say (RAM, Mnih et al. 2014), or several one after the other (DRAM, Ba et al. 2015). As a file it is one
/// `.safetensors` bundle, with all but the tensors as model.json in its metadata. This header knows what the file says;
/// looker.h looks.
#pragma once

#include <cstdint>
#include <filesystem>
#include <map>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "core/safetensors.h"

namespace glimpse {

/// Symbols: ρ the retina's patches, l the place, h the state; sizes come from the tensors' shapes.
struct LookConfig {
  /// a = relu(retina ρ), b = relu(where l).
  /// RAM: g = relu(glimpse.what a + glimpse.where b), h = core(g, h), l = tanh(place h), classes: class h.
  /// DRAM: g = relu(glimpse.what a) · glimpse.where b, h = core(g, h) reads and says the classes; above it an LSTM over
  /// h begins with context(coarse picture), and the places are l = tanh(place of its state).
  enum class Kind { kRam, kDram };
  enum class Core { kRelu, kLstm };  ///< relu(core.in g + core.hidden h), or an LSTM
  Kind kind = Kind::kRam;
  Core core = Core::kRelu;
  int width = 28;  ///< of the picture that is looked at, in pixels, grey, light on black
  int height = 28;
  int patch = 8;     ///< the retina's sharpest patch is so many pixels high and wide
  int scales = 1;    ///< patches, each twice as wide as the one before, all shrunk to the size of the first
  int glimpses = 6;  ///< of an object
  int objects = 1;   ///< that a picture has at most; with DRAM the class after the last one says that there are no more
  int coarse = 4;    ///< DRAM's context sees squares of so many pixels as one
  std::vector<std::string> classes;
  std::string name;
  std::string provenance;  ///< JSON text, or empty

  /// Looks at an object's, one object after the other, and with DRAM at the end.
  int rounds() const { return kind == Kind::kRam ? 1 : objects + 1; }
  int end_class() const { return static_cast<int>(classes.size()); }  ///< DRAM only
  int outputs() const { return end_class() + (kind == Kind::kDram ? 1 : 0); }
  std::int64_t retina_size() const { return std::int64_t{scales} * patch * patch; }
  std::int64_t coarse_size() const { return std::int64_t{width / coarse} * (height / coarse); }
};

/// The tensors' sizes that a LookConfig leaves open.
struct LookShape {
  std::int64_t features = 128;  ///< of a, and of b
  std::int64_t glimpse = 256;   ///< of g
  std::int64_t hidden = 256;    ///< of h, and of the state above it
};

/// Names and shapes of the tensors of such a model.
std::vector<std::pair<std::string, Shape>> look_tensors(const LookConfig& config, const LookShape& shape);

/// Const once loaded.
class LookModel {
 public:
  /// Throws Error: kMissing, kPermission, kIo for the path; kModel, naming file and key or tensor, for what is in it,
  /// also where it is a captioner's.
  static LookModel load(const std::filesystem::path& path);
  LookModel(LookConfig config, Weights weights) : config_(std::move(config)), weights_(std::move(weights)) {}

  const LookConfig& config() const { return config_; }
  const Weights& weights() const { return weights_; }

 private:
  LookConfig config_;
  Weights weights_;
};

/// Throws Error(kUsage) for numbers that make no model.
void check(const LookConfig& config);

/// As one bundle, tensors of f32 as F16; atomically.
void write_look_bundle(const LookConfig& config, const std::map<std::string, TensorView, std::less<>>& tensors,
                       const std::filesystem::path& path);

std::string look_config_to_json(const LookConfig& config);
/// `file` is what messages call it. Throws Error(kModel) naming file, key and value.
LookConfig look_config_from_json(std::string_view json, const std::string& file);

}  // namespace glimpse
