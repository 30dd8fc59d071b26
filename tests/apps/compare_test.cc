// glimpse compare: tiny recipes on generated scenes, from the command line to table, JSON and plots.
#include <chrono>
#include <csignal>
#include <nlohmann/json.hpp>
#include <thread>

#include "fixture.h"

namespace glimpse::testing {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::Not;
using Json = nlohmann::json;

/// A few small scenes, and recipes that train for a moment.
class CompareTest : public AppTest {
 protected:
  CompareTest() {
    EXPECT_EQ(glimpse({"scenes", "scenes", "-n", "8", "--val", "2", "--test", "5", "--side", "32"}).code, 0);
    write_file(path("net.graph"),
               "conv c1 < image out=8 k=3 s=4 pad=1 act=relu\nconv c2 < c1 out=8 k=3 s=2 pad=1 act=relu\n");
    write_file(path("base.conf"),
               "seed = 3\noutput = base.safetensors\nthreads = 1\n[data]\ncaptions = scenes/captions.jsonl\n"
               "photos = scenes\nvocabulary-threshold = 1\n[encoder]\ngraph = net.graph\noutput = c2\nwidth = 32\n"
               "height = 32\n[decoder]\nfeature = 8\nattention = 8\nhidden = 8\nembedding = 8\ndeep = 8\n"
               "[finetune]\nepochs = 2\nbatch = 4\nwarm-up = 1\n");
    write_file(path("dot.conf"), "base = base.conf\nname = dot | product\n[decoder]\nscore = dot\n");
    write_file(path("hard.conf"), "base = base.conf\n[decoder]\nselector = hard\n");
  }

  ProcessResult compare(std::vector<std::string> more) const {
    std::vector<std::string> arguments = {"compare", "dot.conf", "hard.conf", "-o", "out"};
    arguments.insert(arguments.end(), more.begin(), more.end());
    return glimpse(arguments);
  }

