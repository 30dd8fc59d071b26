// Whole trainings: all stages, interrupted anywhere and gone on with, and what is wrong with recipes, data and numbers.
#include "train/run/trainer.h"

#include <functional>

#include "dnn/runtime/threads.h"
#include "pipeline/captioner.h"
#include "tiny_training.h"

namespace glimpse::train {
namespace {

namespace fs = std::filesystem;
using ::testing::AllOf;
using ::testing::HasSubstr;

TEST_F(TrainerTest, MakesAModelThatNamesWhatItSees) {
  Listener listener;
  Trainer trainer(recipe(), listener);
  trainer.run(Trainer::Start::kAnew);
  // Two of distillation, three of captioning; of fine-tuning and of self-critical training two each with that of what
  // they start from.
  EXPECT_EQ(listener.validations.size(), 11U);
  const Captioner captioner(Model::load(folder() / "tiny.safetensors"));
  CaptionSession session(captioner);
  int right = 0;
  for (int i = 12; i < 16; ++i) {
    const Image image = load_image(folder() / "photos" / ("p" + std::to_string(i) + ".png"));
    const std::string expected = std::string("a ") + kColours[static_cast<std::size_t>(i) % 3] + " thing on grey";
    right += session.caption(image).front().text == expected ? 1 : 0;
  }
  EXPECT_GE(right, 3) << "of 4";
  EXPECT_TRUE(fs::exists(trainer.folder() / "journal.jsonl"));
  EXPECT_THAT(read_file(trainer.folder() / "curves.svg", kMaxBytes), HasSubstr("</svg>"));
}

TEST_F(TrainerTest, GoesOnBitForBitFromWhereverItWasInterrupted) {
  Recipe short_recipe = recipe();
  short_recipe.caption->epochs = 2;
  const auto journal = [&] {
    std::vector<nlohmann::json> lines;
    std::ifstream file(folder() / "tiny.safetensors.training" / "journal.jsonl");
    for (std::string line; std::getline(file, line);) {
      lines.push_back(nlohmann::json::parse(line));
      lines.back().erase("pictures_per_second");
    }
    return lines;
  };
  Listener listener;
  Trainer(short_recipe, listener).run(Trainer::Start::kAnew);
  const std::string whole = made();
  const auto whole_journal = journal();
  ASSERT_GT(whole_journal.size(), 18U);

  // Stops every five steps, which lie in all stages and on their borders.
  auto start = Trainer::Start::kOver;
  int stops = 0;
  for (bool done = false; !done; start = Trainer::Start::kGoOn) {
    Listener impatient(5);
    try {
      Trainer(short_recipe, impatient).run(start);
      done = true;
    } catch (const Error& error) {
      ASSERT_EQ(error.code(), ErrorCode::kInterrupted) << error.what();
      ASSERT_LT(++stops, 10);
    }
  }
  EXPECT_GE(stops, 3);
  EXPECT_EQ(journal(), whole_journal);
  EXPECT_TRUE(made() == whole) << "the model differs";
}

TEST_F(TrainerTest, MapsKeptOnDiskTrainAsThoseComputedEachTime) {
  std::vector<double> losses;
  for (const auto resize : {Preprocess::Resize::kStretch, Preprocess::Resize::kFit}) {
    Recipe cached = caption_only();
    cached.encoder.input.width = 32;  // wider than the pictures
    cached.encoder.input.resize = resize;
    cached.caption->augment.flip = false;
    cached.caption->epochs = 1;
    cached.caption->batch = 12;  // all at once: the order in an epoch does not matter then
    cached.caption->dropout_features = cached.caption->dropout_embedding = cached.caption->dropout_output = 0;
    Recipe live = cached;
    live.caption->cache.clear();
    for (const Recipe& one : {cached, live}) {
      Listener listener;
      Trainer trainer(one, listener);
      trainer.run(Trainer::Start::kOver);
      std::ifstream journal(trainer.folder() / "journal.jsonl");
      std::string line;
      std::getline(journal, line);
      losses.push_back(nlohmann::json::parse(line).at("loss").at("loss").get<double>());
    }
  }
  EXPECT_NEAR(losses[0], losses[1], 1e-3 * losses[1]);  // F16
  EXPECT_NEAR(losses[2], losses[3], 1e-3 * losses[3]);
  EXPECT_NE(losses[1], losses[3]);
}

TEST_F(TrainerTest, ATeacherLooksAtEachViewOnce) {
  Recipe live = distill_only();
  live.distill->cache.clear();
  live.distill->epochs = 3;
  live.distill->learning_rate = 1e-9;  // what is said of a view is the same whenever it is asked
  Recipe cached = live;
  cached.distill->cache = folder() / "said";
  for (const double logits_weight : {0.5, 0.0}) {
    std::vector<std::vector<double>> losses;
    for (Recipe one : {live, cached, cached}) {
      one.distill->logits_weight = logits_weight;
      Listener listener;
      Trainer trainer(one, listener);
      trainer.run(Trainer::Start::kOver);
      losses.emplace_back();
      std::ifstream journal(trainer.folder() / "journal.jsonl");
      for (std::string line; std::getline(journal, line);) {
        const auto entry = nlohmann::json::parse(line);
        if (entry.contains("loss")) losses.back().push_back(entry.at("loss").at("loss").get<double>());
      }
    }
    ASSERT_EQ(losses[0].size(), 9U);
    for (std::size_t i = 0; i < 6; ++i) EXPECT_NEAR(losses[1][i], losses[0][i], 2e-3 * losses[0][i]) << i;  // F16
    EXPECT_EQ(losses[2], losses[1]) << "what is read back is what was learnt from";
  }
  EXPECT_EQ(std::distance(fs::directory_iterator(folder() / "said"), {}), 2) << "classes or none: another cache";
}

TEST_F(TrainerTest, DoesNotThrowAwayWhatWasBegun) {
  Listener impatient(1);
  EXPECT_THROW(Trainer(recipe(), impatient).run(Trainer::Start::kAnew), Error);
  Listener listener;
  Trainer again(recipe(), listener);
  EXPECT_THAT([&] { again.run(Trainer::Start::kAnew); },
              ::testing::Throws<Error>(::testing::Property(&Error::what, HasSubstr("--resume"))));
}

TEST_F(TrainerTest, RefusesACheckpointOfAnotherArchitecture) {
  Listener impatient(1);
  EXPECT_THROW(Trainer(recipe(), impatient).run(Trainer::Start::kAnew), Error);
  write_text(folder() / "encoder.graph",
             "conv c1 < image out=8 k=3 s=2 pad=1 bias=0\nbatchnorm n1 < c1 act=relu\n"
             "conv c2 < n1 out=16 k=3 s=2 pad=1 bias=0\nbatchnorm n2 < c2 act=relu\n");
  Listener listener;
  Trainer other(recipe(), listener);
  EXPECT_THAT([&] { other.run(Trainer::Start::kGoOn); },
              ::testing::Throws<Error>(::testing::Property(
                  &Error::what, AllOf(HasSubstr("c2.weight"), HasSubstr("[12,8,3,3]"), HasSubstr("[16,8,3,3]")))));
}

TEST_F(TrainerTest, LeavesTheCallersThreadCountAsItWas) {
  const int before = dnn::thread_count();
  Recipe other = recipe();
  other.threads = before + 1;
  other.distill->epochs = 1;
  Listener listener;
  Trainer trainer(other, listener);
  EXPECT_EQ(dnn::thread_count(), before);
  trainer.run(Trainer::Start::kAnew);
  EXPECT_EQ(dnn::thread_count(), before);
}

TEST_F(TrainerTest, SaysWhereNumbersStopBeingNumbers) {
  Recipe wild = recipe();
  wild.distill->learning_rate = 1e30;
  wild.distill->warm_up = 0;
  wild.distill->clip = 0;
  expect_error(wild, ErrorCode::kDiverged, AllOf(HasSubstr("step"), HasSubstr("learning-rate")));
}

TEST_F(TrainerTest, MissesPicturesBeforeTheFirstStep) {
  fs::remove(folder() / "photos/p3.png");
  Listener listener;
  EXPECT_THAT([&] { Trainer(recipe(), listener); },
              ::testing::Throws<Error>(::testing::Property(&Error::what, HasSubstr("p3.png"))));
}

TEST_F(TrainerTest, LeavesOutDamagedPictures) {
  write_text(folder() / "photos/p3.png", "not a picture");
  Listener listener;
  Trainer(recipe(), listener).run(Trainer::Start::kAnew);
  EXPECT_THAT(listener.notes, HasSubstr("p3.png"));
}

TEST_F(TrainerTest, TellsOfDamagedPicturesWithoutACacheToo) {
  write_text(folder() / "photos/p3.png", "not a picture");
  Recipe only = distill_only();
  Listener listener;
  Trainer(only, listener).run(Trainer::Start::kAnew);
  const std::size_t first = listener.notes.find("p3.png");
  EXPECT_NE(first, std::string::npos);
  EXPECT_EQ(listener.notes.find("p3.png", first + 1), std::string::npos) << "told twice: " << listener.notes;
}

TEST_F(TrainerTest, RefusesALanguageOfOneWord) {
  std::ofstream set(folder() / "set.jsonl");
  for (int i = 0; i < 12; ++i)
    set << nlohmann::json{{"image", "p0.png"}, {"captions", {"thing"}}, {"id", std::to_string(i)}} << '\n';
  set.close();
  Recipe one = recipe();
  one.distill.reset();
  expect_error(one, ErrorCode::kUsage, HasSubstr("word"));
}

TEST_F(TrainerTest, SaysHowTheTwoMapsDiffer) {
  Recipe coarse = recipe();
  coarse.distill->teacher_dilate = true;
  expect_error(coarse, ErrorCode::kModel, AllOf(HasSubstr("6×6"), HasSubstr("12×12")));
}

}  // namespace
}  // namespace glimpse::train
