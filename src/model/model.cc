#include "model/model.h"

#include <algorithm>
#include <unordered_set>

#include "core/error.h"
#include "core/text.h"
#include "model/half_tensors.h"

namespace glimpse {
namespace {

// The keys of a bundle's metadata; the values are what a folder has as files of these names.
constexpr std::string_view kConfigKey = "model.json";
constexpr std::string_view kGraphKey = "encoder.graph";
constexpr std::string_view kVocabularyKey = "vocabulary.txt";
constexpr std::size_t kMaxTextBytes = std::size_t{64} << 20;

std::vector<std::string> vocabulary_lines(std::string_view text) {
  std::vector<std::string> words;
  for (const std::string_view line : split_lines(text)) words.emplace_back(line);
  return words;
}

/// Checks that need no compilation: distinct words, ids within the vocabulary.
void check_vocabulary(const ModelConfig& config, const std::string& file) {
  const auto size = static_cast<int>(config.vocabulary.size());
  const auto check = [&](std::string_view key, int id) {
    if (id >= size) {
      throw Error(ErrorCode::kModel, quote(file) + ": 'decoder." + std::string(key) + "' is " + std::to_string(id) +
                                         ", but the vocabulary has " + std::to_string(size) + " words");
    }
  };
  std::unordered_set<std::string_view> seen;
  for (const std::string& word : config.vocabulary) {
    if (!seen.insert(word).second) {
      throw Error(ErrorCode::kModel, quote(file) + ": the vocabulary has " + quote(word) + " twice");
    }
  }
  check("start_id", config.decoder.start_id);
  check("end_id", config.decoder.end_id);
  check("unknown_id", config.decoder.unknown_id);
  for (const int id : config.decoder.never_emit) check("never_emit", id);
}

Model load_folder(const std::filesystem::path& folder) {
  const std::filesystem::path config_path = folder / kConfigKey;
  std::string graph_file;
  ModelConfig config = config_from_json(read_file(config_path, kMaxTextBytes), config_path.native(), graph_file);
  config.graph = read_file(folder / graph_file, kMaxTextBytes);
  config.graph_name = (folder / graph_file).native();
  config.vocabulary = vocabulary_lines(read_file(folder / kVocabularyKey, kMaxTextBytes));
  check_vocabulary(config, config_path.native());
  return {std::move(config), Weights(folder / "weights.safetensors")};
}

Model load_bundle(const std::filesystem::path& path) {
  Weights weights(path);
  const auto metadata = [&](std::string_view key) -> const std::string& {
    const auto found = weights.metadata().find(key);
    if (found == weights.metadata().end()) {
      throw Error(ErrorCode::kModel, quote(path.native()) + " is not a glimpse model: its metadata has no " +
                                         quote(key) + " ('glimpse pack' makes a bundle from a model folder)");
    }
    return found->second;
  };
  const auto part = [&](std::string_view key) { return path.native() + " (" + std::string(key) + ")"; };
  std::string graph_file;
  ModelConfig config = config_from_json(metadata(kConfigKey), part(kConfigKey), graph_file);
  config.graph = metadata(kGraphKey);
  config.graph_name = part(kGraphKey);
  config.vocabulary = vocabulary_lines(metadata(kVocabularyKey));
  check_vocabulary(config, part(kConfigKey));
  return {std::move(config), std::move(weights)};
}

/// All of a model but its tensors.
std::map<std::string, std::string, std::less<>> metadata_of(const ModelConfig& config) {
  std::string vocabulary;
  for (const std::string& word : config.vocabulary) vocabulary += word + '\n';
  return {{std::string(kConfigKey), config_to_json(config)},
          {std::string(kGraphKey), config.graph},
          {std::string(kVocabularyKey), vocabulary}};
}

}  // namespace

Model Model::load(const std::filesystem::path& path) {
  std::error_code error;
  return std::filesystem::is_directory(path, error) ? load_folder(path) : load_bundle(path);
}

void write_bundle(const Model& model, const std::filesystem::path& path) {
  std::vector<NamedTensor> tensors;
  for (const auto& [name, tensor] : model.weights().tensors()) tensors.push_back({name, tensor});
  write_safetensors(path, tensors, metadata_of(model.config()));
}

void write_half_bundle(const ModelConfig& config, const std::map<std::string, TensorView, std::less<>>& tensors,
                       const std::filesystem::path& path) {
  write_half_tensors(tensors, metadata_of(config), path);
}

}  // namespace glimpse
