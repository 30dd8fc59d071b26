/// The subcommands and the exit codes they end with.
#pragma once

#include <span>
#include <string>

#include "core/error.h"

namespace glimpse::apps {

/// What a process ends with; part of the interface that scripts rely on.
enum class ExitCode {
  kDone = 0,
  kFailure = 1,     ///< a defect of glimpse, or a file that could not be read or written
  kUsage = 2,       ///< wrong usage
  kModel = 3,       ///< the model cannot be used
  kSomeFailed = 4,  ///< some inputs failed, the rest is complete
  kDiverged = 5,    ///< training made numbers that are not finite
  kInterrupted = 130
};

/// The exit code for an error that ends the whole command.
ExitCode exit_code(ErrorCode code);

using Arguments = std::span<const std::string>;

// Each takes the arguments after its own name, throws Error (or apps::ReaderGone, see terminal.h) and prints nothing
// but results and reports on single inputs.
ExitCode run_caption(Arguments arguments);
ExitCode run_overlay(Arguments arguments);
ExitCode run_batch(Arguments arguments);
ExitCode run_eval(Arguments arguments);
ExitCode run_train(Arguments arguments);
ExitCode run_scenes(Arguments arguments);
ExitCode run_compare(Arguments arguments);
ExitCode run_digits(Arguments arguments);
ExitCode run_look(Arguments arguments);
ExitCode run_info(Arguments arguments);
ExitCode run_pack(Arguments arguments);
ExitCode run_bench(Arguments arguments);

}  // namespace glimpse::apps
