#include "train/run/model_parts.h"

#include <algorithm>
#include <map>
#include <set>
#include <utility>

#include "core/error.h"
#include "core/file.h"
#include "data/vocabulary_builder.h"
#include "net/shapes.h"
#include "net/tensors.h"
#include "train/nets/decoder_network.h"

namespace glimpse::train {
namespace {

Shape map_of(const net::GraphSpec& graph, const Preprocess& input) {
  return net::infer_shapes(graph, {1, 3, input.height, input.width})[static_cast<std::size_t>(graph.output)];
}

std::vector<std::string> frequent_words(const std::vector<CaptionedPicture>& pictures, int threshold) {
  VocabularyBuilder words;
  for (const CaptionedPicture& picture : pictures) {
    for (const std::vector<std::string>& caption : picture.tokens) words.add(caption);
  }
  return words.build(threshold);
}

/// Whether the tensor has one row a word.
bool is_by_word(std::string_view name) {
  return name == "embedding.weight" || name == "output.weight" || name == "output.bias";
}

/// Reorders `rows`, one for each word of `known`, to the order of `wanted`; unknown words take their row of `fallback`.
Tensor rows_by_word(const Tensor& rows, const Tensor& fallback, const std::vector<std::string>& known,
                    const std::vector<std::string>& wanted) {
  const auto width = static_cast<std::size_t>(rows.count()) / known.size();
  if (static_cast<std::size_t>(fallback.count()) != width * wanted.size()) return rows.clone();
  std::map<std::string_view, std::size_t> index;
  for (std::size_t i = 0; i < known.size(); ++i) index.emplace(known[i], i);
  Tensor result = fallback.clone();
  for (std::size_t i = 0; i < wanted.size(); ++i) {
    const auto found = index.find(wanted[i]);
    if (found == index.end()) continue;
    std::ranges::copy(rows.values().subspan(found->second * width, width),
                      result.values().begin() + static_cast<std::ptrdiff_t>(i * width));
  }
  return result;
}

}  // namespace

ModelConfig new_config(const Recipe& recipe, const net::GraphSpec& graph, const std::string& graph_text,
                       const std::vector<CaptionedPicture>& pictures) {
  ModelConfig config;
  config.name = recipe.name;
  config.input = recipe.encoder.input;
  config.graph = graph_text;
  config.graph_name = recipe.encoder.graph.native();
  config.output_node = recipe.encoder.output;
  const Shape map = map_of(graph, config.input);
  config.rows = static_cast<int>(map[2]);
  config.cols = static_cast<int>(map[3]);
  config.decoder = recipe.decoder.formulas;
  if (!recipe.decoder.graph.empty()) {
    constexpr std::size_t kMostBytes = 1 << 20;
    const DecoderOptions& sizes = recipe.decoder;
    config.decoder = {};
    config.decoder.features = static_cast<int>(map[1]);
    config.decoder.graph = with_sizes(read_file(sizes.graph, kMostBytes), {{"feature", sizes.feature},
                                                                           {"attention", sizes.attention},
                                                                           {"hidden", sizes.hidden},
                                                                           {"gates", 4 * sizes.hidden},
                                                                           {"embedding", sizes.embedding},
                                                                           {"deep", sizes.deep}});
  }
  config.decoder.start_id = kStartId;
  config.decoder.end_id = kEndId;
  config.decoder.unknown_id = kUnknownId;
  config.decoder.never_emit = {kPadId, kStartId, kUnknownId};
  config.vocabulary = frequent_words(pictures, recipe.data.vocabulary_threshold);
  return config;
}

void add_new_decoder(const Recipe& recipe, const ModelConfig& config, const net::GraphSpec& graph,
                     ParameterSet& parameters) {
  DecoderSizes sizes;
  sizes.features = map_of(graph, config.input)[1];
  sizes.memory = recipe.decoder.feature;
  sizes.attention = recipe.decoder.attention;
  sizes.hidden = recipe.decoder.hidden;
  sizes.embedding = recipe.decoder.embedding;
  sizes.init = recipe.decoder.hidden;
  sizes.deep = recipe.decoder.deep;
  sizes.vocabulary = static_cast<std::int64_t>(config.vocabulary.size());
  add_decoder_parameters(config.decoder, sizes, recipe.seed, parameters);
}

ModelConfig extended_config(const Model& model, const std::string& name, int threshold,
                            const std::vector<CaptionedPicture>& pictures) {
  ModelConfig config = model.config();
  config.name = name;
  const std::vector<std::string> words = frequent_words(pictures, threshold);
  for (std::size_t i = kUnknownId + 1; i < words.size(); ++i) {
    const auto& known = model.config().vocabulary;
    if (std::ranges::find(known, words[i]) == known.end()) config.vocabulary.push_back(words[i]);
  }
  return config;
}

void add_extended_decoder(const Model& model, const ModelConfig& config, std::uint64_t seed, ParameterSet& parameters) {
  DecoderSizes sizes = read_sizes(config.decoder, model.weights());
  sizes.vocabulary = static_cast<std::int64_t>(config.vocabulary.size());
  ParameterSet grown;
  add_decoder_parameters(config.decoder, sizes, seed, grown);
  for (Parameter& parameter : grown.parameters()) {
    Shape stored = parameter.value.shape();
    if (is_by_word(parameter.name)) stored[0] = static_cast<std::int64_t>(model.config().vocabulary.size());
    Tensor known = model.weights().load(parameter.name, stored);
    if (is_by_word(parameter.name)) {
      known = rows_by_word(known, parameter.value, model.config().vocabulary, config.vocabulary);
    }
    parameters.add(parameter.name, std::move(known), parameter.decay);
  }
}

void check_start(const Model& start, const std::string& path, const ModelConfig& config) {
  if (start.config().decoder.graph != config.decoder.graph) {
    throw Error(ErrorCode::kUsage, "the decoder of " + quote(path) +
                                       " cannot be gone on with: its step is another text than the recipe's");
  }
  const auto known = decoder_formulas(start.config().decoder);
  const auto wanted = decoder_formulas(config.decoder);
  for (std::size_t i = 0; i < wanted.size(); ++i) {
    if (known[i].second == wanted[i].second) continue;
    throw Error(ErrorCode::kUsage, "the decoder of " + quote(path) + " cannot be gone on with: its " +
                                       std::string(wanted[i].first) + " is " + quote(known[i].second) +
                                       ", the recipe's " + quote(wanted[i].second));
  }
  if (start.config().decoder.heads != config.decoder.heads) {
    throw Error(ErrorCode::kUsage, "the decoder of " + quote(path) + " cannot be gone on with: it has " +
                                       std::to_string(start.config().decoder.heads) + " heads, the recipe " +
                                       std::to_string(config.decoder.heads));
  }
}

bool take_decoder(const Model& start, std::int64_t channels, const std::vector<std::string>& words,
                  ParameterSet& parameters) {
  const Weights& weights = start.weights();
  const bool fits = !weights.contains("feature.weight") || weights.at("feature.weight").shape[1] == channels;
  const ModelConfig& config = start.config();
  const net::GraphSpec encoder = net::extract(net::parse_graph(config.graph, config.graph_name), {config.output_node});
  std::set<std::string, std::less<>> of_encoder;
  for (const net::TensorSpec& spec : net::required_tensors(encoder, {1, 3, config.input.height, config.input.width})) {
    of_encoder.insert(spec.name);
  }
  std::map<std::string, Tensor, std::less<>> tensors;
  for (const auto& [name, view] : weights.tensors()) {
    if (of_encoder.contains(name) || (!fits && name.starts_with("feature."))) continue;
    Tensor values = to_float(view);
    if (is_by_word(name)) values = rows_by_word(values, parameters.at(name).value, config.vocabulary, words);
    tensors.emplace(name, std::move(values));
  }
  parameters.load(Weights(weights.path(), std::move(tensors)));
  return fits;
}

}  // namespace glimpse::train
