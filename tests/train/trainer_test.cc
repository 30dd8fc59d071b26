// Whole trainings of a tiny captioner on drawn pictures: all stages, interrupted anywhere and gone on with, and what is
// wrong with recipes, data and numbers.
#include "train/trainer.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <fstream>
#include <functional>
#include <limits>
#include <nlohmann/json.hpp>

#include "core/error.h"
#include "core/file.h"
#include "core/random.h"
#include "image/image.h"
#include "net/graph.h"
#include "net/tensors.h"
#include "pipeline/captioner.h"
#include "support/paths.h"

namespace glimpse::train {
namespace {

namespace fs = std::filesystem;
using ::testing::AllOf;
using ::testing::HasSubstr;

constexpr std::size_t kMaxBytes = std::size_t{1} << 26;
constexpr std::array<const char*, 3> kColours = {"red", "green", "blue"};

void write_text(const fs::path& path, const std::string& text) { std::ofstream(path) << text; }

/// Listens, and asks to stop after a number of steps.
class Listener : public Observer {
 public:
  explicit Listener(int steps = std::numeric_limits<int>::max()) : left_(steps) {}
  void progress(const Progress&) override { --left_; }
  void validated(const Validation& validation) override { validations.push_back(validation.scores); }
  void note(const std::string& text) override { notes += text + '\n'; }
  bool interrupted() override { return left_ <= 0; }

  std::vector<Measures> validations;
  std::string notes;

 private:
  int left_;
};

class TrainerTest : public ::testing::Test {
 protected:
  TrainerTest() {
    fs::create_directories(folder() / "photos");
    nlohmann::json lines;
    std::ofstream set(folder() / "set.jsonl");
    for (int i = 0; i < 16; ++i) {
      const std::string name = "p" + std::to_string(i) + ".png";
      const auto colour = static_cast<std::size_t>(i) % kColours.size();
      draw(colour, static_cast<std::uint64_t>(i), name);
      const std::string caption = std::string("a ") + kColours[colour] + " thing on grey";
      set << nlohmann::json{{"image", name}, {"captions", {caption}}, {"split", i < 12 ? "train" : "val"}} << '\n';
    }
    write_text(folder() / "encoder.graph",
               "conv c1 < image out=8 k=3 s=2 pad=1 bias=0\nbatchnorm n1 < c1 act=relu\n"
               "conv c2 < n1 out=12 k=3 s=2 pad=1 bias=0\nbatchnorm n2 < c2 act=relu\n");
    const std::string teacher =
        "conv t1 < image out=8 k=3 s=2 pad=1 act=relu\nconv t2 < t1 out=8 k=3 s=2 pad=1\nconv t3 < t2 out=8 k=1 "
        "act=relu\nglobalavgpool t4 < t3\nconv t5 < t4 out=5 k=1\n";
    write_text(folder() / "teacher.graph", teacher);
    const Weights weights = net::random_weights(net::parse_graph(teacher, "teacher.graph"), {1, 3, 24, 24}, 3);
    std::vector<NamedTensor> tensors;
    for (const auto& [name, view] : weights.tensors()) tensors.push_back({name, view});
    write_safetensors(folder() / "teacher.safetensors", tensors, {});
  }

  const fs::path& folder() const { return scratch_.path(); }

  /// A grey picture with a coloured square somewhere.
  void draw(std::size_t colour, std::uint64_t seed, const std::string& name) const {
    Image image(24, 24);
    Random random(seed);
    const auto left = static_cast<int>(random.below(12));
    const auto top = static_cast<int>(random.below(12));
    for (int y = 0; y < 24; ++y) {
      for (int x = 0; x < 24; ++x) {
        const bool inside = x >= left && x < left + 12 && y >= top && y < top + 12;
        for (std::size_t c = 0; c < 3; ++c) {
          image.row(y)[3 * x + static_cast<int>(c)] = static_cast<std::uint8_t>((inside && c == colour ? 220
                                                                                 : inside              ? 20
                                                                                                       : 110) +
                                                                                random.below(12));
        }
      }
    }
    write_png(image, folder() / "photos" / name);
  }

