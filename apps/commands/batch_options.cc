#include "commands/batch_options.h"

#include <algorithm>
#include <string_view>
#include <utility>

#include "cli/overlay_options.h"

namespace glimpse::apps {
namespace {

namespace fs = std::filesystem;

OptionGroup input_group() {
  return {"Which pictures",
          {{"recursive,r", "", "folders stand for all that is below them (links to folders are not followed there)"},
           {"ext", "LIST",
            "extensions that count as pictures in folders and archives: --ext jpg,png (default: those of all formats "
            "that are read)"},
           {"nul,0", "", "paths on standard input end with NUL, as find -print0 writes them, not with a newline"},
           {"shard", "I/N",
            "only the I-th of N shares of the list, by a hash of each path that is the same everywhere; auto: the "
            "share that a Slurm array, Open MPI or a Kubernetes indexed job gives this process; auto/N where those do "
            "not say how many"}}};
}

OptionGroup output_group() {
  return {"Results",
          {{"output,o", "FILE", "records, in the order of the list: FILE.jsonl or FILE.csv"},
           {"attention", "", "with -o FILE.jsonl: the attention over the cells of the map, a row a word"},
           {"sidecar", "EXT", "a text file beside each picture with its best caption: photo.jpg, photo.EXT"},
           {"coco-results", "FILE", "COCO results JSON: [{\"image_id\": …, \"caption\": …}, …]"},
           {"overlays", "FOLDER", "drawings of where the model looked, photo.glimpses.png"},
           {"report", "FOLDER", "a page to look at in a browser: all pictures, captions and glimpses"}}};
}

OptionGroup run_group() {
  return {
      "How to run",
      {{"resume", "",
        "go on with FILE.jsonl, and with the report and the other files beside it, after an interruption: what has a "
        "record, also of a failure, is left alone"},
       {"skip-existing", "", "leave out pictures that have a sidecar"},
       {"overwrite", "", "replace files that are there already"},
       {"fail-fast", "", "stop at the first picture that fails"},
       {"batch", "N", "pictures at a time in each thread (default: " + std::to_string(BatchCommand().batch) + ")"}}};
}

std::vector<std::string> parse_extensions(std::string_view list) {
  std::vector<std::string> extensions;
  while (!list.empty()) {
    const std::size_t comma = list.find(',');
    std::string_view extension = list.substr(0, comma);
    list.remove_prefix(comma == std::string_view::npos ? list.size() : comma + 1);
    if (extension.starts_with('.')) extension.remove_prefix(1);
    if (extension.empty() || extension.find_first_of("./*?[") != std::string_view::npos) {
      throw Error(ErrorCode::kUsage,
                  "--ext takes extensions with commas between them, not " + quote(extension) + ": --ext jpg,png");
    }
    extensions.emplace_back(extension);
  }
  if (extensions.empty()) throw Error(ErrorCode::kUsage, "--ext takes extensions: --ext jpg,png");
  return extensions;
}

/// ".txt"
std::string parse_sidecar(std::string extension) {
  if (extension.starts_with('.')) extension.erase(0, 1);
  if (extension.empty() || extension.find('/') != std::string::npos || extension.find('\0') != std::string::npos) {
    throw Error(ErrorCode::kUsage, "--sidecar takes an extension, such as txt, not " + quote(extension));
  }
  if (io::PictureNames().match("a." + extension) || extension == "tar") {
    throw Error(ErrorCode::kUsage, "--sidecar " + extension + " would be the name of a picture; take txt or caption");
  }
  return "." + extension;
}

Format format_of(const fs::path& output) {
  const std::string extension = output.extension().string();
  if (extension == ".jsonl" || extension == ".ndjson") return Format::kJson;
  if (extension == ".csv") return Format::kCsv;
  throw Error(ErrorCode::kUsage, "--output " + quote(output.native()) +
                                     ": the name says the format; end it with .jsonl "
                                     "or .csv");
}

void refuse_without_overlays(const ParsedArguments& arguments) {
  const OptionGroup group = overlay_option_group();
  for (const Option& option : group.options) {
    if (!arguments.has(option.name())) continue;
    throw Error(ErrorCode::kUsage, "--" + option.name() + " is about overlays; give --overlays FOLDER too");
  }
}

void check_together(const BatchCommand& command) {
  const auto refuse = [](bool condition, const char* message) {
    if (condition) throw Error(ErrorCode::kUsage, message);
  };
  refuse(command.inputs.empty(), "no pictures given (--help shows how)");
  refuse(!command.output && !command.sidecar && !command.coco_results && !command.draws(),
         "where should the captions go? Give -o FILE.jsonl, --sidecar txt, --coco-results FILE, --overlays FOLDER or "
         "--report FOLDER");
  refuse(command.resume && (!command.output || command.format != Format::kJson),
         "--resume needs -o FILE.jsonl: its records say what has been done");
  refuse(command.resume && command.overwrite, "--resume and --overwrite exclude each other; give one");
  refuse(command.skip_existing && !command.sidecar, "--skip-existing is about sidecars; give --sidecar EXT too");
  refuse(command.skip_existing && command.overwrite, "--skip-existing and --overwrite exclude each other; give one");
  refuse(command.attention && (!command.output || command.format != Format::kJson),
         "--attention needs -o FILE.jsonl: there is no place for the maps elsewhere");
}

}  // namespace

CommandLine batch_command_line() {
  CommandLine command = {
      "glimpse batch [options] PICTURE…",
      "Captions many pictures: folders, lists and archives. It reads while it computes while it writes, in bounded "
      "memory; results come in the order of the list, and a picture that fails is recorded and the others are done. "
      "Ctrl-C finishes what is in flight, and --resume goes on.",
      {input_group(), output_group(), run_group(), overlay_option_group()},
      "PICTURE is a file, a folder, a pattern such as '*.jpg', a tar archive (also .tar.gz, .tar.bz2, .tar.zst; its\n"
      "pictures are called archive.tar/member.jpg), or - for a list of all these on standard input.\n\n"
      "Exit codes: 0 all done, 1 internal error or results not written, 2 wrong usage, 3 model unusable,\n"
      "4 some pictures failed, 130 interrupted; what was written is whole.\n",
  };
  for (OptionGroup& shared : model_option_groups()) command.groups.push_back(std::move(shared));
  return command;
}

BatchCommand read_batch_command(const ParsedArguments& arguments) {
  BatchCommand command;
  static_cast<ModelOptions&>(command) = read_model_options(arguments);
  command.inputs = arguments.positional;
  command.input.nul_separated = arguments.has("nul");
  command.input.recursive = arguments.has("recursive");
  if (const auto list = arguments.text("ext")) command.input.names = io::PictureNames(parse_extensions(*list));
  if (const auto shard = arguments.text("shard")) command.shard = io::Shard::parse(*shard);
  command.output = arguments.text("output");
  if (command.output) command.format = format_of(*command.output);
  command.attention = arguments.has("attention");
  if (const auto extension = arguments.text("sidecar")) command.sidecar = parse_sidecar(*extension);
  command.coco_results = arguments.text("coco-results");
  command.overlays = arguments.text("overlays");
  if (command.overlays) {
    command.overlay = read_overlay_options(arguments);
  } else {
    refuse_without_overlays(arguments);
  }
  command.report = arguments.text("report");
  command.resume = arguments.has("resume");
  command.skip_existing = arguments.has("skip-existing");
  command.overwrite = arguments.has("overwrite");
  command.fail_fast = arguments.has("fail-fast");
  command.batch = arguments.integer("batch", command.batch, 1, 1024);
  check_together(command);
  return command;
}

}  // namespace glimpse::apps
