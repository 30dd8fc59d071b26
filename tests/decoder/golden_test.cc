// Golden captions of two trained models, computed by an independent program in another framework: word for word, with
// their log-probabilities, alphas and gates. The first photo's features are golden too, so that this does not depend on
// the encoder; the other photos are captioned from the picture on in tests/pipeline.

#include <gtest/gtest.h>

#include "decoder/decoder.h"
#include "decoder/vocabulary.h"
#include "model/model.h"
#include "search/search.h"
#include "support/golden.h"
#include "support/npy.h"
#include "support/paths.h"

namespace glimpse {
namespace {

/// [1, D, rows, cols] → [cells, D].
Tensor cells_last(const Tensor& map) {
  const std::int64_t channels = map.dim(1);
  const std::int64_t cells = map.dim(2) * map.dim(3);
  Tensor result(Shape{cells, channels});
  for (std::int64_t c = 0; c < channels; ++c) {
    for (std::int64_t i = 0; i < cells; ++i) result.data()[i * channels + c] = map.data()[c * cells + i];
  }
  return result;
}

class GoldenDecoder : public ::testing::TestWithParam<const char*> {};

TEST_P(GoldenDecoder, CaptionsOfTheFirstPhoto) {
  const std::string folder = std::string("models/") + GetParam();
  GLIMPSE_REQUIRE_SHARED(folder + "/golden/golden.json");
  const Model model = Model::load(testing::shared_path(folder));
  const ModelConfig& config = model.config();
  const Vocabulary vocabulary(config.vocabulary);
  const Decoder decoder(config.decoder, model.weights(), config.grid(), vocabulary.size());
  const Tensor features = cells_last(testing::read_npy(testing::shared_path(folder + "/golden/features_0.npy")));
  const testing::GoldenPhoto golden =
      testing::read_golden(testing::shared_path(folder + "/golden/golden.json")).front();
  ASSERT_EQ(golden.searches.size(), 6U);
  for (const testing::GoldenSearch& expected : golden.searches) {
    search::SearchOptions options = testing::golden_options(expected);
    DecoderSession session(decoder, 1, search::rows_needed(options));
    session.prepare(features.values(), 1);
    std::vector<testing::FoundCaption> found;
    for (const auto& hypotheses : search::search(session, options)) {
      for (const search::Hypothesis& hypothesis : hypotheses) {
        EXPECT_TRUE(hypothesis.ended);
        found.push_back({vocabulary.decode(hypothesis.words),
                         hypothesis.log_prob,
                         {hypothesis.log_probs.begin(), hypothesis.log_probs.end()},
                         {hypothesis.gates.begin(), hypothesis.gates.end()},
                         hypothesis.alphas});
      }
    }
    testing::expect_golden(found, expected, golden.image + " " + expected.key);
    if (expected.key == "3@0.7") testing::expect_golden_glimpses(found.front(), golden);
  }
}

INSTANTIATE_TEST_SUITE_P(Models, GoldenDecoder, ::testing::Values("glimpse-seed", "teacher-sat"),
                         [](const auto& info) { return info.index == 0 ? "seed" : "teacher"; });

}  // namespace
}  // namespace glimpse
