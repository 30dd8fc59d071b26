// glimpse pack: an unpacked model folder into one bundle.
#include <filesystem>

#include "cli/arguments.h"
#include "cli/command.h"
#include "cli/terminal.h"
#include "core/text.h"
#include "pipeline/captioner.h"
#include "pipeline/locations.h"

namespace glimpse::apps {

ExitCode run_pack(Arguments arguments) {
  OptionGroup group{"Options", {{"output,o", "FILE", "the bundle to write; required"}}};
  const CommandLine command = {
      "glimpse pack FOLDER -o FILE.safetensors",
      "Packs an unpacked model (model.json, encoder.graph, vocabulary.txt, weights.safetensors) into one file that "
      "--model takes. The model is checked first; a file that is already there is replaced only by a whole new one.",
      {group},
      "",
  };
  const std::optional<ParsedArguments> parsed = parse_arguments(command, arguments);
  if (!parsed) return ExitCode::kDone;
  if (parsed->positional.size() != 1) {
    throw Error(ErrorCode::kUsage, "pack takes one model folder, not " + std::to_string(parsed->positional.size()));
  }
  const std::optional<std::string> output = parsed->text("output");
  if (!output) throw Error(ErrorCode::kUsage, "pack needs to know where to write: -o FILE.safetensors");

  const Model model = load_model(parsed->positional.front());
  CaptionerOptions options;
  options.tuning = dnn::Tuning::kDirect;
  const Captioner check(model, options);  // throws where the parts do not fit together
  write_bundle(model, *output);
  std::error_code ignored;
  write_output(one_line(*output) + ": " + check.config().name + ", " +
               std::to_string(model.weights().tensors().size()) + " tensors, " +
               std::to_string(std::filesystem::file_size(*output, ignored)) + " bytes\n");
  return ExitCode::kDone;
}

}  // namespace glimpse::apps
