// glimpse batch: folders, lists and archives of pictures in; records, text files, overlays and a report out.
#include "cli/command.h"
#include "cli/interrupt.h"
#include "commands/batch_options.h"
#include "commands/batch_run.h"

namespace glimpse::apps {

ExitCode run_batch(Arguments arguments) {
  const std::optional<ParsedArguments> parsed = parse_arguments(batch_command_line(), arguments);
  if (!parsed) return ExitCode::kDone;
  const BatchCommand command = read_batch_command(*parsed);
  catch_interrupts();
  return run_batch_command(command);
}

}  // namespace glimpse::apps
