/// Options shared by all captioning commands: declaration and parsing.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "cli/arguments.h"
#include "io/records.h"
#include "pipeline/captioner.h"

namespace glimpse::apps {

using io::Format;

/// The options of model and captions.
struct ModelOptions {
  std::optional<std::string> model;  ///< --model; else the default is looked for
  CaptionOptions caption;
  int threads = 0;  ///< 0: all that the process may use
};

struct SharedOptions : ModelOptions {
  Format format = Format::kText;
  bool timing = false;
  bool attention = false;
  bool nul_separated = false;
  std::vector<std::string> inputs;  ///< as given; see inputs.h
};

/// Groups of options for a CommandLine: those of ModelOptions, and all.
std::vector<OptionGroup> model_option_groups();
std::vector<OptionGroup> shared_option_groups();

/// Notes on what PICTURE may be, for the end of the help.
std::string picture_notes();

/// Both throw Error(kUsage) naming option and value.
ModelOptions read_model_options(const ParsedArguments& arguments);
SharedOptions read_shared_options(const ParsedArguments& arguments);

}  // namespace glimpse::apps
