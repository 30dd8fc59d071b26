/// A captioner as it stands on disk: weights, encoder graph, vocabulary, preprocessing, the decoder's formulas,
/// provenance. Either one `.safetensors` bundle (all but the tensors in its metadata) or a folder of model.json,
/// encoder.graph, vocabulary.txt, weights.safetensors. Levels above (net, decoder) make working objects of it; this
/// level knows only what the file says and that it is well-formed.
#pragma once

#include <filesystem>
#include <map>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "core/geometry.h"
#include "core/preprocess.h"
#include "core/safetensors.h"

namespace glimpse {

/// The Show-Attend-Tell decoder's variants (src/README.md, Equations). Each enumerator stands
/// for one formula string in model.json, listed in decoder_formulas(); sizes come from the tensors' shapes.
struct DecoderConfig {
  enum class FeatureProjection { kNone, kRelu };  ///< v = a, or relu(feature a)
  /// score · f(key(v) + query(h)); key(v) · query(h); the same over √ of a head's size; score cos(key(v), query(h))
  enum class Score { kAdditiveTanh, kAdditiveRelu, kDot, kScaledDot, kCosine };
  /// How scores e become the weights α that are read with: softmax(e); one cell, drawn from it or its largest (Xu et
  /// al. 2015); softmax(e) of the cells within a window around a predicted place, times a Gaussian of half its
  /// half-width around that place (Luong et al. 2015, local-p, in two dimensions); the same around the one cell.
  enum class Selector { kSoft, kHard, kLocal, kHardLocal };
  /// Weights for the channels of what is looked at, beside those for the cells: none; SCA-CNN's (Chen et al. 2017), by
  /// v̄ before the cells are weighed, or by Σ α v after; one for every cell and channel, α[i] sigmoid(element(v[i], h)).
  enum class Channels { kNone, kChannelSpatial, kSpatialChannel, kElement };
  /// Whether the deep output also reads a soft, additive attention over h[1..t−1] (Ke et al. 2019).
  enum class History { kNone, kAdditive };
  enum class Gate { kNone, kScalar, kVector };    ///< sigmoid(gate(h[t−1])) times the context
  enum class Init { kLinear, kTanh, kTwoLayer };  ///< init_*(v̄); tanh of it; tanh(init_*(relu(init(v̄))))
  enum class Output {
    kPlain,
    kDeep,
    kDeepTanh
  };  ///< output(h); output(deep); output(tanh(deep)), deep = deep.h h + deep.z z + deep.e e
  /// The step as text (net/step_graph.h) in place of the formulas; `$vocabulary` in it stands for the count of words,
  /// whose tensors are embedding.weight and output.*. Empty: the formulas say what the step is.
  std::string graph;
  int features = 0;  ///< with a text: D, channels of the encoder's map
  FeatureProjection feature_projection = FeatureProjection::kRelu;
  Score score = Score::kAdditiveTanh;
  Selector selector = Selector::kSoft;
  double window = 2;  ///< half-width of the windows in cells, at least 1/2
  bool has_window() const { return selector == Selector::kLocal || selector == Selector::kHardLocal; }
  bool is_hard() const { return selector == Selector::kHard || selector == Selector::kHardLocal; }
  int heads = 1;  ///< that look with an equal share of key, query and v each (Vaswani et al. 2017)
  Channels channels = Channels::kNone;
  History history = History::kNone;  ///< not with plain output
  Gate gate = Gate::kScalar;
  Init init = Init::kTanh;
  Output output = Output::kDeepTanh;
  int start_id = 1;
  int end_id = 2;
  int unknown_id = 3;
  std::vector<int> never_emit;
};

struct ModelConfig {
  std::string name;
  Preprocess input;
  std::string graph;        ///< the encoder's graph text
  std::string graph_name;   ///< what messages call it: "encoder.graph" or "model.safetensors (encoder.graph)"
  std::string output_node;  ///< the node whose map the decoder attends to
  int rows = 0;             ///< of that map
  int cols = 0;
  Grid grid() const { return {rows, cols}; }
  DecoderConfig decoder;
  std::vector<std::string> vocabulary;  ///< id → word
  std::string provenance;               ///< JSON text, or empty: data, recipe, date, licence as its maker wrote it
};

/// Const once loaded; shared by all workers.
class Model {
 public:
  /// From a bundle or a folder. Throws Error: kMissing, kPermission, kIo for the path; kModel, naming file and key, for
  /// what is in it.
  static Model load(const std::filesystem::path& path);
  Model(ModelConfig config, Weights weights) : config_(std::move(config)), weights_(std::move(weights)) {}

  const ModelConfig& config() const { return config_; }
  const Weights& weights() const { return weights_; }

 private:
  ModelConfig config_;
  Weights weights_;
};

/// Writes `model` as one bundle, tensors in the element type they have; atomically. The same model gives the same
/// bytes.
void write_bundle(const Model& model, const std::filesystem::path& path);

/// The same of parts, every tensor of f32 as F16, which halves the file; what F16 cannot hold is an Error(kModel) that
/// names the tensor.
void write_half_bundle(const ModelConfig& config, const std::map<std::string, TensorView, std::less<>>& tensors,
                       const std::filesystem::path& path);

/// Config as the JSON that stands in a bundle's metadata and in a folder's model.json; graph text and vocabulary stand
/// beside it.
std::string config_to_json(const ModelConfig& config);

/// The config in `json`; `file` is what messages call it. Graph text and vocabulary are the caller's to fill in.
/// `graph_file` receives the name of the graph's file. Throws Error(kModel) naming file, key and value.
ModelConfig config_from_json(std::string_view json, const std::string& file, std::string& graph_file);

/// The decoder's variant as the formulas that stand in model.json: key and formula; of a text its first line.
std::vector<std::pair<std::string_view, std::string_view>> decoder_formulas(const DecoderConfig& config);

}  // namespace glimpse
