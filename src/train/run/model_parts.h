/// Initialises a model under training: new, by a recipe, or from an existing model with an extended vocabulary.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "model/model.h"
#include "net/graph.h"
#include "data/captioned_set.h"
#include "autograd/parameters.h"
#include "train/recipe/recipe.h"

namespace glimpse::train {

/// The config of the model that `recipe` makes, with the words of `pictures`' captions. `graph` is the encoder's, and
/// `graph_text` what it was read from. Throws Error(kUsage) for too few words.
ModelConfig new_config(const Recipe& recipe, const net::GraphSpec& graph, const std::string& graph_text,
                       const std::vector<CaptionedPicture>& pictures);

/// Adds the decoder that `recipe` describes for the config's map and words.
void add_new_decoder(const Recipe& recipe, const ModelConfig& config, const net::GraphSpec& graph,
                     ParameterSet& parameters);

/// The config of `model` under `name`, with the words that `pictures`' captions have beside its own, seen at least
/// `threshold` times, behind them.
ModelConfig extended_config(const Model& model, const std::string& name, int threshold,
                            const std::vector<CaptionedPicture>& pictures);

/// Adds the model's decoder; what the new words need starts from random numbers. Throws Error(kModel) where a tensor
/// does not fit.
void add_extended_decoder(const Model& model, const ModelConfig& config, std::uint64_t seed, ParameterSet& parameters);

/// Checks that the decoder of `start`, read from `path`, fits a model of this config. Throws Error(kUsage) for another
/// variant.
void check_start(const Model& start, const std::string& path, const ModelConfig& config);

/// Copies that decoder's tensors; rows of `words` are matched by word, unknown words keep their current rows. False:
/// the first layer was not copied, because it expects another number of channels than `channels`. Throws Error(kModel)
/// where another tensor does not fit.
bool take_decoder(const Model& start, std::int64_t channels, const std::vector<std::string>& words,
                  ParameterSet& parameters);

}  // namespace glimpse::train
