// Recipes: what is read, what is complained of and how, and that what is written reads the same.
#include "train/recipe/recipe.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>

#include "core/error.h"
#include "support/paths.h"
#include "train/recipe/recipe_fields.h"
#include "train/recipe/recipe_terms.h"

namespace glimpse::train {
namespace {

using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

Recipe parse(std::string_view text) { return parse_recipe(text, "r.conf", "/recipes"); }

std::string message_of(const std::function<void()>& body, ErrorCode code = ErrorCode::kUsage) {
  try {
    body();
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), code) << error.what();
    return error.what();
  }
  ADD_FAILURE() << "nothing was thrown";
  return "";
}

std::string complaint(const std::string& text) {
  return message_of([&] { parse(text); });
}

TEST(RecipeTest, ReadsKeysOfEverySort) {
  const Recipe recipe = parse(
      "# a recipe\n"
      "name = my model # the best\r\n"
      "seed=18446744073709551615\n"
      "\n"
      "[data]\n"
      "  captions = sets/all.json\n"
      "photos = /photos\n"
      "train-splits = train, restval\n"
      "unlabelled = a, ../b\n"
      "val-folder = flickr#8k\n"
      "[encoder]\n"
      "mean = 1.5, -2, 3e1\n"
      "[decoder]\n"
      "gate = vector\n"
      "[ distill ]\n"
      "learning-rate = 2e-3\n"
      "optimiser = sgd\n"
      "flip = yes\n"
      "crop-scale = 0.25, 1\n"
      "target = a, b");
  EXPECT_EQ(recipe.name, "my model");
  EXPECT_EQ(recipe.seed, 18446744073709551615U);
  EXPECT_EQ(recipe.data.captions, "/recipes/sets/all.json");
  EXPECT_EQ(recipe.data.photos, "/photos");
  EXPECT_THAT(recipe.data.train_splits, ElementsAre("train", "restval"));
  EXPECT_THAT(recipe.data.unlabelled, ElementsAre("/recipes/a", "/b"));
  EXPECT_EQ(recipe.data.val_folder, "flickr#8k");
  EXPECT_THAT(recipe.encoder.input.mean, ElementsAre(1.5, -2, 30));
  EXPECT_EQ(recipe.decoder.formulas.gate, DecoderConfig::Gate::kVector);
  ASSERT_TRUE(recipe.distill);
  EXPECT_EQ(recipe.distill->learning_rate, 2e-3);
  EXPECT_EQ(recipe.distill->optimiser, StageOptions::Optimiser::kSgd);
  EXPECT_TRUE(recipe.distill->augment.flip);
  EXPECT_EQ(recipe.distill->augment.scale_min, 0.25);
  EXPECT_THAT(recipe.distill->target, ElementsAre("a", "b"));
  EXPECT_FALSE(recipe.caption || recipe.finetune || recipe.scst);
}

TEST(RecipeTest, WhatIsNotGivenHasItsDefault) {
  const Recipe recipe = parse("[scst]\n");
  EXPECT_EQ(recipe.data.vocabulary_threshold, 5);
  EXPECT_EQ(recipe.decoder.attention, 256);
  EXPECT_EQ(recipe.scst->beta2, 0.999);
  EXPECT_EQ(recipe.scst->baseline, ScstStage::Baseline::kMean);
}

TEST(RecipeTest, ComplaintsNameLineKeyAndTheNearestRightOne) {
  EXPECT_EQ(complaint("\n[distill]\nepoch = 3\n"),
            "'r.conf' line 3: [distill] has no key 'epoch'; did you mean 'epochs'?");
  EXPECT_THAT(complaint("xyzzyxyzzy = 3"), AllOf(HasSubstr("line 1"), HasSubstr("before any section")));
  EXPECT_THAT(complaint("[distil]\n"), HasSubstr("did you mean 'distill'?"));
  EXPECT_THAT(complaint("[]\n"), HasSubstr("known are data, encoder"));
  EXPECT_THAT(complaint("[data\n"), HasSubstr("write it as [name]"));
  EXPECT_THAT(complaint("seed 1\n"), HasSubstr("neither"));
  EXPECT_EQ(complaint("seed = 1\nname = a\nseed = 2\n"),
            "'r.conf' line 3: key 'seed' stands here twice, first in line 1");
  EXPECT_THAT(complaint("[data]\n[encoder]\n[data]\n"), HasSubstr("[data] stands here twice, first in line 1"));
}

