// glimpse digits and glimpse look: generated pictures, answers and places.
#include <nlohmann/json.hpp>
#include <sstream>

#include "core/file.h"
#include "fixture.h"
#include "image/image.h"
#include "support/tiny_look_model.h"

namespace glimpse::testing {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
using Json = nlohmann::json;

class LookTest : public AppTest {
 protected:
  LookTest() {
    const LookConfig config = tiny_look_config(LookConfig::Kind::kDram, LookConfig::Core::kLstm);
    const Weights weights("tiny", tiny_look_tensors(config));
    write_look_bundle(config, weights.tensors(), path("look.safetensors"));
  }

  std::vector<Json> lines(const std::string& text) const {
    std::vector<Json> lines;
    std::istringstream stream(text);
    for (std::string line; std::getline(stream, line);) lines.push_back(Json::parse(line));
    return lines;
  }
};

TEST_F(LookTest, DigitsAreDrawnWithTheTruthAboutThem) {
  const ProcessResult result = glimpse({"digits", "out", "-n", "5", "--kind", "row", "--least", "1"});
  EXPECT_EQ(result.code, 0) << result.errors;
  EXPECT_THAT(result.output, HasSubstr("5 pictures"));
  const auto all = lines(read_file(path("out/digits.jsonl"), 1'000'000));
  ASSERT_EQ(all.size(), 5U);
  for (const Json& line : all) {
    const Image image = load_image(path("out/" + line.at("image").get<std::string>()));
    EXPECT_EQ(image.width, 96);
    EXPECT_EQ(image.height, 32);
    std::string label;
    for (const Json& digit : line.at("digits")) {
      label += std::to_string(digit.at("value").get<int>());
      EXPECT_LE(digit.at("box")[0].get<int>() + digit.at("box")[2].get<int>(), 96);
    }
    EXPECT_EQ(line.at("label"), label);
  }
  // More go on where fewer end, others come from another seed, and nothing is overwritten unasked.
  EXPECT_EQ(glimpse({"digits", "out", "-n", "2"}).code, 2);
  EXPECT_EQ(glimpse({"digits", "more", "-n", "7", "--kind", "row", "--least", "1"}).code, 0);
  EXPECT_EQ(glimpse({"digits", "other", "-n", "5", "--kind", "row", "--least", "1", "--seed", "2"}).code, 0);
  EXPECT_EQ(read_whole(path("out/0000004.png")), read_whole(path("more/0000004.png")));
  EXPECT_NE(read_whole(path("out/0000004.png")), read_whole(path("other/0000004.png")));
}

TEST_F(LookTest, SaysWhatAndWhere) {
  add_picture("a.ppm", 1);
  const ProcessResult text = glimpse({"look", "-m", "look.safetensors", "a.ppm"});
  ASSERT_EQ(text.code, 0) << text.errors;
  const ProcessResult result = glimpse({"look", "-m", "look.safetensors", "--json", "a.ppm", "-o", "drawn"});
  ASSERT_EQ(result.code, 0) << result.errors;
  const Json json = lines(result.output).at(0);
  EXPECT_EQ(text.output.substr(0, text.output.rfind('\t')), "a.ppm\t" + json.at("answer").get<std::string>());
  EXPECT_EQ(json.at("width"), 48);
  EXPECT_EQ(json.at("model"), "tiny-look");
  double product = 1;
  std::string answer;
  for (const Json& object : json.at("objects")) {
    product *= object.at("probability").get<double>();
    if (object.at("class").is_string()) answer += object.at("class").get<std::string>();
    ASSERT_EQ(object.at("glimpses").size(), 3U);
    for (const Json& glimpse : object.at("glimpses")) {
      // The model's picture is 16 × 12; 48 × 32 fits into it with a third of a pixel for each of its own.
      ASSERT_EQ(glimpse.at("boxes").size(), 2U);
      const Json& box = glimpse.at("boxes")[0];
      EXPECT_NEAR(box[2].get<double>(), 4 * 3, 0.8);
      EXPECT_NEAR(glimpse.at("x").get<double>(), box[0].get<double>() + box[2].get<double>() / 2, 0.011);
      EXPECT_NEAR(glimpse.at("boxes")[1][2].get<double>(), 2 * box[2].get<double>(), 0.02);
    }
  }
  EXPECT_EQ(json.at("answer"), answer);
  EXPECT_NEAR(json.at("probability").get<double>(), product, 1e-4);
  EXPECT_EQ(json.at("drawing"), "drawn/a.glimpses.png");
  EXPECT_GT(load_image(path("drawn/a.glimpses.png")).width, 480);
}

TEST_F(LookTest, JudgesAModel) {
  ASSERT_EQ(glimpse({"digits", "out", "-n", "4"}).code, 0);
  const ProcessResult result = glimpse({"look", "-m", "look.safetensors", "--truth", "out/digits.jsonl"});
  EXPECT_EQ(result.code, 0) << result.errors;
  // Its classes are "one", "two" and "three": never a digit.
  EXPECT_EQ(result.output, "wrong: 100.0 % (4 of 4 pictures)\n");
  std::string truth;
  for (const Json& line :
       lines(glimpse({"look", "-m", "look.safetensors", "--json", "out/0000000.png", "out/0000001.png"}).output)) {
    truth += Json{{"image", line.at("path").get<std::string>().substr(4)}, {"label", line.at("answer")}}.dump() + "\n";
  }
  write_file(path("out/said.jsonl"), truth + R"({"image": "0000002.png", "label": "seven"})" + "\n");
  EXPECT_EQ(glimpse({"look", "-m", "look.safetensors", "--truth", "out/said.jsonl"}).output,
            "wrong: 33.3 % (1 of 3 pictures)\n");
}

TEST_F(LookTest, WhatIsWrongIsNamed) {
  add_picture("a.ppm");
  EXPECT_THAT(glimpse({"look", "a.ppm"}).errors, HasSubstr("-m FILE"));
  EXPECT_THAT(glimpse({"look", "-m", "look.safetensors"}).errors, HasSubstr("at least one picture"));
  const ProcessResult captioner = glimpse({"look", "-m", "tiny.safetensors", "a.ppm"});
  EXPECT_EQ(captioner.code, 3);
  EXPECT_THAT(captioner.errors, HasSubstr("'glimpse caption' runs it"));
  const ProcessResult looker = glimpse({"caption", "-m", "look.safetensors", "a.ppm"});
  EXPECT_EQ(looker.code, 3);
  EXPECT_THAT(looker.errors, HasSubstr("'glimpse look' runs such a model"));
  EXPECT_EQ(glimpse({"look", "-m", "gone.safetensors", "a.ppm"}).code, 3);
  write_file(path("no.png"), "no picture");
  const ProcessResult some = glimpse({"look", "-m", "look.safetensors", "no.png", "a.ppm"});
  EXPECT_EQ(some.code, 4);
  EXPECT_THAT(some.output, HasSubstr("a.ppm\t"));
  EXPECT_THAT(some.errors, AllOf(HasSubstr("no.png"), HasSubstr("1 of 2 pictures failed")));
  write_file(path("truth.jsonl"), "{\"image\": \"a.ppm\"}\n");
  const ProcessResult truth = glimpse({"look", "-m", "look.safetensors", "--truth", "truth.jsonl"});
  EXPECT_EQ(truth.code, 2);
  EXPECT_THAT(truth.errors, HasSubstr("line 1"));
  EXPECT_THAT(glimpse({"digits"}).errors, HasSubstr("one folder"));
  EXPECT_THAT(glimpse({"digits", "out", "--kind", "rows"}).errors, HasSubstr("did you mean 'row'?"));
  EXPECT_THAT(glimpse({"digits", "out", "--width", "20"}).errors, HasSubstr("20 × 28"));
}

}  // namespace
}  // namespace glimpse::testing