  static std::string recipe_text() {
    return R"(
name = tiny
output = tiny.safetensors
threads = 1
[data]
captions = set.jsonl
photos = photos
vocabulary-threshold = 1
[encoder]
graph = encoder.graph
output = n2
width = 24
height = 24
[decoder]
feature = 16
attention = 8
hidden = 16
embedding = 8
deep = 16
[distill]
epochs = 2
batch = 4
learning-rate = 3e-3
warm-up = 2
average = 0.9
flip = yes
crop-scale = 0.7, 1
colour = 0.1
teacher-graph = teacher.graph
teacher-weights = teacher.safetensors
teacher-output = t5
target = t2
logits-weight = 0.5
cache = cache
views = 2
[caption]
epochs = 30
batch = 4
learning-rate = 2e-2
warm-up = 5
dropout-features = 0.1
dropout-embedding = 0.1
dropout-output = 0.1
label-smoothing = 0.05
doubly-stochastic = 0.01
validate-every = 10
cache = cache
flip = yes
[finetune]
epochs = 2
batch = 4
learning-rate = 1e-3
warm-up = 1
freeze-statistics = no
flip = yes
[scst]
epochs = 2
batch = 4
learning-rate = 1e-3
warm-up = 1
samples = 3
)";
  }

  Recipe recipe() const { return parse_recipe(recipe_text(), "tiny.conf", folder()); }
  Recipe distill_only() const {
    Recipe only = recipe();
    only.caption.reset();
    only.finetune.reset();
    only.scst.reset();
    return only;
  }
  std::string made() const { return read_file(folder() / "tiny.safetensors", kMaxBytes); }

  void expect_error(const Recipe& recipe, ErrorCode code, const ::testing::Matcher<std::string>& message) const {
    Listener listener;
    try {
      Trainer(recipe, listener).run(Trainer::Start::kOver);
      ADD_FAILURE() << "no error";
    } catch (const Error& error) {
      EXPECT_EQ(error.code(), code) << error.what();
      EXPECT_THAT(std::string(error.what()), message);
    }
  }