TEST(RecipeTest, ComplaintsAboutValuesSayWhatToGive) {
  EXPECT_EQ(complaint("[caption]\nepochs = 0\n"),
            "'r.conf' line 2: 'epochs' is '0'; give a whole number from 1 to 100000");
  EXPECT_THAT(complaint("[caption]\nepochs = 2.5\n"), HasSubstr("whole number"));
  EXPECT_THAT(complaint("[caption]\nepochs =\n"), HasSubstr("'epochs' is ''"));
  EXPECT_THAT(complaint("[caption]\nlearning-rate = nan\n"), HasSubstr("a number from 1e-12 to 1000"));
  EXPECT_THAT(complaint("[caption]\nlearning-rate = 1e-3x\n"), HasSubstr("'1e-3x'"));
  EXPECT_THAT(complaint("[caption]\nflip = maybe\n"), HasSubstr("give yes or no"));
  EXPECT_THAT(complaint("[caption]\nschedule = linear\n"), HasSubstr("give cosine or constant"));
  EXPECT_THAT(complaint("[caption]\ncrop-scale = 1, 0.5\n"), HasSubstr("the smaller first"));
  EXPECT_THAT(complaint("[caption]\ncrop-ratio = 1\n"), HasSubstr("two ratios"));
  EXPECT_THAT(complaint("[encoder]\nstd = 1, 0, 1\n"), HasSubstr("three numbers above 0"));
  EXPECT_THAT(complaint("[encoder]\nmean = 1, inf, 1\n"), HasSubstr("three numbers"));
  EXPECT_THAT(complaint("precision = f16\n"), HasSubstr("give f32"));
  EXPECT_THAT(complaint("name = \xff\n"), HasSubstr("not UTF-8"));
}

/// Another text for each key than it has by default.
std::string other_value(const Field& field, const std::string& value) {
  for (const char* candidate :
       {"7",      "0.5",    "0.25", "0.5, 0.75",     "1, 2, 3", "sgd",     "constant", "yes",
        "no",     "greedy", "none", "additive-relu", "vector",  "hard",    "element",  "additive",
        "linear", "deep",   "row",  "dram",          "lstm",    "correct", "fit",      "some/where"}) {
    if (candidate != value && field.read(candidate, "/recipes").empty()) return candidate;
  }
  return value;
}

TEST(RecipeTest, EveryKeyIsWrittenAndReadBack) {
  Recipe recipe = parse("[distill]\n[caption]\n[finetune]\n[scst]\n[digits]\n[look]\n");
  const std::string standard = to_text(recipe);
  int keys = 0;
  for (const std::string_view section : section_names()) {
    for (const Field& field : section_fields(recipe, section)) {
      const std::string before = field.write("/recipes");
      const std::string changed = other_value(field, before);
      ++keys;
      // They have one value only.
      if (field.key == "precision" || (section == "decoder" && field.key == "kind")) continue;
      EXPECT_NE(changed, before) << section << ' ' << field.key;
      EXPECT_EQ(field.write("/recipes"), changed) << section << ' ' << field.key;
    }
  }
  EXPECT_GT(keys, 100);
  const std::string text = to_text(recipe);
  EXPECT_NE(text, standard);
  EXPECT_EQ(to_text(parse(text)), text);
}

