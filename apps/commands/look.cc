// glimpse look: digits read by looking a few times, and a drawing of where.
#include "overlay/look.h"

#include <filesystem>
#include <map>
#include <new>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "cli/arguments.h"
#include "cli/command.h"
#include "cli/interrupt.h"
#include "cli/terminal.h"
#include "core/file.h"
#include "core/json.h"
#include "core/numbers.h"
#include "core/text.h"
#include "glimpses/looker.h"
#include "image/image.h"
#include "io/inputs.h"
#include "io/overlay_files.h"

namespace glimpse::apps {
namespace {

namespace fs = std::filesystem;

CommandLine command_line() {
  OptionGroup group{
      "Options",
      {{"model,m", "FILE", "a model that looks around, as 'glimpse train' makes them of recipes with [look]"},
       {"output,o", "FOLDER", "draw where it looked: photo.jpg gives photo.glimpses.png there"},
       {"json", "", "a JSON object a picture, with places and sizes in its pixels, instead of text"},
       {"truth", "FILE",
        "digits.jsonl of 'glimpse digits': say of how many pictures all is right; without PICTURE, of all of them"},
       {"side", "N", "longer side of the picture as it is drawn, in pixels (default: 480)"},
       {"font", "FILE", "TrueType font of the drawings (default: DejaVu Sans, where installed)"}}};
  return {
      "glimpse look -m MODEL [options] PICTURE…",
      "Looks at each picture a few times, through a small window each time, and says what is on it. Prints the path, "
      "what was said and its probability. Pictures are taken as light on dark.",
      {group},
      "  glimpse digits digits/ -n 20 --kind translated-cluttered\n"
      "  glimpse look -m look-ram60.safetensors digits/*.png -o looks/\n"
      "  glimpse look -m look-ram60.safetensors --truth digits/digits.jsonl\n",
  };
}

/// A loaded picture, or the error.
struct Picture {
  std::string path;
  Image image;                 ///< no larger than the model needs
  std::optional<Image> full;   ///< for drawing on, where asked for
  std::optional<Error> error;  ///< then there is no image
};

Picture read_picture(io::Input input, const LoadOptions& scaled, bool draws) {
  Picture picture{std::move(input.path), {}, {}, std::move(input.error)};
  if (picture.error) return picture;
  try {
    const LoadOptions full;
    const std::string bytes = read_file(picture.path, full.max_bytes);
    picture.image = decode_image(std::as_bytes(std::span(bytes)), picture.path, scaled);
    if (draws) picture.full = decode_image(std::as_bytes(std::span(bytes)), picture.path, full);
  } catch (const Error& error) {
    picture.error = error;
  } catch (const std::bad_alloc&) {
    picture.error = Error(ErrorCode::kTooLarge, "not enough memory to decode " + quote(picture.path));
  }
  return picture;
}

/// What digits.jsonl says of its pictures, by their path.
std::map<std::string, std::string> read_truth(const fs::path& path) {
  constexpr std::size_t kMostBytes = std::size_t{1} << 30;
  const std::string text = read_file(path, kMostBytes);
  std::map<std::string, std::string> truth;
  int line = 0;
  for (const std::string_view content : split_lines(text)) {
    ++line;
    const Json json = parse_json(content, path.native(), {.first_line = line});
    const auto image = json.at("image").get<std::string>();
    const auto label = json.at("label").get<std::string>();
    if (!image || !label) {
      throw Error(ErrorCode::kUsage, quote(path.native()) + " line " + std::to_string(line) +
                                         ": no object with the texts 'image' and 'label'");
    }
    truth[(path.parent_path() / *image).lexically_normal().native()] = *label;
  }
  if (truth.empty()) throw Error(ErrorCode::kUsage, quote(path.native()) + " speaks of no picture");
  return truth;
}

Json to_json(const Picture& picture, const Look& look, const LookConfig& config, const std::string& drawing) {
  Json json = {{"path", to_valid_utf8(picture.path)},
               {"width", picture.image.source_width},
               {"height", picture.image.source_height},
               {"answer", look.answer()},
               {"probability", rounded(look.probability(), 6)}};
  json["objects"] = Json::list();
  for (const LookObject& object : look.objects) {
    Json said = {{"class", object.name.empty() ? Json() : Json(object.name)},
                 {"probability", rounded(object.probability, 6)}};
    for (const LookGlimpse& glimpse : object.glimpses) {
      Json boxes = Json::list();
      for (const Rect& box : glimpse.boxes) {
        boxes.push_back(
            Json::list({rounded(box.x, 2), rounded(box.y, 2), rounded(box.width, 2), rounded(box.height, 2)}));
      }
      const Rect& sharp = glimpse.boxes.front();
      said["glimpses"].push_back({{"x", rounded(sharp.x + sharp.width / 2, 2)},
                                  {"y", rounded(sharp.y + sharp.height / 2, 2)},
                                  {"boxes", std::move(boxes)}});
    }
    json["objects"].push_back(std::move(said));
  }
  if (!drawing.empty()) json["drawing"] = to_valid_utf8(drawing);
  json["model"] = config.name;
  return json;
}

std::string percent(double share) { return fixed(100 * share, 1) + " %"; }

class LookRun {
 public:
  LookRun(const Looker& looker, const ParsedArguments& arguments)
      : config_(looker.config()), session_(looker), json_(arguments.has("json")) {
    if (const auto folder = arguments.text("output")) {
      io::make_folder(*folder, "--output");
      names_.emplace(*folder);
    }
    drawing_.side = arguments.integer("side", drawing_.side, 64, 4096);
    drawing_.font = arguments.text("font").value_or("");
    if (const auto truth = arguments.text("truth")) truth_ = read_truth(*truth);
  }

