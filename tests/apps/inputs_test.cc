// Inputs of a command line: files, folders, patterns, lists on standard input.
#include "fixture.h"

namespace glimpse::testing {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

class InputsTest : public AppTest {
 protected:
  InputsTest() {
    std::filesystem::create_directories(path("photos/inner"));
    for (const char* name : {"photos/b.ppm", "photos/a.PPM", "photos/inner/c.ppm", "photos/.hidden.ppm",
                             "photos/x.glimpses.png", "photos/x.glimpses.01-dog.png", "d.ppm", "e[1].ppm"}) {
      add_picture(name);
    }
    write_file(path("photos/notes.txt"), "no picture");
  }
};

TEST_F(InputsTest, FilesComeInTheOrderGiven) {
  const ProcessResult result = glimpse({"caption", "photos/b.ppm", "d.ppm", "photos/b.ppm"});
  EXPECT_EQ(result.code, 0) << result.errors;
  EXPECT_THAT(first_columns(result.output), ElementsAre("photos/b.ppm", "d.ppm", "photos/b.ppm"));
}

TEST_F(InputsTest, AFolderStandsForItsPicturesByName) {
  const ProcessResult result = glimpse({"caption", "photos"});
  EXPECT_EQ(result.code, 0) << result.errors;
  EXPECT_THAT(first_columns(result.output), ElementsAre("photos/a.PPM", "photos/b.ppm"));
}

TEST_F(InputsTest, PatternsThatTheShellLeftAreExpanded) {
  const ProcessResult result = glimpse({"caption", "photos/*.ppm", "[d]*.ppm"});
  EXPECT_EQ(result.code, 0) << result.errors;
  EXPECT_THAT(first_columns(result.output), ElementsAre("photos/b.ppm", "d.ppm"));
}

TEST_F(InputsTest, AFileWhoseNameLooksLikeAPatternIsThatFile) {
  const ProcessResult result = glimpse({"caption", "e[1].ppm"});
  EXPECT_EQ(result.code, 0) << result.errors;
  EXPECT_THAT(first_columns(result.output), ElementsAre("e[1].ppm"));
}

TEST_F(InputsTest, NothingFoundIsAFailureOfThatArgumentAlone) {
  std::filesystem::create_directories(path("empty"));
  const ProcessResult result = glimpse({"caption", "*.tiff", "empty", "gone.jpg", "d.ppm"});
  EXPECT_EQ(result.code, 4);
  EXPECT_THAT(first_columns(result.output), ElementsAre("d.ppm"));
  EXPECT_THAT(result.errors, HasSubstr("nothing matches the pattern '*.tiff'"));
  EXPECT_THAT(result.errors, HasSubstr("no pictures in the folder 'empty'"));
  EXPECT_THAT(result.errors, HasSubstr("'gone.jpg'"));
  EXPECT_THAT(result.errors, HasSubstr("3 of 4 pictures failed"));
}

TEST_F(InputsTest, ListsOnStandardInputHaveAPathALine) {
  const ProcessResult result =
      glimpse_with_input({"caption", "photos/b.ppm", "-", "photos/a.PPM"}, "d.ppm\r\n\nphotos\ne[1].ppm");
  EXPECT_EQ(result.code, 0) << result.errors;
  EXPECT_THAT(first_columns(result.output),
              ElementsAre("photos/b.ppm", "d.ppm", "photos/a.PPM", "photos/b.ppm", "e[1].ppm", "photos/a.PPM"));
}

TEST_F(InputsTest, ListsMaySeparatePathsByNul) {
  add_picture("line\nbreak.ppm");
  const ProcessResult result = glimpse_with_input({"caption", "-0", "-"}, std::string("d.ppm\0line\nbreak.ppm\0", 21));
  EXPECT_EQ(result.code, 0) << result.errors;
  EXPECT_THAT(first_columns(result.output), ElementsAre("d.ppm", "line\\nbreak.ppm"));
}

TEST_F(InputsTest, PatternsInListsAreNames) {
  const ProcessResult result = glimpse_with_input({"caption", "-"}, "*.ppm\n");
  EXPECT_EQ(result.code, 4);
  EXPECT_THAT(result.errors, HasSubstr("'*.ppm'"));
}

TEST_F(InputsTest, AListIsWorkedOnWhileItIsWritten) {
  Process process(options({"caption", "-"}));
  process.write("d.ppm\n");
  EXPECT_THAT(process.read_line(), ::testing::StartsWith("d.ppm\t"));
  process.write("photos/b.ppm\n");
  EXPECT_THAT(process.read_line(), ::testing::StartsWith("photos/b.ppm\t"));
  EXPECT_EQ(process.finish().code, 0);
}

TEST_F(InputsTest, UnusualNamesStayOnOneLine) {
  const std::vector<std::string> names = {"with space.ppm", "new\nline.ppm",   "tab\t.ppm", "back\\slash.ppm",
                                          "\xff\xfe.ppm",   "esc\x1b[31m.ppm", "-dash.ppm"};
  std::vector<std::string> arguments = {"caption", "--"};
  for (const std::string& name : names) {
    add_picture(name);
    arguments.push_back(name);
  }
  const ProcessResult result = glimpse(arguments);
  EXPECT_EQ(result.code, 0) << result.errors;
  EXPECT_THAT(first_columns(result.output),
              ElementsAre("with space.ppm", "new\\nline.ppm", "tab\\t.ppm", "back\\\\slash.ppm", "\xff\xfe.ppm",
                          "esc\\x1b[31m.ppm", "-dash.ppm"));
}

}  // namespace
}  // namespace glimpse::testing
