// glimpse overlay: pictures in, captions out, and beside each a drawing of where the model looked at each word.
#include "cli/overlay_options.h"
#include "commands/caption_run.h"
#include "io/overlay_files.h"

namespace glimpse::apps {
namespace {

OptionGroup output_group() {
  return {"Where overlays go",
          {{"output,o", "FOLDER", "folder for the overlays, made if need be (default: the current folder)"}}};
}

}  // namespace

ExitCode run_overlay(Arguments arguments) {
  std::vector<OptionGroup> groups = {output_group(), overlay_option_group()};
  for (const OptionGroup& group : shared_option_groups()) groups.push_back(group);
  const CommandLine command = {
      "glimpse overlay [options] PICTURE…",
      "Captions each picture and draws where the model looked at each word: photo.jpg gives photo.glimpses.png in the "
      "output folder (of several pictures with one name, photo-2.glimpses.png and so on; an overlay of an earlier run "
      "is replaced). Prints the path, the caption and the overlay's path, or the paths with spaces between.",
      groups,
      picture_notes(),
  };
  const std::optional<ParsedArguments> parsed = parse_arguments(command, arguments);
  if (!parsed) return ExitCode::kDone;
  OverlayCommand overlays;
  overlays.options = read_overlay_options(*parsed);
  const SharedOptions shared = read_shared_options(*parsed);
  overlays.folder = parsed->text("output").value_or(".");
  io::make_folder(overlays.folder, "--output");
  return caption_pictures(shared, &overlays);
}

}  // namespace glimpse::apps