  bool draws() const { return names_.has_value(); }
  std::vector<std::string> judged() const {
    std::vector<std::string> paths;
    for (const auto& [path, label] : truth_) paths.push_back(path);
    return paths;
  }

  void add(const Picture& picture) {
    if (picture.error) {
      ++failed_;
      report_error(picture.error->what());
      return;
    }
    const Look look = session_.look(picture.image);
    ++done_;
    const auto wanted = truth_.find(fs::path(picture.path).lexically_normal().native());
    if (wanted != truth_.end()) {
      ++judged_;
      if (wanted->second != look.answer()) ++wrong_;
    }
    std::string drawing;
    if (names_) {
      drawing = names_->next(picture.path).native() + ".glimpses.png";
      write_png(draw_look(*picture.full, look, config_, drawing_), drawing);
    }
    if (json_) {
      write_output(to_json(picture, look, config_, drawing).dump({.lenient = true}) + "\n");
    } else if (names_ || truth_.empty()) {
      write_output(one_line(picture.path) + '\t' + bold(look.answer()) + '\t' + percent(look.probability()) +
                   (drawing.empty() ? "" : '\t' + one_line(drawing)) + '\n');
    }
  }

  ExitCode finish() const {
    if (judged_ > 0) {
      const std::string verdict = "wrong: " + percent(double(wrong_) / judged_) + " (" + std::to_string(wrong_) +
                                  " of " + std::to_string(judged_) + " pictures)";
      if (json_) {
        report(verdict);
      } else {
        write_output(verdict + "\n");
      }
    }
    if (interrupted()) return ExitCode::kInterrupted;
    if (failed_ == 0) return ExitCode::kDone;
    if (done_ + failed_ > 1) {
      report(std::to_string(failed_) + " of " + std::to_string(done_ + failed_) +
             " pictures failed, the rest is complete");
    }
    return ExitCode::kSomeFailed;
  }

 private:
  const LookConfig& config_;
  LookSession session_;
  bool json_;
  std::optional<io::OverlayNames> names_;
  LookDrawing drawing_;
  std::map<std::string, std::string> truth_;
  int done_ = 0;
  int failed_ = 0;
  int judged_ = 0;
  int wrong_ = 0;
};

/// Every error in it is reported as an unusable model.
LookModel load_look_model(const std::string& path) {
  try {
    return LookModel::load(path);
  } catch (const Error& error) {
    throw Error(ErrorCode::kModel, error.what());
  }
}

}  // namespace

ExitCode run_look(Arguments arguments) {
  const std::optional<ParsedArguments> parsed = parse_arguments(command_line(), arguments);
  if (!parsed) return ExitCode::kDone;
  const std::optional<std::string> path = parsed->text("model");
  if (!path) throw Error(ErrorCode::kUsage, "look needs a model: -m FILE");
  if (parsed->positional.empty() && !parsed->has("truth")) {
    throw Error(ErrorCode::kUsage, "look takes at least one picture, or --truth FILE");
  }
  catch_interrupts();
  const Looker looker(load_look_model(*path));
  LookRun run(looker, *parsed);
  LoadOptions scaled;
  scaled.min_width = looker.config().width;
  scaled.min_height = looker.config().height;
  io::Inputs inputs(parsed->positional.empty() ? run.judged() : parsed->positional, {});
  while (std::optional<io::Input> input = inputs.next(interrupt_token())) {
    run.add(read_picture(std::move(*input), scaled, run.draws()));
  }
  return run.finish();
}

}  // namespace glimpse::apps
