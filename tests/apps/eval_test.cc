// glimpse eval from the command line to the numbers, on a set whose captions are the tiny model's own.
#include <unistd.h>

#include <chrono>
#include <nlohmann/json.hpp>
#include <set>
#include <thread>

#include "cli/progress.h"
#include "fixture.h"

namespace glimpse::testing {
namespace {

using ::testing::HasSubstr;
using Json = nlohmann::json;

constexpr int kPictures = 7;

/// Seven pictures in photos/, of which two are for training; each has two captions, one of them what the model says.
class EvalTest : public AppTest {
 protected:
  EvalTest() {
    std::filesystem::create_directory(path("photos"));
    for (int i = 0; i < kPictures; ++i) add_picture("photos/" + name(i), i);
    const std::string lines = glimpse({"caption", "photos"}).output;
    for (const std::string_view line : split_lines(lines)) {
      said_.emplace_back(line.substr(line.find('\t') + 1));
    }
    write_file(path("set.json"), set().dump());
  }

  static std::string name(int i) { return std::to_string(i) + ".ppm"; }

  Json set() const {
    Json images = Json::array();
    for (int i = 0; i < kPictures; ++i) {
      images.push_back(
          {{"filename", name(i)},
           {"split", i < 2 ? "train" : "test"},
           {"sentences",
            {{{"raw", said_[static_cast<std::size_t>(i)] + "."}}, {{"raw", "A cat, number " + std::to_string(i)}}}}});
    }
    return {{"images", images}};
  }

  ProcessResult eval(std::vector<std::string> more) const {
    std::vector<std::string> arguments = {"eval", "--captions", "set.json"};
    arguments.insert(arguments.end(), more.begin(), more.end());
    return glimpse(arguments);
  }

