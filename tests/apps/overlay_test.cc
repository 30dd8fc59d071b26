// glimpse overlay: output files and output text.
#include <nlohmann/json.hpp>

#include "fixture.h"
#include "image/image.h"

namespace glimpse::testing {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

class OverlayAppTest : public AppTest {
 protected:
  OverlayAppTest() {
    std::filesystem::create_directories(path("x"));
    std::filesystem::create_directories(path("y"));
    for (const char* name : {"x/photo.ppm", "y/photo.ppm", "photo-2.ppm"}) add_picture(name, name[0]);
  }

  std::vector<std::string> overlays(const ProcessResult& result) const {
    EXPECT_EQ(result.code, 0) << result.errors;
    std::vector<std::string> files;
    for (const std::string_view line : split_lines(result.output)) {
      files.emplace_back(line.substr(line.rfind('\t') + 1));
      EXPECT_GT(load_image(path(files.back())).width, 0);
    }
    return files;
  }
};

TEST_F(OverlayAppTest, EveryPictureGetsAFileOfItsOwn) {
  const ProcessResult result = glimpse({"overlay", "-o", "out/deep", "x/photo.ppm", "y/photo.ppm", "photo-2.ppm"});
  EXPECT_THAT(overlays(result), ElementsAre("out/deep/photo.glimpses.png", "out/deep/photo-2.glimpses.png",
                                            "out/deep/photo-2-2.glimpses.png"));
}

TEST_F(OverlayAppTest, RunsTwiceWithTheSameResult) {
  const std::vector<std::string> arguments = {"overlay", "x"};
  EXPECT_THAT(overlays(glimpse(arguments)), ElementsAre("./photo.glimpses.png"));
  const std::string first = read_whole(path("photo.glimpses.png"));
  EXPECT_THAT(overlays(glimpse(arguments)), ElementsAre("./photo.glimpses.png"));
  EXPECT_EQ(read_whole(path("photo.glimpses.png")), first);
}

TEST_F(OverlayAppTest, SeveralCaptionsAreSeveralSheets) {
  const ProcessResult result = glimpse({"overlay", "-n", "2", "-o", "out", "x/photo.ppm"});
  EXPECT_THAT(overlays(result), ElementsAre("out/photo.glimpses.png", "out/photo-2.glimpses.png"));
  const ProcessResult json = glimpse({"overlay", "-n", "2", "-o", "out", "--format", "json", "x/photo.ppm"});
  EXPECT_THAT(nlohmann::json::parse(json.output)["overlays"].get<std::vector<std::string>>(),
              ElementsAre("out/photo.glimpses.png", "out/photo-2.glimpses.png"));
}

TEST_F(OverlayAppTest, AFileAWordIsListedInTheRecord) {
  const ProcessResult result =
      glimpse({"overlay", "--layout", "words", "--style", "box", "-o", "out", "--format", "json", "x/photo.ppm"});
  ASSERT_EQ(result.code, 0) << result.errors;
  const nlohmann::json record = nlohmann::json::parse(result.output);
  ASSERT_FALSE(record["words"].empty());
  ASSERT_EQ(record["overlays"].size(), record["words"].size());
  for (std::size_t i = 0; i < record["words"].size(); ++i) {
    const std::string word = record["words"][i]["word"];
    const std::string file = record["overlays"][i];
    EXPECT_EQ(file,
              "out/photo.glimpses." + std::string(i < 9 ? "0" : "") + std::to_string(i + 1) + "-" + word + ".png");
    EXPECT_GT(load_image(path(file)).width, 0);
  }
  const ProcessResult text = glimpse({"overlay", "--layout", "words", "-o", "out", "x/photo.ppm"});
  EXPECT_THAT(text.output, HasSubstr(std::string(record["overlays"][0]) + " "));
}

TEST_F(OverlayAppTest, AnimatesOnRequest) {
  const ProcessResult result = glimpse({"overlay", "--animate", "-o", "out", "x/photo.ppm"});
  ASSERT_EQ(result.code, 0) << result.errors;
  EXPECT_THAT(result.output, ::testing::EndsWith("\tout/photo.glimpses.webp\n"));
  EXPECT_EQ(read_whole(path("out/photo.glimpses.webp")).substr(8, 4), "WEBP");
}

TEST_F(OverlayAppTest, SaysTheSameAsCaption) {
  const std::filesystem::path photos = source_path("assets/photos");
  const std::string caption = glimpse({"caption", photos.string()}).output;
  const std::string overlay = glimpse({"overlay", "-o", "out", photos.string()}).output;
  const std::vector<std::string_view> plain = split_lines(caption);
  const std::vector<std::string_view> drawn = split_lines(overlay);
  ASSERT_FALSE(plain.empty());
  ASSERT_EQ(plain.size(), drawn.size());
  for (std::size_t i = 0; i < plain.size(); ++i) EXPECT_EQ(drawn[i].substr(0, drawn[i].rfind('\t')), plain[i]);
}

TEST_F(OverlayAppTest, BadColourMapsAndFontsAreWrongUsage) {
  const ProcessResult colours = glimpse({"overlay", "-o", "out", "--colormap", "infrno", "x/photo.ppm"});
  EXPECT_EQ(colours.code, 2) << colours.errors;
  EXPECT_THAT(colours.errors, HasSubstr("'infrno'"));
  const ProcessResult font = glimpse({"overlay", "-o", "out", "--font", "gone.ttf", "x/photo.ppm"});
  EXPECT_EQ(font.code, 2) << font.errors;
  EXPECT_THAT(font.errors, HasSubstr("'gone.ttf'"));
}

TEST_F(OverlayAppTest, AFileThatCannotBeWrittenIsAFailureOfItsPicture) {
  std::filesystem::create_directories(path("out/photo.glimpses.png"));  // a folder is in the way
  const ProcessResult result = glimpse({"overlay", "-o", "out", "x/photo.ppm", "photo-2.ppm"});
  EXPECT_EQ(result.code, 4);
  EXPECT_THAT(first_columns(result.output), ElementsAre("photo-2.ppm"));
  EXPECT_THAT(result.errors, HasSubstr("out/photo.glimpses.png"));
}

}  // namespace
}  // namespace glimpse::testing
