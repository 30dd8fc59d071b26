#include "pipeline/captioner.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>
#include <nlohmann/json.hpp>
#include <numeric>
#include <thread>

#include "core/error.h"
#include "core/random.h"
#include "support/paths.h"
#include "support/tiny_model.h"
#include "support/usage_error.h"

namespace glimpse {
namespace {

using ::testing::HasSubstr;

/// Smooth random pictures of several sizes, so that resizing takes part.
std::vector<Image> pictures(int count) {
  Random random(11);
  std::vector<Image> images;
  for (int i = 0; i < count; ++i) {
    Image image(30 + 7 * i, 50 - 3 * (i % 5));
    const double phase = random.uniform() * 6;
    const double frequency = 0.05 + random.uniform() * 0.3;
    for (int y = 0; y < image.height; ++y) {
      for (int x = 0; x < 3 * image.width; ++x) {
        image.row(y)[x] = static_cast<std::uint8_t>(127 + 120 * std::sin(phase + frequency * (x + 2 * y)));
      }
    }
    images.push_back(std::move(image));
  }
  return images;
}

void expect_equal(const Caption& a, const Caption& b, double tolerance) {
  EXPECT_EQ(a.text, b.text);
  EXPECT_NEAR(a.log_prob, b.log_prob, tolerance);
  ASSERT_EQ(a.glimpses.size(), b.glimpses.size());
  for (std::size_t i = 0; i < a.glimpses.size(); ++i) {
    EXPECT_NEAR(a.glimpses[i].beta, b.glimpses[i].beta, tolerance);
    for (std::size_t cell = 0; cell < a.glimpses[i].alpha.size(); ++cell) {
      EXPECT_NEAR(a.glimpses[i].alpha[cell], b.glimpses[i].alpha[cell], tolerance);
    }
  }
}

CaptionerOptions direct(int batch, int threads) {
  CaptionerOptions options;
  options.batch = batch;
  options.threads = threads;
  options.tuning = dnn::Tuning::kDirect;
  return options;
}

TEST(Captioner, ABatchGivesEachPictureWhatItWouldGetAlone) {
  const Model model = testing::tiny_model();
  const std::vector<Image> images = pictures(16);
  CaptionOptions options;
  options.search.top = 2;
  CaptionSession alone(Captioner(model, direct(1, 1)), options);
  CaptionSession together(Captioner(model, direct(16, 2)), options);
  const auto batch = together.caption(images);
  ASSERT_EQ(batch.size(), images.size());
  std::set<std::string> texts;
  for (std::size_t i = 0; i < images.size(); ++i) {
    const std::vector<Caption> single = alone.caption(images[i]);
    ASSERT_EQ(single.size(), 2U);
    ASSERT_EQ(batch[i].size(), 2U);
    expect_equal(single[0], batch[i][0], 1e-4);
    texts.insert(single[0].text);
  }
  EXPECT_GT(texts.size(), 2U) << "all pictures got nearly the same caption, so this test would not notice a mix-up";
  const auto partial = together.caption(std::span(images).first(3));
  ASSERT_EQ(partial.size(), 3U);
  for (std::size_t i = 0; i < 3; ++i) expect_equal(partial[i][0], batch[i][0], 1e-4);
}

TEST(Captioner, AListLongerThanTheBatchIsCutIntoBatches) {
  const Model model = testing::tiny_model();
  const std::vector<Image> images = pictures(10);
  CaptionSession alone(Captioner(model, direct(1, 1)));
  std::vector<Caption> expected;
  for (const Image& image : images) expected.push_back(alone.caption(image)[0]);
  for (const int batch : {1, 3, 5, 16}) {
    CaptionSession session(Captioner(model, direct(batch, 1)));
    const std::vector<std::vector<Caption>> found = session.caption(images);
    ASSERT_EQ(found.size(), images.size());
    for (std::size_t i = 0; i < images.size(); ++i) {
      ASSERT_EQ(found[i].size(), 1U);
      expect_equal(found[i][0], expected[i], 1e-4);
    }
    EXPECT_TRUE(session.caption(std::span<const Image>()).empty());
  }
}

TEST(Captioner, PicturesThatDoNotFitAreUsageErrors) {
  const Captioner captioner(testing::tiny_model(), direct(2, 1));
  CaptionSession session(captioner);
  const Image image = std::move(pictures(1)[0]);
  PreparedPicture prepared = captioner.prepare(image);
  const std::vector<const PreparedPicture*> three(3, &prepared);
  EXPECT_THAT([&] { session.caption(three); },
              testing::throws_usage("3 prepared pictures for a captioner with a batch of 2"));
  EXPECT_EQ(session.caption(std::span(three).first(2)).size(), 2U);
  prepared.input.pop_back();
  EXPECT_THAT([&] { session.caption(std::span(three).first(1)); },
              testing::throws_usage("3071 values where the model takes 3072"));
  EXPECT_THAT([&] { session.caption(Image()); }, testing::throws_usage("without pixels"));
  EXPECT_THAT([&] { captioner.prepare(Image()); }, testing::throws_usage("without pixels"));
  EXPECT_EQ(session.caption(image).size(), 1U) << "what was refused leaves no trace";
}

TEST(Captioner, WorkersDoNotDisturbEachOther) {
  const Captioner captioner(testing::tiny_model(), direct(1, 1));
  const std::vector<Image> images = pictures(24);
  std::vector<Caption> expected;
  CaptionSession session(captioner);
  for (const Image& image : images) expected.push_back(session.caption(image)[0]);
  for (const int workers : {1, 2, 4}) {
    std::vector<Caption> found(images.size());
    std::vector<std::jthread> threads;
    for (int worker = 0; worker < workers; ++worker) {
      threads.emplace_back([&, worker] {
        CaptionSession own(captioner);
        for (std::size_t i = static_cast<std::size_t>(worker); i < images.size();
             i += static_cast<std::size_t>(workers)) {
          found[i] = own.caption(images[i])[0];
        }
      });
    }
    threads.clear();
    for (std::size_t i = 0; i < images.size(); ++i) expect_equal(found[i], expected[i], 0);
  }
}

TEST(Captioner, GlimpsesAreWholeAndInsideThePicture) {
  CaptionSession session(Captioner(testing::tiny_model(), direct(1, 2)));
  for (const Image& image : pictures(8)) {
    const Caption caption = session.caption(image)[0];
    ASSERT_FALSE(caption.glimpses.empty());
    double log_prob = 0;
    for (const Glimpse& glimpse : caption.glimpses) {
      ASSERT_EQ(glimpse.alpha.size(), 16U);
      EXPECT_NEAR(std::accumulate(glimpse.alpha.begin(), glimpse.alpha.end(), 0.0), 1, 1e-5);
      EXPECT_GE(glimpse.box.x, 0);
      EXPECT_GE(glimpse.box.y, 0);
      EXPECT_LE(glimpse.box.x + glimpse.box.width, image.source_width + 1e-9);
      EXPECT_LE(glimpse.box.y + glimpse.box.height, image.source_height + 1e-9);
      log_prob += glimpse.log_prob;
    }
    EXPECT_LE(caption.log_prob, log_prob + 1e-6) << "the end's probability is part of it";
  }
}

TEST(Captioner, OptionsInWordsReachTheSearch) {
  const Captioner captioner(testing::tiny_model(), direct(1, 1));
  const Image image = std::move(pictures(1)[0]);
  CaptionOptions options;
  options.prefix = "wordc worda";
  options.required = {"wordf"};
  options.forbidden = {"wordb"};
  const std::string text = CaptionSession(captioner, options).caption(image)[0].text;
  EXPECT_EQ(text.rfind("wordc worda", 0), 0U) << text;
  EXPECT_THAT(text, HasSubstr("wordf"));
  EXPECT_THAT(text, ::testing::Not(HasSubstr("wordb")));
}

TEST(Captioner, UnknownWordsAndBadCountsAreUsageErrors) {
  const Captioner captioner(testing::tiny_model(), direct(1, 1));
  const auto code = [](const std::function<void()>& body) {
    try {
      body();
    } catch (const Error& error) {
      return error.code();
    }
    return ErrorCode::kInternal;
  };
  CaptionOptions unknown;
  unknown.required = {"zebra"};
  EXPECT_EQ(code([&] { const CaptionSession session(captioner, unknown); }), ErrorCode::kUsage);
  EXPECT_EQ(code([&] { const Captioner bad(testing::tiny_model(), direct(0, 1)); }), ErrorCode::kUsage);
  EXPECT_EQ(code([&] { const Captioner bad(testing::tiny_model(), direct(1, -1)); }), ErrorCode::kUsage);
}

TEST(Captioner, ASeedDrawsTheCellsOfHardAttentionAndNoOthers) {
  CaptionOptions seeded;
  seeded.hard_seed = 7;
  const Captioner soft(testing::tiny_model(), direct(1, 1));
  EXPECT_THROW(CaptionSession(soft, seeded), Error);
  ModelConfig config = testing::tiny_config();
  config.decoder.selector = DecoderConfig::Selector::kHard;
  const Model model(config, Weights("tiny", testing::tiny_tensors()));
  const std::vector<Image> images = pictures(4);
  const auto captions = [&](std::optional<std::uint64_t> seed, int batch, int threads) {
    CaptionOptions options;
    options.hard_seed = seed;
    CaptionSession session(Captioner(model, direct(batch, threads)), options);
    std::vector<std::string> texts;
    for (std::size_t i = 0; i < images.size(); i += static_cast<std::size_t>(batch)) {
      for (const auto& best : session.caption(std::span(images).subspan(i, static_cast<std::size_t>(batch)))) {
        texts.push_back(best.front().text);
      }
    }
    return texts;
  };
  const std::vector<std::string> expected = captions(7, 1, 1);
  EXPECT_EQ(captions(7, 1, 1), expected);
  EXPECT_EQ(captions(7, 4, 1), expected);
  EXPECT_EQ(captions(7, 2, 2), expected);
  EXPECT_NE(captions(8, 1, 1), expected);
  EXPECT_NE(captions(std::nullopt, 1, 1), expected);
}

TEST(Captioner, KernelsAreMeasuredOnlyWhereThatIsRememberedOrAskedFor) {
  CaptionerOptions options;
  EXPECT_EQ(options.kernels(), dnn::Tuning::kWinograd);
  const testing::ScratchFolder folder;
  options.tuning_cache = folder.path() / "tuning";
  EXPECT_EQ(options.kernels(), dnn::Tuning::kMeasure);
  options.tuning = dnn::Tuning::kDirect;
  EXPECT_EQ(options.kernels(), dnn::Tuning::kDirect);
  options.tuning_cache.clear();
  options.tuning = dnn::Tuning::kMeasure;
  EXPECT_EQ(options.kernels(), dnn::Tuning::kMeasure);
}

TEST(Captioner, MessagesOfTheSearchCallWordsByTheirSpelling) {
  const Captioner captioner(testing::tiny_model());
  const auto message = [&](const CaptionOptions& options) -> std::string {
    try {
      CaptionSession session(captioner, options);
      session.caption(Image(32, 32));
    } catch (const Error& error) {
      return error.what();
    }
    return "no error";
  };
  CaptionOptions both;
  both.prefix = "worda wordb";
  both.forbidden = {"wordb"};
  EXPECT_EQ(message(both), "'wordb' is forbidden but stands in the prefix");
  CaptionOptions torn;
  torn.required = {"wordc"};
  torn.forbidden = {"wordc"};
  EXPECT_EQ(message(torn), "'wordc' is both required and forbidden");
}

TEST(Captioner, PartsThatDoNotFitAreModelErrors) {
  struct Case {
    std::function<void(ModelConfig&)> change;
    std::string message;
  };
  const Case cases[] = {
      {[](ModelConfig& c) { c.rows = 5; }, "gives a map of 4×4 cells, the model says 5×4"},
      {[](ModelConfig& c) { c.output_node = "c9"; }, "c9"},
      {[](ModelConfig& c) { c.vocabulary.emplace_back("more"); }, "embedding.weight"},
      {[](ModelConfig& c) { c.vocabulary[5] = c.vocabulary[4]; }, "worda"},
      {[](ModelConfig& c) { c.input.width = 64; }, "gives a map of 4×8"},
      {[](ModelConfig& c) { c.graph = "conv c3 < image out=8 k=3"; }, "c3.weight"},
      {[](ModelConfig& c) { c.decoder.gate = DecoderConfig::Gate::kVector; }, "gate.weight"},
  };
  for (const Case& c : cases) {
    ModelConfig config = testing::tiny_config();
    c.change(config);
    std::string message;
    try {
      const Captioner captioner({config, Weights("tiny", testing::tiny_tensors())}, direct(1, 1));
    } catch (const Error& error) {
      EXPECT_EQ(error.code(), ErrorCode::kModel) << error.what();
      message = error.what();
    }
    EXPECT_THAT(message, HasSubstr(c.message));
  }
}

}  // namespace
}  // namespace glimpse
