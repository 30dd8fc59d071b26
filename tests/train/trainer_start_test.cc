// Trainings that go on from a model, or take parts of one.
#include "pipeline/captioner.h"
#include "tiny_training.h"

namespace glimpse::train {
namespace {

using ::testing::HasSubstr;

TEST_F(TrainerTest, GoesOnLearningWithNewWords) {
  make_base(caption_only());

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
  Listener listener;
  Trainer(further, listener).run(Trainer::Start::kAnew);
  EXPECT_THAT(listener.notes, HasSubstr("no pictures of the split 'val'"));
  const Model model = Model::load(folder() / "further.safetensors");
  EXPECT_THAT(model.config().vocabulary, ::testing::IsSupersetOf({"red", "bunter", "w\u00fcrfel"}));
  CaptionSession session((Captioner(model)));
  EXPECT_EQ(session.caption(load_image(folder() / "photos/p0.png")).front().text, "ein bunter w\u00fcrfel");
}

TEST_F(TrainerTest, ADecoderGoesOverToAnotherEncoder) {
  Recipe first = caption_only();
  first.caption->epochs = 1;
  first.decoder.formulas.selector = DecoderConfig::Selector::kLocal;
  make_base(first);

  write_text(folder() / "encoder.graph", "conv c1 < image out=10 k=5 s=4 pad=2\n");
  Recipe other = first;
  other.encoder.output = "c1";
  other.caption->start = folder() / "base.safetensors";
  other.caption->learning_rate = 1e-9;
  Listener listener;
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
  Recipe first = caption_only();
  first.caption->epochs = 1;
  make_base(first);

  // The words that captions have most often come first: these move all others.
  std::ofstream(folder() / "set.jsonl", std::ios::app)
      << nlohmann::json{{"image", "p0.png"},
                        {"captions", std::vector<std::string>(9, "another word another word another word")},
                        {"id", "again"},
                        {"split", "train"}};
  first.caption->start = folder() / "base.safetensors";
  first.caption->learning_rate = 1e-9;
  Listener listener;
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

}  // namespace
}  // namespace glimpse::train