  Json report() const { return Json::parse(read_whole(path("out/compare.json"))); }
};

TEST_F(CompareTest, TrainsJudgesAndTabulatesEachVariant) {
  const ProcessResult result = compare({});
  ASSERT_EQ(result.code, 0) << result.errors;
  EXPECT_EQ(result.output, read_whole(path("out/compare.md")));
  EXPECT_THAT(result.output, AllOf(HasSubstr("| dot \\| product |"), HasSubstr("| hard |"), HasSubstr("grounding"),
                                   HasSubstr("5 pictures of captions.jsonl"), HasSubstr("1 thread.")));
  const Json json = report();
  EXPECT_EQ(json["pictures"], 5);
  ASSERT_EQ(json["variants"].size(), 2U);
  for (const Json& variant : json["variants"]) {
    EXPECT_GT(variant["parameters"], 1000);
    EXPECT_GT(variant["images_per_second"], 0);
    ASSERT_EQ(variant["runs"].size(), 1U);
    EXPECT_EQ(variant["runs"][0]["seed"], 3);
    const Json& scores = variant["runs"][0]["scores"];
    for (const char* share :
         {"shape_and_colour_right", "things_named", "wrong_words", "grounding", "attention_inside"}) {
      EXPECT_GE(scores.at(share), 0) << share;
      EXPECT_LE(scores.at(share), 1) << share;
    }
  }
  EXPECT_EQ(json["variants"][1]["runs"][0]["scores"]["attention_entropy"], 0) << "hard attention looks at one cell";
  EXPECT_GT(json["variants"][0]["runs"][0]["scores"]["attention_entropy"], 0);
  // The numbers are those of eval.
  const ProcessResult eval = glimpse(
      {"eval", "-m", "out/hard.safetensors", "--captions", "scenes/captions.jsonl", "-t", "1", "--format", "json"});
  EXPECT_EQ(Json::parse(eval.output), json["variants"][1]["runs"][0]["scores"]) << eval.errors;
  // Both plots name all variants; the recipe beside a model makes it again.
  for (const char* plot : {"out/curves.svg", "out/scores.svg"}) {
    EXPECT_THAT(read_whole(path(plot)), AllOf(HasSubstr("dot | product"), HasSubstr(">hard<"), HasSubstr("</svg>")));
  }
  EXPECT_EQ(glimpse({"train", "-c", "out/hard.conf", "-o", "again.safetensors"}).code, 0);
  EXPECT_TRUE(read_whole(path("again.safetensors")).size() == read_whole(path("out/hard.safetensors")).size());
}

TEST_F(CompareTest, GoesOnWhereItWasInterruptedAndKeepsWhatIsDone) {
  Process process(options({"compare", "dot.conf", "hard.conf", "-o", "out", "--set", "finetune.epochs=300"}));
  for (int patience = 0;
       patience < 6000 && !std::filesystem::exists(path("out/hard.safetensors.training/journal.jsonl")); ++patience) {
    std::this_thread::sleep_for(std::chrono::milliseconds(10));
  }
  process.send(SIGINT);
  const ProcessResult stopped = process.finish();
  ASSERT_EQ(stopped.code, 130) << stopped.errors;
  EXPECT_THAT(stopped.errors, HasSubstr("--resume goes on"));
  EXPECT_FALSE(std::filesystem::exists(path("out/compare.md")));
  const std::string first = read_whole(path("out/dot | product.safetensors"));

  EXPECT_THAT(compare({"--set", "finetune.epochs=300"}).errors, HasSubstr("--resume goes on with it"));
  const ProcessResult other = compare({"--resume"});
  EXPECT_EQ(other.code, 2);
  EXPECT_THAT(other.errors, AllOf(HasSubstr("another recipe"), HasSubstr("--overwrite begins anew")));
  const ProcessResult result = compare({"--resume", "--set", "finetune.epochs=300"});
  ASSERT_EQ(result.code, 0) << result.errors;
  EXPECT_THAT(result.errors, HasSubstr("finetune is done"));
  EXPECT_TRUE(read_whole(path("out/dot | product.safetensors")) == first);
  EXPECT_EQ(report()["variants"].size(), 2U);
  EXPECT_EQ(compare({"--overwrite"}).code, 0);
}

TEST_F(CompareTest, SeveralSeedsGiveMeansAndDeviations) {
  const ProcessResult result = glimpse({"compare", "dot.conf", "-o", "out", "--seeds", "2", "--beam", "2"});
  ASSERT_EQ(result.code, 0) << result.errors;
  EXPECT_THAT(result.output, AllOf(HasSubstr(" ± "), HasSubstr("Beam 2, 2 seeds from 3 on.")));
  const Json runs = report()["variants"][0]["runs"];
  ASSERT_EQ(runs.size(), 2U);
  EXPECT_EQ(runs[1]["seed"], 4);
  EXPECT_NE(runs[0]["scores"], runs[1]["scores"]);
  EXPECT_FALSE(read_whole(path("out/dot | product.safetensors")) ==
               read_whole(path("out/dot | product.seed-4.safetensors")));
}

TEST_F(CompareTest, AVariantThatDivergesIsSaidToAndTheOthersAreDone) {
  write_file(path("hard.conf"),
             "base = base.conf\n[decoder]\nselector = hard\n[finetune]\nlearning-rate = 900\n"
             "weight-decay = 1\n");  // each step takes 900 times the weights away from them
  const ProcessResult result = compare({"--set", "finetune.epochs=20"});
  EXPECT_EQ(result.code, 4) << result.errors;
  EXPECT_THAT(result.output, AllOf(HasSubstr("| hard | – |"), HasSubstr("hard, seed 3, failed: ")));
  EXPECT_TRUE(report()["variants"][0]["runs"][0].contains("scores"));
  EXPECT_TRUE(report()["variants"][1]["runs"][0].contains("error"));
}

TEST_F(CompareTest, WrongUsageIsOneLineThatSaysWhatIsWrong) {
  write_file(path("long.conf"), "base = base.conf\n[finetune]\nepochs = 3\n");
  write_file(path("twin.conf"), "base = hard.conf\nname = hard\n");
  write_file(path("slash.conf"), "base = hard.conf\nname = a/b\n");
  write_file(path("wrong.conf"), "base = base.conf\n[decoder]\nscor = dot\n");
  const std::vector<std::pair<std::vector<std::string>, const char*>> cases = {
      {{"dot.conf"}, "--output DIR"},
      {{"-o", "out"}, "needs recipes"},
      {{"dot.conf", "long.conf", "-o", "out"}, "'finetune.epochs' is '2' in one and '3' in the other"},
      {{"hard.conf", "twin.conf", "-o", "out"}, "two of the recipes have the name 'hard'"},
      {{"slash.conf", "-o", "out"}, "which no file can have"},
      {{"wrong.conf", "-o", "out"}, "wrong.conf' line 3"},
      {{"gone.conf", "-o", "out"}, "gone.conf"},
      {{"dot.conf", "-o", "out", "--split", "tset"}, "'tset'"},
      {{"dot.conf", "-o", "out", "--seeds", "0"}, "--seeds"},
      {{"dot.conf", "-o", "out", "--resume", "--overwrite"}, "do not go together"},
      {{"dot.conf", "-o", "out", "--set", "data.captions=none.jsonl"}, "none.jsonl"},
  };
  for (const auto& [arguments, message] : cases) {
    std::vector<std::string> all = {"compare"};
    all.insert(all.end(), arguments.begin(), arguments.end());
    const ProcessResult result = glimpse(all);
    SCOPED_TRACE(message);
    EXPECT_EQ(result.code, 2);
    EXPECT_EQ(result.output, "");
    EXPECT_THAT(result.errors, HasSubstr(message));
    EXPECT_EQ(split_lines(result.errors).size(), 1U) << result.errors;
  }
  EXPECT_FALSE(std::filesystem::exists(path("out")));
}

}  // namespace
}  // namespace glimpse::testing
