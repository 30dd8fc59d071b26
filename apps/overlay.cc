// glimpse overlay: pictures in, captions out, and beside each a sheet of where the model looked at each word.
#include "overlay/overlay.h"

#include <filesystem>
#include <set>
#include <utility>

#include "caption_run.h"

namespace glimpse::apps {
namespace {

namespace fs = std::filesystem;

OptionGroup overlay_group() {
  OptionGroup group{"How overlays are drawn", {}};
  auto add = group.options.add_options();
  const auto value = [](const char* name) { return po::value<std::string>()->value_name(name); };
  add("output,o", value("FOLDER"), "where the overlays go, made if need be (default: the current folder)");
  add("style", value("STYLE"), "heat: a heat map over the picture (default)");
  add("layout", value("LAYOUT"), "sheet: the picture, then one tile a word (default)");
  add("colormap", value("NAME"), "any of OpenCV's (default: inferno)");
  add("alpha", value("A"), "opacity where attention peaks, 0 to 1 (default: 0.6)");
  add("scale", value("SCALE"),
      "per-word: each tile's own peak is its brightest; global: the caption's peak (default: per-word)");
  add("smooth", "soft edges between the map's cells, as the paper's pictures have them");
  add("font", value("FILE"), "TrueType font for the labels (default: DejaVu Sans where it is installed)");
  return group;
}

OverlayOptions read_overlay_options(const ParsedArguments& arguments) {
  OverlayOptions options;
  choose<int>("style", arguments.text("style").value_or("heat"), {{"heat", 0}});
  choose<int>("layout", arguments.text("layout").value_or("sheet"), {{"sheet", 0}});
  options.colormap = arguments.text("colormap").value_or(options.colormap);
  options.alpha = arguments.real("alpha", options.alpha, 0, 1);
  options.scale = choose<OverlayOptions::Scale>(
      "scale", arguments.text("scale").value_or("per-word"),
      {{"per-word", OverlayOptions::Scale::kPerWord}, {"global", OverlayOptions::Scale::kGlobal}});
  options.smooth = arguments.has("smooth");
  options.font = arguments.text("font").value_or("");
  return options;
}

/// Throws Error naming the folder where it is none and cannot be made.
void make_folder(const fs::path& folder) {
  std::error_code error;
  fs::create_directories(folder, error);
  if (fs::is_directory(folder)) return;
  if (fs::exists(folder)) {
    throw Error(ErrorCode::kUsage, "--output takes a folder; " + quote(folder.native()) + " is a file");
  }
  throw Error(error == std::errc::permission_denied ? ErrorCode::kPermission : ErrorCode::kIo,
              "cannot make the folder " + quote(folder.native()) + ": " + error.message());
}

/// File names that no other picture of this run has: photo.glimpses.png, and photo-2.glimpses.png for the next photo
/// of that name.
class OverlayNames {
 public:
  explicit OverlayNames(fs::path folder) : folder_(std::move(folder)) {}

  fs::path next(const fs::path& picture) {
    const std::string stem = picture.stem().string();
    std::string name = stem;
    for (int number = 2; !used_.insert(name).second; ++number) name = stem + "-" + std::to_string(number);
    return folder_ / (name + ".glimpses.png");
  }

 private:
  fs::path folder_;
  std::set<std::string> used_;
};

}  // namespace

ExitCode run_overlay(Arguments arguments) {
  std::vector<OptionGroup> groups = {overlay_group()};
  for (const OptionGroup& group : shared_option_groups()) groups.push_back(group);
  const CommandLine command = {
      "glimpse overlay [options] PICTURE…",
      "Captions each picture and draws where the model looked at each word: photo.jpg gives photo.glimpses.png in the "
      "output folder (of several pictures with one name, photo-2.glimpses.png and so on; an overlay of an earlier run "
      "is replaced). Prints the path, the caption and the overlay's path.",
      groups,
      picture_notes(),
  };
  const std::optional<ParsedArguments> parsed = parse_arguments(command, arguments);
  if (!parsed) return ExitCode::kDone;
  const OverlayOptions overlay_options = read_overlay_options(*parsed);
  const SharedOptions shared = read_shared_options(*parsed);
  const fs::path folder = parsed->text("output").value_or(".");
  make_folder(folder);

  OverlayNames names(folder);
  return caption_pictures(
      shared, [&](const Picture& picture, std::span<const Caption> captions, const ModelConfig& config) {
        const ViewTransform transform =
            view_transform(config.input, picture.full->source_width, picture.full->source_height);
        std::vector<std::string> files;
        for (const Caption& caption : captions) {
          const fs::path file = names.next(picture.path);
          write_png(draw_sheet(*picture.full, caption, config.rows, config.cols, transform, overlay_options), file);
          files.push_back(file.native());
        }
        return files;
      });
}

}  // namespace glimpse::apps
