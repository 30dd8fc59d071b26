// glimpse caption: pictures in, captions out.
#include "commands/caption_run.h"

namespace glimpse::apps {

ExitCode run_caption(Arguments arguments) {
  const CommandLine command = {
      "glimpse caption [options] PICTURE…",
      "Says what is on each picture: a line with its path, a tab and the caption.",
      shared_option_groups(),
      picture_notes(),
  };
  const std::optional<ParsedArguments> parsed = parse_arguments(command, arguments);
  if (!parsed) return ExitCode::kDone;
  return caption_pictures(read_shared_options(*parsed), nullptr);
}

}  // namespace glimpse::apps