TEST(RecipeTest, WhatIsWrittenDoesNotTellWhereItWasMade) {
  const Recipe recipe = parse("output = out/m.safetensors\n[data]\nphotos = ../photos\n");
  const std::string text = to_text(recipe);
  EXPECT_THAT(text, AllOf(HasSubstr("\noutput = out/m.safetensors\n"), HasSubstr("\nphotos = ../photos\n")));
  EXPECT_EQ(text, to_text(parse_recipe(text, "r", "/elsewhere")));
}

TEST(RecipeTest, SingleKeysAreSetAsFromACommandLine) {
  Recipe recipe = parse("[distill]\n");
  set(recipe, "distill.epochs", "3");
  set(recipe, "seed", "9");
  set(recipe, "data.captions", "here.json");
  EXPECT_EQ(recipe.distill->epochs, 3);
  EXPECT_EQ(recipe.seed, 9U);
  EXPECT_EQ(recipe.data.captions, std::filesystem::current_path() / "here.json");
  const auto refused = [&](const char* key, const char* value) { return message_of([&] { set(recipe, key, value); }); };
  EXPECT_THAT(refused("distill.epocs", "3"), HasSubstr("did you mean 'epochs'?"));
  EXPECT_THAT(refused("distil.epochs", "3"), HasSubstr("did you mean 'distill'?"));
  EXPECT_THAT(refused("caption.epochs", "3"), HasSubstr("it has no section [caption]"));
  EXPECT_THAT(refused("distill.epochs", "many"), HasSubstr("'distill.epochs'"));
  EXPECT_THAT(refused("name", "a\nseed = 1"), HasSubstr("could not stand in a recipe"));
  EXPECT_THAT(refused("name", "a # b"), HasSubstr("could not stand in a recipe"));
}

class RecipeBaseTest : public ::testing::Test {
 protected:
  RecipeBaseTest() {
    write("base.conf",
          "name = base\nseed = 7\noutput = out.safetensors\n[data]\ncaptions = sets/a.jsonl\n"
          "[caption]\nepochs = 5\nbatch = 8\n");
  }

  std::filesystem::path write(const std::string& name, const std::string& text) const {
    const std::filesystem::path path = folder() / name;
    std::filesystem::create_directories(path.parent_path());
    std::ofstream(path) << text;
    return path;
  }

  std::string refused(const std::string& text, ErrorCode code = ErrorCode::kUsage) const {
    return message_of([&] { read_recipe(write("some/r.conf", text)); }, code);
  }

  const std::filesystem::path& folder() const { return scratch_.path(); }

 private:
  glimpse::testing::ScratchFolder scratch_;
};

TEST_F(RecipeBaseTest, HasAllOfItsBaseAndChangesOrAddsToIt) {
  const Recipe recipe = read_recipe(write("some/r.conf",
                                          "# like it, but\nbase = ../base.conf\nname = variant\n"
                                          "output = v.safetensors\n[decoder]\nscore = dot\n"
                                          "[caption]\nbatch = 16\n[scst]\n"));
  EXPECT_EQ(recipe.name, "variant");
  EXPECT_EQ(recipe.seed, 7U);
  EXPECT_EQ(recipe.data.captions, folder() / "sets/a.jsonl") << "as the base's folder has it";
  EXPECT_EQ(recipe.output, folder() / "some/v.safetensors");
  EXPECT_EQ(recipe.folder, folder() / "some");
  ASSERT_TRUE(recipe.caption);
  EXPECT_EQ(recipe.caption->epochs, 5) << "a section that is opened again goes on";
  EXPECT_EQ(recipe.caption->batch, 16);
  EXPECT_TRUE(recipe.scst);
  EXPECT_EQ(recipe.decoder.formulas.score, DecoderConfig::Score::kDot);
  // What is written needs no base.
  EXPECT_EQ(to_text(parse_recipe(to_text(recipe), "r", recipe.folder)), to_text(recipe));
}

