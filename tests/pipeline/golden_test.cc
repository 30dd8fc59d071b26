// From picture files to the golden captions of two trained models: words, log-probabilities, alphas and gates; alone
// and in one batch.

#include <gtest/gtest.h>

#include "image/image.h"
#include "pipeline/captioner.h"
#include "support/golden.h"
#include "support/paths.h"

namespace glimpse {
namespace {

std::vector<testing::FoundCaption> convert(const std::vector<Caption>& captions) {
  std::vector<testing::FoundCaption> found;
  for (const Caption& caption : captions) {
    testing::FoundCaption next;
    next.text = caption.text;
    next.log_prob = caption.log_prob;
    for (const Glimpse& glimpse : caption.glimpses) {
      next.log_probs.push_back(glimpse.log_prob);
      next.gates.push_back(glimpse.beta);
      next.alphas.push_back(glimpse.alpha);
    }
    found.push_back(next);
  }
  return found;
}

class GoldenPhotos : public ::testing::TestWithParam<const char*> {
 protected:
  /// All photos, `batch` at a time, with every search that there are golden captions of.
  void compare(int batch, const std::string& only_search = "") {
    const std::string folder = std::string("models/") + GetParam();
    GLIMPSE_REQUIRE_SHARED(folder + "/golden/golden.json");
    const std::vector<testing::GoldenPhoto> golden =
        testing::read_golden(testing::shared_path(folder + "/golden/golden.json"));
    ASSERT_EQ(golden.size(), 20U);
    std::vector<Image> photos;
    for (const testing::GoldenPhoto& photo : golden) {
      photos.push_back(load_image(testing::shared_path("models/golden-photos/" + photo.image)));
    }
    CaptionerOptions options;
    options.batch = batch;
    options.tuning = dnn::Tuning::kDirect;
    const Captioner captioner(Model::load(testing::shared_path(folder)), options);
    for (std::size_t s = 0; s < golden.front().searches.size(); ++s) {
      const std::string key = golden.front().searches[s].key;
      if (!only_search.empty() && key != only_search) continue;
      CaptionOptions search;
      search.search = testing::golden_options(golden.front().searches[s]);
      CaptionSession session(captioner, search);
      const auto count = static_cast<std::size_t>(batch);
      for (std::size_t first = 0; first < photos.size(); first += count) {
        const auto some = std::span<const Image>(photos).subspan(first, std::min(count, photos.size() - first));
        const std::vector<std::vector<Caption>> captions = session.caption(some);
        for (std::size_t i = 0; i < captions.size(); ++i) check(captions[i], golden[first + i], s);
      }
    }
  }

 private:
  static void check(const std::vector<Caption>& captions, const testing::GoldenPhoto& golden, std::size_t search) {
    const testing::GoldenSearch& expected = golden.searches[search];
    const std::vector<testing::FoundCaption> found = convert(captions);
    testing::expect_golden(found, expected, golden.image + " " + expected.key);
    if (expected.key == "3@0.7" && !golden.alphas.empty()) testing::expect_golden_glimpses(found.front(), golden);
  }
};

TEST_P(GoldenPhotos, InBatchesOfSixteen) { compare(16); }
TEST_P(GoldenPhotos, OneByOne) { compare(1, "3@0.7"); }

INSTANTIATE_TEST_SUITE_P(Models, GoldenPhotos, ::testing::Values("glimpse-seed", "teacher-sat"),
                         [](const auto& info) { return info.index == 0 ? "seed" : "teacher"; });

}  // namespace
}  // namespace glimpse
