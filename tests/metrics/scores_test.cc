#include "metrics/scores.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>
#include <map>
#include <nlohmann/json.hpp>

#include "core/error.h"
#include "metrics/bleu.h"
#include "support/paths.h"

namespace glimpse::metrics {
namespace {

using Json = nlohmann::json;
using Texts = std::vector<std::string>;

Json read_json(const std::string& name) {
  std::ifstream stream(glimpse::testing::shared_path("data/metrics/" + name));
  return Json::parse(stream);
}

/// A thousand captions, what people wrote, and the numbers that the standard evaluation has published for them.
struct Published {
  Texts captions;
  std::vector<Texts> references;
  Json expected = read_json("fakecap_expected.json");

  Published() {
    std::map<std::int64_t, Texts> by_image;
    const Json all = read_json("fakecap_references.json");
    for (const Json& annotation : all["annotations"]) {
      by_image[annotation["image_id"]].push_back(annotation["caption"]);
    }
    for (const Json& result : read_json("fakecap_results.json")) {
      captions.push_back(result["caption"]);
      references.push_back(by_image.at(result["image_id"]));
    }
  }
};

TEST(Scores, AreThoseThatTheStandardEvaluationPublished) {
  GLIMPSE_REQUIRE_SHARED("data/metrics");
  const Published published;
  const Scores scores = score_captions(published.captions, published.references);
  EXPECT_EQ(scores.images, 1000U);
  constexpr double kFourDecimals = 0.00005;
  for (std::size_t i = 0; i < 4; ++i) EXPECT_NEAR(scores.bleu[i], published.expected["bleu"][i], kFourDecimals) << i;
  EXPECT_NEAR(scores.rouge_l, published.expected["rouge_l"], kFourDecimals);
  EXPECT_NEAR(scores.cider, published.expected["cider"], kFourDecimals);
}

TEST(Scores, CountThoseWordsThatTheStandardEvaluationCounted) {
  GLIMPSE_REQUIRE_SHARED("data/metrics");
  const Published published;
  WordIds ids;
  BleuCounts counts;
  for (std::size_t i = 0; i < published.captions.size(); ++i) {
    References references;
    for (const std::string& reference : published.references[i]) references.push_back(ids.encode_caption(reference));
    counts.add(ids.encode_caption(published.captions[i]), references);
  }
  EXPECT_EQ(counts.length, published.expected["test_length"]);
  EXPECT_EQ(counts.reference_length, published.expected["reference_length"]);
  EXPECT_EQ(Json(counts.correct), published.expected["correct"]);
}

TEST(Scores, SaySomethingAboutTheCaptionsThemselves) {
  const Texts captions = {"A dog's ball.", "a dog"};
  const Scores scores = score_captions(captions, std::vector<Texts>{{"a ball of a dog"}, {"a cat", "A dog!"}});
  EXPECT_EQ(scores.images, 2U);
  EXPECT_DOUBLE_EQ(scores.mean_length, 3);
  EXPECT_EQ(scores.distinct_words, 4);  // a, dog, 's, ball
}

TEST(Scores, WhatCannotBeScoredIsRefused) {
  const Texts one = {"a"};
  EXPECT_THROW(score_captions({}, {}), Error);
  EXPECT_THROW(score_captions(one, std::vector<Texts>{{"a"}, {"b"}}), Error);
  EXPECT_THROW(score_captions(one, std::vector<Texts>{{}}), Error);
}

}  // namespace
}  // namespace glimpse::metrics
