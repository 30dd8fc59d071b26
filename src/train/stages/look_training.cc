#include "train/stages/look_training.h"

#include "core/error.h"
#include "core/json.h"
#include "train/nets/look_network.h"
#include "train/stages/looking.h"

namespace glimpse::train {

void train_to_look(const Recipe& recipe, const TrainingFolder& folder, Trainer::Start start, dnn::Kernels& kernels,
                   Observer& observer) {
  folder.prepare(start);
  LookConfig config = look_config_of(recipe);
  ParameterSet parameters;
  // The description stands where an encoder's graph would: another one is another architecture.
  const std::string description = look_config_to_json(config);
  add_look_parameters(config, recipe.look->shape, recipe.seed, parameters);
  Looking stage(config, recipe, parameters, kernels);
  const std::string scaffold(kLookScaffold);
  folder.run_to_end(stage, description, scaffold);
  config.provenance = Json{{"recipe", to_text(recipe)}}.dump();
  write_look_bundle(config, parameters.views(), recipe.output);
  observer.note("the model is " + quote(recipe.output.native()));
}

}  // namespace glimpse::train
