// glimpse digits: pictures of digits, and what they show and where.
#include "synthetic/digits.h"

#include <algorithm>
#include <array>
#include <cstdio>
#include <filesystem>
#include <limits>
#include <optional>
#include <string>
#include <vector>

#include "cli/arguments.h"
#include "cli/command.h"
#include "cli/interrupt.h"
#include "cli/progress.h"
#include "cli/terminal.h"
#include "core/json.h"
#include "core/text.h"
#include "image/image.h"
#include "io/overlay_files.h"
#include "io/record_file.h"

namespace glimpse::apps {
namespace {

namespace fs = std::filesystem;

constexpr int kCount = 100;
constexpr int kMostPictures = 10'000'000;

struct DigitsCommand {
  fs::path folder;
  int count = kCount;
  std::uint64_t seed = 1;
  digits::DigitOptions digits;
  bool overwrite = false;
};

CommandLine command_line() {
  std::string kinds;
  for (const auto& [name, kind] : digits::kinds()) kinds += (kinds.empty() ? "" : ", ") + std::string(name);
  OptionGroup group{
      "Options",
      {{"count,n", "N", "how many (default: " + std::to_string(kCount) + ")"},
       {"kind,k", "KIND", "what is on them: " + kinds + " (default: centred)"},
       {"width", "N", "of the pictures in pixels (default: 28, 60 for digits that are anywhere, 96 for rows)"},
       {"height", "N", "likewise (default: 28, 60, 32)"},
       {"clutter", "N", "pieces of other digits, with translated-cluttered (default: 4)"},
       {"least", "N", "digits of a row at least (default: 3)"},
       {"most", "N", "and at most (default: 3)"},
       {"seed", "N", "of the endless series that they are taken from (default: 1)"},
       {"overwrite", "", "replace the digits that FOLDER has already"}}};
  return {
      "glimpse digits FOLDER [options]",
      "Draws pictures of digits in several hands, bent and strewn about. FOLDER/digits.jsonl says of each which digits "
      "it shows and where they stand: what 'glimpse look --truth' judges a model by.",
      {group},
      "The same options give the same pictures; more of them go on where fewer end.\n"
      "  glimpse digits digits/ -n 20 --kind translated-cluttered\n"
      "  glimpse look -m look-ram60.safetensors digits/*.png -o looks/\n",
  };
}

DigitsCommand read_command(const ParsedArguments& arguments) {
  DigitsCommand command;
  if (arguments.positional.size() != 1) {
    throw Error(ErrorCode::kUsage,
                "digits takes one folder to write to, not " + std::to_string(arguments.positional.size()));
  }
  command.folder = arguments.positional.front();
  command.count = arguments.integer("count", kCount, 1, kMostPictures);
  command.seed = static_cast<std::uint64_t>(arguments.integer("seed", 1, 0, std::numeric_limits<int>::max()));
  digits::DigitOptions& options = command.digits;
  options.kind = choose("kind", arguments.text("kind").value_or("centred"), digits::kinds());
  const bool row = options.kind == digits::Kind::kRow;
  const bool centred = options.kind == digits::Kind::kCentred;
  options.width = arguments.integer("width", row ? 96 : centred ? 28 : 60, 1, 4096);
  options.height = arguments.integer("height", row ? 32 : centred ? 28 : 60, 1, 4096);
  options.clutter = arguments.integer("clutter", options.clutter, 0, 1000);
  options.most = arguments.integer("most", options.most, 1, 100);
  options.least = arguments.integer("least", std::min(options.least, options.most), 1, 100);
  command.overwrite = arguments.has("overwrite");
  digits::check(options);
  return command;
}

Image as_image(const digits::DigitPicture& picture) {
  Image image(picture.width, picture.height);
  for (int y = 0; y < picture.height; ++y) {
    for (int x = 0; x < picture.width; ++x) {
      const std::uint8_t grey = picture.pixels[static_cast<std::size_t>(y) * static_cast<std::size_t>(picture.width) +
                                               static_cast<std::size_t>(x)];
      for (int c = 0; c < 3; ++c) image.row(y)[3 * x + c] = grey;
    }
  }
  return image;
}

/// Draws one, writes its picture, and gives its line.
std::string make(const DigitsCommand& command, int number) {
  const digits::DigitPicture picture = digits::draw(command.seed, static_cast<std::uint64_t>(number), command.digits);
  std::array<char, 32> name{};
  std::snprintf(name.data(), name.size(), "%07d.png", number);
  write_png(as_image(picture), command.folder / name.data());
  Json line = {{"image", name.data()}, {"label", picture.label()}};
  for (const digits::Digit& digit : picture.digits) {
    const Rect& box = digit.box;
    line["digits"].push_back({{"value", digit.value}, {"box", Json::list({box.x, box.y, box.width, box.height})}});
  }
  return line.dump() + "\n";
}

}  // namespace

ExitCode run_digits(Arguments arguments) {
  const std::optional<ParsedArguments> parsed = parse_arguments(command_line(), arguments);
  if (!parsed) return ExitCode::kDone;
  const DigitsCommand command = read_command(*parsed);
  io::make_folder(command.folder, "digits");
  io::RecordFile lines(command.folder / "digits.jsonl",
                       command.overwrite ? io::RecordFile::Start::kReplace : io::RecordFile::Start::kNew);
  catch_interrupts();
  Progress progress(static_cast<std::size_t>(command.count), "pictures");
  int done = 0;
  for (; done < command.count && !interrupted(); ++done) {
    lines.append(make(command, done));
    progress.advance(1);
  }
  lines.finish();
  progress.clear();
  if (interrupted()) {
    report("interrupted; " + std::to_string(done) + " of " + std::to_string(command.count) +
           " pictures are drawn, and digits.jsonl has those");
    return ExitCode::kInterrupted;
  }
  write_output(one_line((command.folder / "digits.jsonl").native()) + ": " + std::to_string(done) + " pictures\n");
  return ExitCode::kDone;
}

}  // namespace glimpse::apps