TEST_F(RecipeBaseTest, ABaseMayHaveABase) {
  write("middle.conf", "base = base.conf\n[caption]\nepochs = 6\n");
  const Recipe recipe = read_recipe(write("some/r.conf", "base = ../middle.conf\n"));
  EXPECT_EQ(recipe.name, "base");
  EXPECT_EQ(recipe.caption->epochs, 6);
  EXPECT_EQ(recipe.caption->batch, 8);
}

TEST_F(RecipeBaseTest, ComplaintsNameTheFileAndLineThatAreWrong) {
  EXPECT_THAT(refused("base = ../base.conf\n[caption]\nepoch = 1\n"),
              AllOf(HasSubstr("some/r.conf' line 3: "), HasSubstr("did you mean 'epochs'?")));
  write("wrong.conf", "\n[caption]\nepoch = 1\n");
  EXPECT_THAT(refused("\n\nbase = ../wrong.conf\n"),
              AllOf(HasSubstr("/wrong.conf' line 3: "), HasSubstr("did you mean 'epochs'?")));
  EXPECT_THAT(refused("bse = ../base.conf\n"), HasSubstr("did you mean 'base'?"));
  EXPECT_THAT(refused("name = a\nbase = ../base.conf\n"), AllOf(HasSubstr("line 2"), HasSubstr("make it the first")));
  EXPECT_THAT(refused("base = ../base.conf\nbase = ../base.conf\n"), HasSubstr("stands here twice, first in line 1"));
  EXPECT_THAT(refused("[data]\nbase = ../base.conf\n"), HasSubstr("[data] has no key 'base'"));
  EXPECT_THAT(refused("base =\n"), HasSubstr("'base' is empty"));
  EXPECT_THAT(refused("base = none.conf\n", ErrorCode::kMissing),
              AllOf(HasSubstr("some/r.conf' line 1: base 'none.conf'"), HasSubstr("some/none.conf")));
  Recipe recipe;
  EXPECT_THAT(message_of([&] { set(recipe, "base", "a.conf"); }), HasSubstr("only stand in a recipe's file"));
}

TEST_F(RecipeBaseTest, CirclesAreRefused) {
  EXPECT_THAT(refused("base = r.conf\n"), AllOf(HasSubstr("line 1"), HasSubstr("leads back")));
  write("some/a.conf", "base = b.conf\n");
  write("some/b.conf", "seed = 1 # no base\n");
  EXPECT_NO_THROW(read_recipe(folder() / "some/a.conf"));
  write("some/b.conf", "\nbase = ./../some/a.conf\n");
  EXPECT_THAT(message_of([&] { read_recipe(folder() / "some/a.conf"); }),
              AllOf(HasSubstr("some/b.conf' line 2"), HasSubstr("leads back to"), HasSubstr("some/a.conf'")));
}

TEST(RecipeTermsTest, DataSeedAndLengthMustBeEqualAndTheNetworkNeedNot) {
  const std::string text = "name = a\nseed = 3\n[data]\nphotos = p\n[caption]\nepochs = 4\n";
  const Recipe one = parse(text);
  const auto other = [&](const std::string& key, const std::string& value) {
    Recipe changed = one;
    set(changed, key, value);
    return unequal_terms(one, changed);
  };
  EXPECT_EQ(unequal_terms(one, one), "");
  for (const auto& [key, value] : {std::pair("name", "b"),
                                   {"output", "o"},
                                   {"decoder.score", "dot"},
                                   {"encoder.width", "32"},
                                   {"caption.learning-rate", "0.5"}}) {
    EXPECT_EQ(other(key, value), "") << key;
  }
  EXPECT_EQ(other("caption.epochs", "5"), "'caption.epochs' is '4' in one and '5' in the other");
  EXPECT_THAT(other("data.photos", "q"), HasSubstr("'data.photos' is 'recipes/p' in one"));
  for (const auto& [key, value] : {std::pair("seed", "4"),
                                   {"threads", "1"},
                                   {"caption.batch", "7"},
                                   {"caption.captions-per-photo", "2"},
                                   {"data.max-words", "9"}}) {
    EXPECT_THAT(other(key, value), HasSubstr(key)) << key;
  }
  EXPECT_THAT(unequal_terms(one, parse(text + "[scst]\n")), HasSubstr("[scst] stands in one only"));
  EXPECT_EQ(unequal_terms(one, parse_recipe("name = a\nseed = 3\n[data]\nphotos = ../recipes/p\n[caption]\n"
                                            "epochs = 4\n",
                                            "r", "/elsewhere")),
            "")
      << "the same folder, told from elsewhere";
}

