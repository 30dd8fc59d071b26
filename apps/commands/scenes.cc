// glimpse scenes: pictures of coloured things, with captions, and where everything stands.
#include "synthetic/scene.h"

#include <array>
#include <cstdio>
#include <filesystem>

#include "cli/arguments.h"
#include "cli/command.h"
#include "cli/interrupt.h"
#include "cli/progress.h"
#include "cli/terminal.h"
#include "core/json.h"
#include "core/text.h"
#include "io/record_file.h"
#include "synthetic/describe.h"
#include "synthetic/paint.h"

namespace glimpse::apps {
namespace {

namespace fs = std::filesystem;

constexpr int kTrain = 2000;
constexpr int kHeldOut = 200;
constexpr int kSide = 224;
constexpr int kCaptions = 5;
constexpr int kMostPictures = 10'000'000;

struct ScenesCommand {
  fs::path folder;
  std::array<std::pair<const char*, int>, 3> splits;  ///< name and number of pictures
  std::uint64_t seed = 1;
  int side = kSide;
  int captions = kCaptions;
  scenes::SceneOptions scene;
  scenes::TellingOrder telling = scenes::TellingOrder::kLargeFirst;
  bool overwrite = false;

  std::size_t pictures() const {
    std::size_t sum = 0;
    for (const auto& split : splits) sum += static_cast<std::size_t>(split.second);
    return sum;
  }
};

CommandLine command_line() {
  const auto standard = [](const std::string& what, int number) {
    return what + " (default: " + std::to_string(number) + ")";
  };
  OptionGroup group{"Options",
                    {{"train,n", "N", standard("pictures to learn from", kTrain)},
                     {"val", "N", standard("pictures to choose by", kHeldOut)},
                     {"test", "N", standard("pictures to be judged on", kHeldOut)},
                     {"seed", "N", "of the endless series that they are taken from (default: 1)"},
                     {"side", "N", standard("height and width in pixels", kSide)},
                     {"least", "N", standard("things in a picture at least", scenes::SceneOptions().least_things)},
                     {"most", "N", standard("and at most, up to 3", scenes::SceneOptions().most_things)},
                     {"captions", "N", standard("captions of each picture", kCaptions)},
                     {"order", "WHICH", "what captions tell first: large (default) or random"},
                     {"overwrite", "", "replace the scenes that FOLDER has already"}}};
  return {
      "glimpse scenes FOLDER [options]",
      "Draws pictures of coloured things and says what is on them. FOLDER/captions.jsonl is what train and eval take; "
      "it also holds where each thing stands and which things each word of a caption speaks of.",
      {group},
      "The same options give the same pictures; more of them go on where fewer end.\n"
      "  glimpse scenes scenes/ -n 2000\n"
      "  glimpse train --config models/recipes/scenes.conf\n",
  };
}

ScenesCommand read_command(const ParsedArguments& arguments) {
  ScenesCommand command;
  if (arguments.positional.size() != 1) {
    throw Error(ErrorCode::kUsage,
                "scenes takes one folder to write to, not " + std::to_string(arguments.positional.size()));
  }
  command.folder = arguments.positional.front();
  command.splits = {{{"train", arguments.integer("train", kTrain, 0, kMostPictures)},
                     {"val", arguments.integer("val", kHeldOut, 0, kMostPictures)},
                     {"test", arguments.integer("test", kHeldOut, 0, kMostPictures)}}};
  command.seed = static_cast<std::uint64_t>(arguments.integer("seed", 1, 0, std::numeric_limits<int>::max()));
  command.side = arguments.integer("side", kSide, 16, 4096);
  command.captions = arguments.integer("captions", kCaptions, 1, 100);
  command.scene.least_things = arguments.integer("least", command.scene.least_things, 1, scenes::kMostThings);
  command.scene.most_things =
      arguments.integer("most", command.scene.most_things, command.scene.least_things, scenes::kMostThings);
  const std::string order = arguments.text("order").value_or("large");
  if (order != "large" && order != "random") {
    throw Error(ErrorCode::kUsage, "--order is " + quote(order) + "; there are large and random");
  }
  if (order == "random") command.telling = scenes::TellingOrder::kRandom;
  command.overwrite = arguments.has("overwrite");
  if (command.pictures() == 0) throw Error(ErrorCode::kUsage, "--train, --val and --test are all 0: nothing to draw");
  return command;
}

/// Each split has numbers of its own, so that more pictures of one change nothing in the others.
std::uint64_t number_of(std::size_t split, int picture) {
  return split * static_cast<std::uint64_t>(kMostPictures) + static_cast<std::uint64_t>(picture);
}

std::string file_name(const char* split, int picture) {
  std::array<char, 32> digits{};
  std::snprintf(digits.data(), digits.size(), "-%07d.png", picture);
  return std::string(split) + digits.data();
}

/// Draws one scene, writes its picture, and gives its line.
std::string make(const ScenesCommand& command, std::size_t split, int picture) {
  const std::uint64_t number = number_of(split, picture);
  const scenes::Scene scene = scenes::draw_scene(command.seed, number, command.scene);
  const scenes::PaintedScene painted = scenes::paint(scene, command.side);
  const std::string name = file_name(command.splits[split].first, picture);
  write_png(painted.image, command.folder / name);

  Json line = {{"image", name}, {"split", command.splits[split].first}};
  Random random(scene.background.seed + 1);
  for (const scenes::SceneCaption& caption : scenes::describe(scene, command.captions, random, command.telling)) {
    line["captions"].push_back(scenes::text(caption));
    Json words = Json::list();
    for (const scenes::SceneWord& word : caption) words.push_back(Json::list(word.things));
    line["words"].push_back(std::move(words));
  }
  for (std::size_t i = 0; i < scene.things.size(); ++i) {
    const scenes::Thing& thing = scene.things[i];
    const Rect& box = painted.boxes[i];
    line["things"].push_back({{"shape", scenes::name(thing.shape)},
                              {"colour", scenes::name(thing.colour)},
                              {"size", scenes::name(thing.size)},
                              {"box", Json::list({box.x, box.y, box.width, box.height})}});
  }
  return line.dump() + "\n";
}

}  // namespace

ExitCode run_scenes(Arguments arguments) {
  const std::optional<ParsedArguments> parsed = parse_arguments(command_line(), arguments);
  if (!parsed) return ExitCode::kDone;
  const ScenesCommand command = read_command(*parsed);
  std::error_code error;
  fs::create_directories(command.folder, error);
  if (error)
    throw Error(ErrorCode::kIo, "cannot make folder " + quote(command.folder.native()) + ": " + error.message());
  io::RecordFile lines(command.folder / "captions.jsonl",
                       command.overwrite ? io::RecordFile::Start::kReplace : io::RecordFile::Start::kNew);
  catch_interrupts();
  Progress progress(command.pictures(), "pictures");
  std::size_t done = 0;
  for (std::size_t split = 0; split < command.splits.size(); ++split) {
    for (int picture = 0; picture < command.splits[split].second && !interrupted(); ++picture, ++done) {
      lines.append(make(command, split, picture));
      progress.advance(1);
    }
  }
  lines.finish();
  progress.clear();
  if (interrupted()) {
    report("interrupted; " + std::to_string(done) + " of " + std::to_string(command.pictures()) +
           " pictures are drawn, and captions.jsonl has those");
    return ExitCode::kInterrupted;
  }
  write_output(one_line((command.folder / "captions.jsonl").native()) + ": " + std::to_string(done) + " pictures\n");
  return ExitCode::kDone;
}

}  // namespace glimpse::apps