  std::vector<std::string> said_;  ///< what the model says of each picture
};

TEST_F(EvalTest, CaptionsLikeThoseThatPeopleWroteScoreFull) {
  const ProcessResult result = eval({"--images", "photos", "--format", "json", "--batch", "2", "-o", "made.json"});
  ASSERT_EQ(result.code, 0) << result.errors;
  EXPECT_EQ(result.errors, "");
  const Json scores = Json::parse(result.output);
  EXPECT_EQ(scores["images"], 5);
  for (const Json& bleu : scores["bleu"]) EXPECT_NEAR(bleu, 1, 1e-6);
  EXPECT_NEAR(scores["rouge_l"], 1, 1e-12);
  EXPECT_GT(scores["cider"], 0.5);
  EXPECT_LE(scores["cider"], 10);

  const Json made = Json::parse(read_whole(path("made.json")));
  ASSERT_EQ(made.size(), 5U);
  std::set<std::string> words;
  std::size_t length = 0;
  for (std::size_t i = 0; i < made.size(); ++i) {
    EXPECT_EQ(made[i]["image_id"], name(static_cast<int>(i) + 2));
    EXPECT_EQ(made[i]["caption"], said_[i + 2]) << "in a batch as alone";
    for (const std::string_view word : split_words(said_[i + 2])) {
      words.emplace(word);
      ++length;
    }
  }
  EXPECT_EQ(scores["distinct_words"], words.size());
  EXPECT_DOUBLE_EQ(scores["mean_length"], static_cast<double>(length) / 5);
  const auto novel = std::count_if(said_.begin() + 2, said_.end(), [&](const std::string& caption) {
    return caption != said_[0] && caption != said_[1];
  });
  EXPECT_DOUBLE_EQ(scores["novel_captions"], static_cast<double>(novel) / 5);

  EXPECT_EQ(eval({"--results", "made.json", "--format", "json"}).output, result.output);
  EXPECT_EQ(eval({"--results", "made.json", "--split", "test", "--format", "json"}).output, result.output);
}

TEST_F(EvalTest, TheSearchOptionsAreThoseOfCaption) {
  ASSERT_EQ(
      eval({"--images", "photos", "--forbid", "worda", "--prefix", "wordc", "--max-words", "4", "-o", "m.json"}).code,
      0);
  const Json all = Json::parse(read_whole(path("m.json")));
  for (const Json& made : all) {
    const std::string caption = made["caption"];
    EXPECT_EQ(caption.rfind("wordc", 0), 0U) << caption;
    EXPECT_THAT(caption, ::testing::Not(HasSubstr("worda")));
    EXPECT_LE(split_words(caption).size(), 4U) << caption;
  }
}

TEST_F(EvalTest, TheTableIsInPerCent) {
  const ProcessResult result = eval({"--images", "photos", "--split", "train"});
  EXPECT_EQ(result.code, 0) << result.errors;
  EXPECT_THAT(result.output, ::testing::ContainsRegex("pictures +2\n"));
  EXPECT_THAT(result.output, ::testing::ContainsRegex("BLEU-4 +100\\.0 %\n"));
  EXPECT_THAT(result.output, ::testing::ContainsRegex("novel captions +0\\.0 %\n"));
}

TEST_F(EvalTest, WhereThingsAreKnownItSaysWhetherTheyAreNamedAndLookedAt) {
  // Every picture shows what the model says first; the thing fills it, or the left half of it.
  const auto evaluate = [&](int width) {
    std::string lines;
    for (int i = 0; i < kPictures; ++i) {
      const std::string said = said_[static_cast<std::size_t>(i)];
      const Json thing = {{"shape", split_words(said).front()}, {"box", {0, 0, width, 32}}};
      lines += Json{{"image", name(i)}, {"captions", {said}}, {"things", {thing}}}.dump() + "\n";
    }
    write_file(path("scenes.jsonl"), lines);
    return glimpse({"eval", "--captions", "scenes.jsonl", "--images", "photos", "--format", "json", "-o", "made.json"});
  };
  const ProcessResult whole = evaluate(48);
  ASSERT_EQ(whole.code, 0) << whole.errors;
  const Json scores = Json::parse(whole.output);
  EXPECT_EQ(scores["grounding"], 1);
  EXPECT_NEAR(scores["attention_inside"], 1, 1e-6);
  EXPECT_GT(scores["attention_entropy"], 0);
  EXPECT_EQ(scores["shape_and_colour_right"], 0) << "no colour is said";
  EXPECT_EQ(scores["things_named"], 0);
  const Json half = Json::parse(evaluate(24).output);
  EXPECT_LT(half["attention_inside"], 0.999);
  EXPECT_GT(half["attention_inside"], 0.001);
  EXPECT_EQ(half["attention_entropy"], scores["attention_entropy"]);

  // Captions alone say nothing about where the model looked.
  const ProcessResult alone =
      glimpse({"eval", "--captions", "scenes.jsonl", "--results", "made.json", "--format", "json"});
  const Json words = Json::parse(alone.output);
  EXPECT_FALSE(words.contains("grounding"));
  EXPECT_EQ(words["wrong_words"], half["wrong_words"]);
  EXPECT_THAT(glimpse({"eval", "--captions", "scenes.jsonl", "--images", "photos"}).output,
              ::testing::ContainsRegex("grounding +[0-9.]+ %\nattention inside +[0-9.]+ %\nattention entropy"));
}

TEST_F(EvalTest, RecordsOfCaptionAreScoredToo) {
  write_file(path("photos/0.ppm"), "no picture");
  const ProcessResult caption = glimpse({"caption", "--format", "json", "photos"});
  EXPECT_EQ(caption.code, 4);
  write_file(path("records.jsonl"), caption.output);
  const ProcessResult result = eval({"--results", "records.jsonl", "--format", "json"});
  EXPECT_EQ(result.code, 4) << "a record is a failure";
  EXPECT_THAT(result.errors, HasSubstr("1 results say that their picture failed"));
  EXPECT_EQ(Json::parse(result.output)["images"], 6);
  EXPECT_NEAR(Json::parse(result.output)["rouge_l"], 1, 1e-12);
}

TEST_F(EvalTest, DamagedPicturesAreReportedAndLeftOut) {
  write_file(path("photos/4.ppm"), "no picture");
  const ProcessResult result = eval({"--images", "photos", "--batch", "1", "--format", "json", "-o", "made.json"});
  EXPECT_EQ(result.code, 4);
  EXPECT_THAT(result.errors, HasSubstr("photos/4.ppm"));
  EXPECT_THAT(result.errors, HasSubstr("1 of 5 pictures failed"));
  EXPECT_EQ(Json::parse(result.output)["images"], 4);
  EXPECT_EQ(Json::parse(read_whole(path("made.json"))).size(), 4U);
}

TEST_F(EvalTest, NothingIsCaptionedWherePicturesAreMissing) {
  std::filesystem::remove(path("photos/5.ppm"));
  const ProcessResult result = eval({"--images", "photos"});
  EXPECT_EQ(result.code, 2);
  EXPECT_EQ(result.output, "");
  EXPECT_THAT(result.errors, HasSubstr("1 of the 5 pictures of 'set.json'"));
  EXPECT_THAT(result.errors, HasSubstr("photos/5.ppm"));
}

TEST_F(EvalTest, AnInterruptKeepsWhatWasMade) {
  // Many pictures, one at a time, so that the signal comes before the end.
  Json images = Json::array();
  for (int i = 0; i < 20'000; ++i) {
    images.push_back({{"id", i}, {"file_name", name(i % kPictures)}});
  }
  Json annotations = Json::array();
  for (int i = 0; i < 20'000; ++i) annotations.push_back({{"image_id", i}, {"caption", "a dog"}});
  write_file(path("many.json"), Json{{"images", images}, {"annotations", annotations}}.dump());
  ProcessOptions all =
      options({"eval", "--captions", "many.json", "--images", "photos", "--batch", "1", "-o", "made.json"});
  all.environment.emplace_back("GLIMPSE_CACHE", path("fresh").string());
  Process process(all);
  // Once kernels have been measured the captioning begins.
  for (int i = 0; i < 600 && !std::filesystem::exists(path("fresh/convolutions.txt")); ++i) {
    std::this_thread::sleep_for(std::chrono::milliseconds(100));
  }
  std::this_thread::sleep_for(std::chrono::milliseconds(100));
  process.send(SIGINT);
  const ProcessResult result = process.finish();
  EXPECT_EQ(result.code, 130) << result.errors;
  EXPECT_EQ(result.output, "");
  EXPECT_THAT(result.errors, HasSubstr("of 20000 pictures; no scores; the captions made so far are written"));
  const Json made = Json::parse(read_whole(path("made.json")));
  EXPECT_LT(made.size(), 20'000U);
  if (!made.empty()) {
    EXPECT_EQ(made[0]["image_id"], 0) << "numbers stay numbers";
  }
}

TEST_F(EvalTest, WrongUsageIsOneLineThatSaysWhatIsWrong) {
  write_file(path("unknown.json"), R"([{"image_id": "x.ppm", "caption": "a"}])");
  write_file(path("twice.json"), R"([{"image_id": "2.ppm", "caption": "a"}, {"path": "y/2.ppm", "caption": "b"}])");
  write_file(path("few.json"), R"([{"image_id": "2.ppm", "caption": "a"}])");
  write_file(path("empty.json"), "[]");
  write_file(path("numbers.json"), "[1]");
  write_file(path("no_text.json"), R"([{"image_id": "2.ppm", "caption": 3}])");
  write_file(path("broken.jsonl"), "{\"path\": \"2.ppm\", \"caption\": \"a\"}\n{");
  const std::vector<std::pair<std::vector<std::string>, const char*>> cases = {
      {{}, "--captions FILE"},
      {{"a.ppm"}, "no argument 'a.ppm'"},
      {{"--captions", "gone.json"}, "'gone.json'"},
      {{"--captions", "photos/0.ppm"}, "not JSON"},
      {{"--captions", "set.json", "--images", "photos", "--split", "tset"}, "there are 'test', 'train'"},
      {{"--captions", "set.json", "--images", "photos", "--format", "csv"}, "(it takes: text, json)"},
      {{"--captions", "set.json", "--images", "photos", "--require", "nonsense"}, "nonsense"},
      {{"--captions", "set.json", "--results", "few.json", "--beam", "3"}, "--beam has no meaning with --results"},
      {{"--captions", "set.json", "--results", "few.json", "--images", "photos"}, "--images has no meaning"},
      {{"--captions", "set.json", "--results", "few.json", "--split", "test"}, "1 of the 5 pictures of split 'test'"},
      {{"--captions", "set.json", "--results", "gone.json"}, "'gone.json'"},
      {{"--captions", "set.json", "--results", "unknown.json"},
       "[0] is about image 'x.ppm', which 'set.json' does not have"},
      {{"--captions", "set.json", "--results", "twice.json"}, "two captions of '2.ppm'"},
      {{"--captions", "set.json", "--results", "empty.json"}, "no caption to score"},
      {{"--captions", "set.json", "--results", "numbers.json"}, "[0] is not an object"},
      {{"--captions", "set.json", "--results", "no_text.json"}, "no text \"caption\""},
      {{"--captions", "set.json", "--results", "broken.jsonl"}, "line 2: not JSON"},
  };
  for (const auto& [arguments, message] : cases) {
    std::vector<std::string> all = {"eval"};
    all.insert(all.end(), arguments.begin(), arguments.end());
    const ProcessResult result = glimpse(all);
    SCOPED_TRACE(message);
    EXPECT_EQ(result.code, 2);
    EXPECT_EQ(result.output, "");
    EXPECT_THAT(result.errors, HasSubstr(message));
    EXPECT_EQ(split_lines(result.errors).size(), 1U) << result.errors;
  }
}

TEST_F(EvalTest, AFileThatCannotBeReadIsNoWrongUsage) {
  write_file(path("made.json"), "[]");
  for (const std::vector<std::string>& arguments : {std::vector<std::string>{"eval", "--captions", "photos"},
                                                    {"eval", "--captions", "set.json", "--results", "photos"}}) {
    const ProcessResult result = glimpse(arguments);
    EXPECT_EQ(result.code, 1);
    EXPECT_THAT(result.errors, HasSubstr("'photos'"));
    EXPECT_EQ(split_lines(result.errors).size(), 1U) << result.errors;
  }
  ProcessOptions denied = options({"eval", "--captions", "set.json", "--results", "made.json"});
  std::filesystem::permissions(path("made.json"), std::filesystem::perms::none);
  if (geteuid() == 0) {  // root may read everything, so somebody else has to try
    std::filesystem::permissions(path(""), std::filesystem::perms(0755));
    denied.wrapper = {"setpriv", "--reuid=65534", "--clear-groups"};
  }
  const ProcessResult result = run_glimpse(denied);
  if (result.code > 100) GTEST_SKIP() << "nobody may not run the binary: " << result.errors;
  EXPECT_EQ(result.code, 1) << result.errors;
  EXPECT_THAT(result.errors, HasSubstr("'made.json'"));
}

TEST(Progress, SaysHowFarHowFastAndHowLong) {
  using apps::progress_text;
  EXPECT_EQ(progress_text(0, 10, "pictures", 0), "0 of 10 pictures");
  EXPECT_EQ(progress_text(320, 1000, "pictures", 16), "320 of 1000 pictures, 20.0 a second, 34 s left");
  EXPECT_EQ(progress_text(1, 100, "steps", 10), "1 of 100 steps, 0.1 a second, 17 min left");
  EXPECT_EQ(progress_text(1000, 1'000'000, "steps", 10), "1000 of 1000000 steps, 100 a second, 2 h 47 min left");
  EXPECT_EQ(progress_text(10, 10, "steps", 2), "10 of 10 steps, 5.0 a second, 0 s left");
}

}  // namespace
}  // namespace glimpse::testing