class RecipeCheckTest : public ::testing::Test {
 protected:
  RecipeCheckTest() {
    std::filesystem::create_directory(scratch_.path() / "photos");
    for (const char* name : {"set.json", "e.graph", "t.graph", "t.safetensors", "lines.txt"}) {
      std::ofstream(scratch_.path() / name) << 'x';
    }
  }

  std::string refused(const std::string& text, ErrorCode code = ErrorCode::kUsage) const {
    return message_of([&] { check(read(text)); }, code);
  }

  Recipe read(const std::string& text) const {
    std::ofstream(scratch_.path() / "r.conf") << text;
    return read_recipe(scratch_.path() / "r.conf");
  }

  glimpse::testing::ScratchFolder scratch_;
  const std::string data_ = "output = m\n[data]\ncaptions = set.json\nphotos = photos\nsentences = lines.txt\n";
};

TEST_F(RecipeCheckTest, AcceptsWhatIsThere) {
  EXPECT_NO_THROW(check(read(data_ + "[caption]\ncache = later\nlanguage-epochs = 1\nflip = yes\n[scst]\n")));
  EXPECT_NO_THROW(check(read(data_ + "[encoder]\ngraph = e.graph\noutput = x\n[distill]\nteacher-graph = t.graph\n"
                                     "teacher-weights = t.safetensors\ntarget = map\n")));
}

TEST_F(RecipeCheckTest, MissingFilesAreNamedWithTheirKeys) {
  EXPECT_THAT(refused("output = m\n[data]\ncaptions = none.json\nphotos = photos\n[caption]\n", ErrorCode::kMissing),
              AllOf(HasSubstr("'data.captions'"), HasSubstr("none.json'")));
  EXPECT_THAT(refused(data_ + "unlabelled = photos, nowhere\n[caption]\n", ErrorCode::kMissing),
              AllOf(HasSubstr("'data.unlabelled'"), HasSubstr("nowhere'")));
}

TEST_F(RecipeCheckTest, PartsThatDoNotFitAreRefused) {
  EXPECT_THAT(refused(data_), HasSubstr("no stage"));
  EXPECT_THAT(refused("[caption]\n"), HasSubstr("'output'"));
  EXPECT_THAT(refused("output = m\n[caption]\n"), HasSubstr("'data.captions'"));
  EXPECT_THAT(refused(data_ + "[distill]\n"), HasSubstr("'encoder.graph'"));
  EXPECT_THAT(refused("output = m\n[data]\ncaptions = set.json\nphotos = photos\n[caption]\nlanguage-epochs = 2\n"),
              HasSubstr("'data.sentences'"));
  EXPECT_THAT(refused(data_ + "[caption]\ncache = later\ncolour = 0.2\n"), HasSubstr("cache"));
  EXPECT_THAT(refused(data_ + "[scst]\nsamples = 1\n"), HasSubstr("draw 2 or more"));
  EXPECT_THAT(refused(data_ + "[scst]\ncache = later\n"), HasSubstr("encoder-learning-rate = 0"));
  EXPECT_THAT(refused(data_ + "[scst]\ncache = later\nencoder-learning-rate = 0\ncolour = 0.2\n"),
              HasSubstr("in [scst] beside a cache"));
}

TEST_F(RecipeCheckTest, ARecipeThatIsNotThereIsMissing) {
  message_of([&] { read_recipe(scratch_.path() / "no.conf"); }, ErrorCode::kMissing);
}

}  // namespace
}  // namespace glimpse::train
