/// A batch from its first picture to its summary: what is listed and what is left out, and everything that is written.
#pragma once

#include "cli/command.h"
#include "commands/batch_options.h"

namespace glimpse::apps {

/// Throws Error for what ends the whole run; what was written by then is whole.
ExitCode run_batch_command(const BatchCommand& command);

}  // namespace glimpse::apps