 private:
  testing::ScratchFolder scratch_;
};

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
  Recipe cached = recipe();
  cached.distill.reset();
  cached.finetune.reset();
  cached.scst.reset();
  cached.caption->augment.flip = false;
  cached.caption->epochs = 1;
  cached.caption->batch = 12;  // all at once: the order in an epoch does not matter then
  cached.caption->dropout_features = cached.caption->dropout_embedding = cached.caption->dropout_output = 0;
  Recipe live = cached;
  live.caption->cache.clear();
  std::vector<double> losses;
  for (const Recipe& one : {cached, live}) {
    Listener listener;
    Trainer trainer(one, listener);
    trainer.run(Trainer::Start::kOver);
    std::ifstream journal(trainer.folder() / "journal.jsonl");
    std::string line;
    std::getline(journal, line);
    losses.push_back(nlohmann::json::parse(line).at("loss").at("loss").get<double>());
  }
  EXPECT_NEAR(losses[0], losses[1], 1e-3 * losses[1]);  // F16
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

TEST_F(TrainerTest, GoesOnLearningWithNewWords) {
  Listener listener;
  Recipe first = recipe();
  first.distill.reset();
  first.finetune.reset();
  first.scst.reset();
  Trainer(first, listener).run(Trainer::Start::kAnew);
  fs::rename(folder() / "tiny.safetensors", folder() / "base.safetensors");

  std::ofstream set(folder() / "new.jsonl");
  for (int i = 0; i < 12; ++i) {
    set << nlohmann::json{{"image", "p" + std::to_string(i) + ".png"}, {"captions", {"ein bunter würfel"}}} << '\n';
  }
  set.close();
  Recipe further = parse_recipe(
      "name = further\noutput = further.safetensors\nfrom = base.safetensors\nthreads = 1\n[data]\ncaptions = "
      "new.jsonl\nphotos = photos\nvocabulary-threshold = 1\n[finetune]\nepochs = 40\nbatch = 12\nlearning-rate = "
      "2e-2\nwarm-up = 1\n",
      "further.conf", folder());
  Trainer(further, listener).run(Trainer::Start::kAnew);
  EXPECT_THAT(listener.notes, HasSubstr("no pictures of the split 'val'"));
  const Model model = Model::load(folder() / "further.safetensors");
  EXPECT_THAT(model.config().vocabulary, ::testing::IsSupersetOf({"red", "bunter", "w\u00fcrfel"}));
  CaptionSession session((Captioner(model)));
  EXPECT_EQ(session.caption(load_image(folder() / "photos/p0.png")).front().text, "ein bunter w\u00fcrfel");
}

TEST_F(TrainerTest, ADecoderGoesOverToAnotherEncoder) {
  Listener listener;
  Recipe first = recipe();
  first.distill.reset();
  first.finetune.reset();
  first.scst.reset();
  first.caption->epochs = 1;
  first.decoder.formulas.selector = DecoderConfig::Selector::kLocal;
  Trainer(first, listener).run(Trainer::Start::kAnew);
  fs::rename(folder() / "tiny.safetensors", folder() / "base.safetensors");

  write_text(folder() / "encoder.graph", "conv c1 < image out=10 k=5 s=4 pad=2\n");
  Recipe other = first;
  other.encoder.output = "c1";
  other.caption->start = folder() / "base.safetensors";
  other.caption->learning_rate = 1e-9;
  Trainer(other, listener).run(Trainer::Start::kOver);
  EXPECT_THAT(listener.notes, HasSubstr("its first layer starts from random numbers"));
  const Model before = Model::load(folder() / "base.safetensors");
  const Model after = Model::load(folder() / "tiny.safetensors");
  const auto values = [](const Model& model, const char* name) {
    const Tensor tensor = to_float(model.weights().at(name));
    return std::vector<float>(tensor.values().begin(), tensor.values().end());
  };
  for (const char* name : {"key.weight", "lstm.weight_ih", "place_hidden.weight", "output.bias"}) {
    EXPECT_THAT(values(after, name), ::testing::Pointwise(::testing::FloatNear(1e-3F), values(before, name))) << name;
  }
  EXPECT_EQ(after.weights().at("feature.weight").shape, (Shape{16, 10}));

  other.decoder.formulas.gate = DecoderConfig::Gate::kVector;
  expect_error(other, ErrorCode::kUsage, HasSubstr("its gate is 'scalar"));
}

TEST_F(TrainerTest, ADecoderIsGoneOnWithWordByWord) {
  Listener listener;
  Recipe first = recipe();
  first.distill.reset();
  first.finetune.reset();
  first.scst.reset();
  first.caption->epochs = 1;
  Trainer(first, listener).run(Trainer::Start::kAnew);
  fs::rename(folder() / "tiny.safetensors", folder() / "base.safetensors");

  // The words that captions have most often come first: these move all others.
  std::ofstream(folder() / "set.jsonl", std::ios::app)
      << nlohmann::json{{"image", "p0.png"},
                        {"captions", std::vector<std::string>(9, "another word another word another word")},
                        {"id", "again"},
                        {"split", "train"}};
  first.caption->start = folder() / "base.safetensors";
  first.caption->learning_rate = 1e-9;
  Trainer(first, listener).run(Trainer::Start::kOver);
  const Model before = Model::load(folder() / "base.safetensors");
  const Model after = Model::load(folder() / "tiny.safetensors");
  const std::vector<std::string>& words = after.config().vocabulary;
  const auto position = [](const Model& model, const std::string& word) {
    return std::ranges::find(model.config().vocabulary, word) - model.config().vocabulary.begin();
  };
  EXPECT_EQ(words.size(), before.config().vocabulary.size() + 2);
  EXPECT_LT(position(after, "another"), position(after, "red"));
  for (const char* name : {"embedding.weight", "output.weight", "output.bias"}) {
    const Tensor known = to_float(before.weights().at(name));
    const Tensor taken = to_float(after.weights().at(name));
    const std::int64_t width = known.count() / known.dim(0);
    for (const std::string& word : before.config().vocabulary) {
      for (std::int64_t i = 0; i < width; ++i) {
        ASSERT_NEAR(taken.data()[position(after, word) * width + i], known.data()[position(before, word) * width + i],
                    1e-3F)
            << name << ", " << word;
      }
    }
  }
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

TEST_F(TrainerTest, SaysWhereNumbersStopBeingNumbers) {
  Recipe wild = recipe();
  wild.distill->learning_rate = 1e30;
  wild.distill->warm_up = 0;
  wild.distill->clip = 0;
  expect_error(wild, ErrorCode::kModel, AllOf(HasSubstr("step"), HasSubstr("learning-rate")));
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

TEST_F(TrainerTest, AStartBringsItsProjectionToo) {
  Recipe only = distill_only();
  only.distill->epochs = 12;
  const auto run_on = [&](Listener& listener) {
    try {
      Trainer(only, listener).run(Trainer::Start::kAnew);
    } catch (const Error& error) {
      EXPECT_EQ(error.code(), ErrorCode::kInterrupted) << error.what();
    }
  };
  Listener first(30);
  run_on(first);
  only.output = folder() / "again.safetensors";
  only.encoder.start = folder() / "tiny.safetensors.training/distill.best.safetensors";
  only.distill->epochs = 1;
  only.distill->learning_rate = 1e-9;
  Listener second;
  run_on(second);
  double best = 0;
  for (const Measures& scores : first.validations) best = std::max(best, scores[0].second);
  EXPECT_GT(best, 0.1);
  // Batch norm's running statistics move a little.
  EXPECT_NEAR(second.validations.back()[0].second, best, 0.05);
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
