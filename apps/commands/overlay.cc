// glimpse overlay: pictures in, captions out, and beside each a drawing of where the model looked at each word.
#include "overlay/overlay.h"

#include <filesystem>

#include "cli/overlay_options.h"
#include "commands/caption_run.h"
#include "io/overlay_files.h"

namespace glimpse::apps {
namespace {

namespace fs = std::filesystem;

OptionGroup output_group() {
  OptionGroup group{"Where overlays go", {}};
  group.options.add_options()("output,o", po::value<std::string>()->value_name("FOLDER"),
                              "folder for the overlays, made if need be (default: the current folder)");
  return group;
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
  const OverlayOptions overlay_options = read_overlay_options(*parsed);
  const SharedOptions shared = read_shared_options(*parsed);
  const fs::path folder = parsed->text("output").value_or(".");
  io::make_folder(folder, "--output");

  io::OverlayNames names(folder);
  return caption_pictures(
      shared, [&](const Picture& picture, std::span<const Caption> captions, const ModelConfig& config) {
        const ViewTransform transform =
            view_transform(config.input, picture.full->source_width, picture.full->source_height);
        std::vector<std::vector<std::string>> files;
        for (const Caption& caption : captions) {
          const fs::path stem = names.next(picture.path);
          files.emplace_back();
          for (const Overlay& overlay :
               draw_overlays(*picture.full, caption, config.rows, config.cols, transform, overlay_options)) {
            files.back().push_back(write_overlay(overlay, stem).native());
          }
        }
        return files;
      });
}

}  // namespace glimpse::apps
