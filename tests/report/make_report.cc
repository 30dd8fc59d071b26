// make_report FOLDER made-up COUNT: a report of COUNT made-up pictures and a failure for each tenth, with names and
// words that would be markup if anybody let them. make_report FOLDER MODEL PICTURE...: a real one, to look at.
#include <cstdio>
#include <span>
#include <string>
#include <vector>

#include "core/error.h"
#include "model/model.h"
#include "report/report.h"
#include "pipeline/captioner.h"

namespace glimpse::testing {
namespace {

constexpr int kRows = 7;
constexpr int kCols = 7;

Image made_up_picture(int number) {
  Image image(320, number % 3 == 0 ? 240 : 400);
  for (int y = 0; y < image.height; ++y) {
    for (int x = 0; x < image.width; ++x) {
      std::uint8_t* pixel = image.row(y) + 3 * x;
      pixel[0] = static_cast<std::uint8_t>(x * 255 / image.width);
      pixel[1] = static_cast<std::uint8_t>(y * 255 / image.height);
      pixel[2] = static_cast<std::uint8_t>(number * 40 % 256);
    }
  }
  return image;
}

/// All attention in the cell whose number the word is, in the order in which the words come.
Caption made_up_caption(const std::vector<std::string>& words, double log_prob) {
  Caption caption;
  for (std::size_t i = 0; i < words.size(); ++i) {
    std::vector<float> alpha(std::size_t{kRows} * kCols, 0.0F);
    alpha[i == 0 ? 0 : i == 1 ? alpha.size() - 1 : alpha.size() / 2] = 1.0F;
    caption.text += (i == 0 ? "" : " ") + words[i];
    caption.glimpses.push_back({words[i], log_prob * (1.0 + double(i)) / 4, 0.75, alpha, {}});
    caption.log_prob += caption.glimpses.back().log_prob;
  }
  return caption;
}

void make_up(const std::string& folder, int count) {
  Report report(folder, {"</title><script>alert('title')</script>", "<b onclick=alert(1)>model</b>", kRows, kCols},
                Report::Start::kNew);
  Preprocess preprocess;
  preprocess.resize = Preprocess::Resize::kCentreCrop;
  for (int i = 0; i < count; ++i) {
    const Image picture = made_up_picture(i);
    const std::string name =
        i == 0 ? "made/up/\"><img src=x onerror=alert(1)>.jpg" : "made/up/" + std::to_string(i) + ".jpg";
    const double log_prob = -0.1 - (i * 7919 % 1000) / 400.0;
    const std::vector<Caption> captions = {made_up_caption({i == 0       ? "<script>alert('word')</script>"
                                                            : i % 2 == 0 ? "a"
                                                                         : "one",
                                                            "dog", i % 5 == 0 ? "sleeps" : "runs"},
                                                           log_prob),
                                           made_up_caption({"two", "cats"}, 2 * log_prob)};
    const ViewTransform transform = view_transform(preprocess, picture.width, picture.height);
    report.add(report.success(name, picture, transform, captions));
    if (i % 10 == 9) {
      report.add(
          report.failure("made/up/<img src=x onerror=alert(" + std::to_string(i) + ")>",
                         Error(ErrorCode::kDecode, "cannot decode '<img src=x onerror=alert(2)>': not a picture")));
    }
  }
  report.finish();
}

void caption_photos(const std::string& folder, const std::string& model_path, std::span<char*> photos) {
  const Model model = Model::load(model_path);
  const ModelConfig& config = model.config();
  CaptionerOptions captioner_options;
  captioner_options.threads = 1;
  const Captioner captioner(model, captioner_options);
  CaptionOptions options;
  options.search.top = 3;
  CaptionSession session(captioner, options);
  Report report(folder, {"Captions", config.name, config.rows, config.cols}, Report::Start::kNew);
  for (const char* photo : photos) {
    try {
      const Image image = load_image(photo);
      const ViewTransform transform = view_transform(config.input, image.source_width, image.source_height);
      report.add(report.success(photo, image, transform, session.caption(image)));
    } catch (const Error& error) {
      report.add(report.failure(photo, error));
    }
  }
  report.finish();
}

}  // namespace
}  // namespace glimpse::testing

int main(int argc, char** argv) {
  try {
    if (argc == 4 && std::string(argv[2]) == "made-up") {
      glimpse::testing::make_up(argv[1], std::stoi(argv[3]));
    } else if (argc > 3) {
      glimpse::testing::caption_photos(argv[1], argv[2], std::span(argv + 3, static_cast<std::size_t>(argc - 3)));
    } else {
      std::fprintf(stderr, "usage: make_report FOLDER made-up COUNT, or make_report FOLDER MODEL PICTURE...\n");
      return 2;
    }
  } catch (const glimpse::Error& error) {
    std::fprintf(stderr, "make_report: error: %s\n", error.what());
    return 1;
  }
  return 0;
}
