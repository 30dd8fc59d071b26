/// The options of `glimpse batch`.
#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "cli/arguments.h"
#include "cli/options.h"
#include "io/inputs.h"
#include "io/shard.h"
#include "overlay/overlay.h"

namespace glimpse::apps {

struct BatchCommand : ModelOptions {
  std::vector<std::string> inputs;
  io::InputOptions input;
  std::optional<io::Shard> shard;

  std::optional<std::filesystem::path> output;
  Format format = Format::kJson;  ///< of `output`
  bool attention = false;
  std::optional<std::string> sidecar;  ///< the extension, with its dot
  std::optional<std::filesystem::path> coco_results;
  std::optional<std::filesystem::path> overlays;
  OverlayOptions overlay;
  std::optional<std::filesystem::path> report;

  bool resume = false;
  bool skip_existing = false;
  bool overwrite = false;
  bool fail_fast = false;
  int batch = 8;

  bool draws() const { return overlays || report; }
};

CommandLine batch_command_line();

/// Throws Error(kUsage) naming option and value, also for options that exclude each other.
BatchCommand read_batch_command(const ParsedArguments& arguments);

}  // namespace glimpse::apps
