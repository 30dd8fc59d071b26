// glimpse train: from a recipe, from a model, interrupted, and its error messages.
#include <csignal>
#include <nlohmann/json.hpp>

#include "fixture.h"

namespace glimpse::testing {
namespace {

using ::testing::HasSubstr;
using Json = nlohmann::json;

constexpr int kPictures = 12;

class TrainTest : public AppTest {
 protected:
  TrainTest() {
    std::string set;
    for (int i = 0; i < kPictures; ++i) {
      const std::string name = std::to_string(i) + ".ppm";
      add_picture(name, i % 2 * 100);
      const char* caption = i % 2 == 0 ? "wide stripes of colour" : "narrow waves at night";
      set += Json{{"image", name}, {"captions", {caption, caption}}, {"split", i < 8 ? "train" : "val"}}.dump() + '\n';
    }
    write_file(path("set.jsonl"), set);
    write_file(path("encoder.graph"),
               "conv c1 < image out=8 k=3 s=2 pad=1 act=relu\nconv c2 < c1 out=8 k=3 s=2 pad=1\n");
    write_recipe("");
  }

  void write_recipe(const std::string& more) const {
    write_file(path("small.conf"),
               "name = small\noutput = small.safetensors\nthreads = 1\n[data]\ncaptions = set.jsonl\nphotos = "
               ".\nvocabulary-threshold = 1\n[encoder]\ngraph = encoder.graph\noutput = c2\nwidth = 24\nheight = "
               "24\n[decoder]\nfeature = 8\nattention = 8\nhidden = 12\nembedding = 8\ndeep = 8\n[caption]\nepochs = "
               "4\nbatch = 4\nlearning-rate = 1e-2\n" +
                   more);
  }

  static std::vector<std::string> from_tiny(std::vector<std::string> more = {}) {
    std::vector<std::string> arguments = {
        "train", "--from", "tiny.safetensors", "--captions", "set.jsonl", "-o", "mine.safetensors", "-t", "1"};
    arguments.insert(arguments.end(), more.begin(), more.end());
    return arguments;
  }

  void expect_refused(const std::vector<std::string>& arguments, int code, const std::string& message) const {
    const ProcessResult result = glimpse(arguments);
    EXPECT_EQ(result.code, code) << result.errors;
    EXPECT_THAT(result.errors, HasSubstr(message));
    EXPECT_EQ(split_lines(result.errors).size(), 1U) << result.errors;
  }
};

TEST_F(TrainTest, ARecipeMakesAModelThatCaptions) {
  const ProcessResult trained = glimpse({"train", "-c", "small.conf", "--set", "caption.epochs=2"});
  ASSERT_EQ(trained.code, 0) << trained.errors;
  EXPECT_THAT(trained.errors, HasSubstr("caption epoch 2, validation: BLEU-4"));
  const ProcessResult captioned = glimpse({"caption", "-m", "small.safetensors", "0.ppm"});
  EXPECT_EQ(captioned.code, 0) << captioned.errors;
  const ProcessResult info = glimpse({"info", "small.safetensors"});
  EXPECT_THAT(info.output, HasSubstr("small"));
}

TEST_F(TrainTest, AModelGoesOnLearningWithTheWordsOfNewPictures) {
  const ProcessResult trained = glimpse(from_tiny({"--epochs", "3"}));
  ASSERT_EQ(trained.code, 0) << trained.errors;
  EXPECT_THAT(trained.errors, HasSubstr("finetune epoch 0, validation"));
  EXPECT_THAT(trained.errors, HasSubstr("finetune epoch 3, validation"));
  const Json info = Json::parse(glimpse({"info", "--format", "json", "mine.safetensors"}).output);
  EXPECT_EQ(info["vocabulary"], kTinyWords + 8);
  EXPECT_EQ(glimpse({"caption", "-m", "mine.safetensors", "8.ppm"}).code, 0);
}

TEST_F(TrainTest, AnInterruptSavesAndResumeGoesOn) {
  write_recipe("checkpoint-every = 3600\n");
  Process process(options({"train", "-c", "small.conf", "--set", "caption.epochs=2000"}));
  // The journal's first line stands once the first step is done.
  const auto journal = path("small.safetensors.training/journal.jsonl");
  for (int i = 0; i < 600 && read_whole(journal).empty(); ++i) usleep(50'000);
  process.send(SIGINT);
  const ProcessResult stopped = process.finish();
  EXPECT_EQ(stopped.code, 130) << stopped.errors;
  EXPECT_THAT(stopped.errors, HasSubstr("interrupted; all is saved, --resume goes on"));
  expect_refused({"train", "-c", "small.conf"}, 2, "--resume goes on with it, --overwrite begins anew");
  const ProcessResult resumed = glimpse({"train", "-c", "small.conf", "--resume", "--set", "caption.epochs=2"});
  EXPECT_EQ(resumed.code, 0) << resumed.errors;
  EXPECT_THAT(resumed.errors, HasSubstr("caption goes on at step"));
}

TEST_F(TrainTest, ATrainingThatDivergesHasAnExitCodeOfItsOwn) {
  // Each step takes 900 times the weights away from them.
  const ProcessResult result = glimpse({"train", "-c", "small.conf", "--set", "caption.learning-rate=900", "--set",
                                        "caption.weight-decay=1", "--set", "caption.epochs=20"});
  EXPECT_EQ(result.code, 5) << result.errors;
  EXPECT_THAT(result.errors, HasSubstr("caption, "));
  EXPECT_THAT(result.errors, HasSubstr("a lower learning-rate or clip may help"));
  EXPECT_FALSE(std::filesystem::exists(path("small.safetensors")));
}

TEST_F(TrainTest, MistakesAreNamed) {
  expect_refused({"train"}, 2, "--config FILE");
  expect_refused({"train", "-c", "gone.conf"}, 2, "gone.conf");
  expect_refused({"train", "-c", "small.conf", "--resume"}, 2, "no training in");
  expect_refused({"train", "-c", "small.conf", "--resume", "--overwrite"}, 2, "do not go together");
  expect_refused({"train", "-c", "small.conf", "--set", "caption.epoch=2"}, 2, "epochs");
  expect_refused({"train", "-c", "small.conf", "--set", "caption.epochs"}, 2, "KEY=VALUE");
  expect_refused({"train", "-c", "small.conf", "--from", "tiny.safetensors"}, 2, "--from MODEL");
  expect_refused({"train", "--from", "tiny.safetensors", "--captions", "set.jsonl"}, 2, "--output");
  expect_refused({"train", "--from", "set.jsonl", "--captions", "set.jsonl", "-o", "o.safetensors"}, 3, "set.jsonl");
  write_recipe("learning-rat = 1\n");
  expect_refused({"train", "-c", "small.conf"}, 2, "learning-rate");
}

TEST_F(TrainTest, BadCaptionsAreNamed) {
  write_file(path("set.jsonl"), R"({"image": "0.ppm", "captions": ["a stripe"]})"
                                "\n"
                                R"({"image": "gone.ppm", "captions": ["a stripe"]})"
                                "\n");
  expect_refused(from_tiny(), 2, "gone.ppm");
  write_file(path("set.jsonl"), R"({"image": "0.ppm", "captions": []})"
                                "\n");
  expect_refused(from_tiny(), 2, "set.jsonl");
}

}  // namespace
}  // namespace glimpse::testing
