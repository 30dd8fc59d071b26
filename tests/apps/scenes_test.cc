// glimpse scenes: train and eval can read its output.
#include <algorithm>
#include <chrono>
#include <csignal>
#include <nlohmann/json.hpp>
#include <sstream>
#include <thread>

#include "core/file.h"
#include "data/captioned_set.h"
#include "fixture.h"

namespace glimpse::testing {
namespace {

using ::testing::HasSubstr;

class ScenesTest : public AppTest {
 protected:
  std::vector<nlohmann::json> lines(const std::string& folder) const {
    std::vector<nlohmann::json> lines;
    std::istringstream text(read_file(path(folder + "/captions.jsonl"), 10'000'000));
    for (std::string line; std::getline(text, line);) lines.push_back(nlohmann::json::parse(line));
    return lines;
  }
};

TEST_F(ScenesTest, MakesASetThatCanBeLearntFrom) {
  const ProcessResult result = glimpse({"scenes", "out", "-n", "6", "--val", "3", "--test", "2", "--side", "48"});
  EXPECT_EQ(result.code, 0) << result.errors;
  EXPECT_THAT(result.output, HasSubstr("11 pictures"));
  const train::CaptionedSet set = train::read_captioned_set(path("out/captions.jsonl"));
  EXPECT_NO_THROW(train::check_pictures_exist(set));
  EXPECT_EQ(train::take_split(set, "train").pictures.size(), 6U);
  EXPECT_EQ(train::take_split(set, "val").pictures.size(), 3U);
  EXPECT_EQ(train::take_split(set, "test").pictures.size(), 2U);
  for (const nlohmann::json& line : lines("out")) {
    ASSERT_EQ(line.at("captions").size(), 5U);
    ASSERT_EQ(line.at("words").size(), 5U);
    for (std::size_t i = 0; i < 5; ++i) {
      EXPECT_EQ(std::ranges::count(line.at("captions")[i].get<std::string>(), ' ') + 1,
                std::ssize(line.at("words")[i]));
    }
    for (const auto& thing : line.at("things")) {
      EXPECT_LE(thing.at("box")[0].get<double>() + thing.at("box")[2].get<double>(), 48);
    }
  }
}

TEST_F(ScenesTest, MorePicturesGoOnWhereFewerEnd) {
  EXPECT_EQ(glimpse({"scenes", "few", "-n", "3", "--val", "1", "--test", "0", "--side", "32"}).code, 0);
  EXPECT_EQ(glimpse({"scenes", "many", "-n", "5", "--val", "2", "--test", "0", "--side", "32"}).code, 0);
  EXPECT_EQ(glimpse({"scenes", "other", "-n", "3", "--val", "1", "--test", "0", "--side", "32", "--seed", "2"}).code,
            0);
  const auto few = lines("few");
  const auto many = lines("many");
  EXPECT_EQ(few[0], many[0]);
  EXPECT_EQ(few[2], many[2]);
  EXPECT_EQ(few[3], many[5]);
  EXPECT_NE(few, lines("other"));
  const auto bytes = [&](const std::string& name) { return read_file(path(name), 1'000'000); };
  EXPECT_EQ(bytes("few/val-0000000.png"), bytes("many/val-0000000.png"));
}

TEST_F(ScenesTest, NothingIsOverwrittenUnasked) {
  EXPECT_EQ(glimpse({"scenes", "out", "-n", "1", "--val", "0", "--test", "0", "--side", "32"}).code, 0);
  const ProcessResult again = glimpse({"scenes", "out", "-n", "2", "--val", "0", "--test", "0", "--side", "32"});
  EXPECT_EQ(again.code, 2);
  EXPECT_THAT(again.errors, HasSubstr("captions.jsonl"));
  EXPECT_EQ(lines("out").size(), 1U);
  EXPECT_EQ(glimpse({"scenes", "out", "-n", "2", "--val", "0", "--test", "0", "--side", "32", "--overwrite"}).code, 0);
  EXPECT_EQ(lines("out").size(), 2U);
}

TEST_F(ScenesTest, WrongUsageIsNamed) {
  EXPECT_THAT(glimpse({"scenes"}).errors, HasSubstr("one folder"));
  EXPECT_THAT(glimpse({"scenes", "out", "--side", "15"}).errors, HasSubstr("--side"));
  EXPECT_THAT(glimpse({"scenes", "out", "--most", "4"}).errors, HasSubstr("--most"));
  EXPECT_THAT(glimpse({"scenes", "out", "-n", "0", "--val", "0", "--test", "0"}).errors, HasSubstr("nothing to draw"));
  add_picture("a.ppm");
  EXPECT_EQ(glimpse({"scenes", "a.ppm/out"}).code, 1);
}

TEST_F(ScenesTest, AnInterruptedRunLeavesASetOfWhatIsThere) {
  Process process(options({"scenes", "out", "-n", "100000"}));
  for (int patience = 0; !std::filesystem::exists(path("out/train-0000002.png")) && patience < 2000; ++patience) {
    std::this_thread::sleep_for(std::chrono::milliseconds(5));
  }
  process.send(SIGINT);
  const ProcessResult result = process.finish();
  EXPECT_EQ(result.code, 130);
  EXPECT_THAT(result.errors, HasSubstr("interrupted"));
  EXPECT_NO_THROW(train::check_pictures_exist(train::read_captioned_set(path("out/captions.jsonl"))));
}

}  // namespace
}  // namespace glimpse::testing
