#include "eval/set_run.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>

#include "eval/set_scores.h"
#include "support/paths.h"
#include "support/tiny_model.h"

namespace glimpse::eval {
namespace {

using ::testing::HasSubstr;

/// Five pictures, of which the third is none.
class SetRunTest : public ::testing::Test {
 protected:
  SetRunTest() {
    for (int i = 0; i < 5; ++i) {
      train::CaptionedPicture& picture = set_.pictures.emplace_back();
      picture.file = folder_.path() / (std::to_string(i) + ".ppm");
      picture.id = std::to_string(i);
      picture.captions = {"a dog"};
      picture.tokens = {{"a", "dog"}};
      std::ofstream stream(picture.file, std::ios::binary);
      if (i == 2) continue;
      stream << "P6 40 30 255\n";
      for (int byte = 0; byte < 40 * 30 * 3; ++byte) stream << static_cast<char>(byte * (i + 3) % 251);
    }
  }

  static const Captioner& captioner() {
    static const Captioner kCaptioner = [] {
      CaptionerOptions options;
      options.batch = 2;
      options.threads = 2;
      options.tuning = dnn::Tuning::kDirect;
      return Captioner(testing::tiny_model(), options);
    }();
    return kCaptioner;
  }

  testing::ScratchFolder folder_;
  train::CaptionedSet set_;
};

TEST_F(SetRunTest, PicturesKeepTheirPlacesAndFailuresAreTold) {
  std::vector<std::string> errors;
  int advanced = 0;
  SetEvents events;
  events.failed = [&](const Error& error) { errors.emplace_back(error.what()); };
  events.advanced = [&] { ++advanced; };
  std::size_t cells_seen = 0;
  const auto listener = [&](const io::CaptionResult&, const Caption& caption, std::span<const Rect> cells) {
    ASSERT_EQ(cells.size(), caption.glimpses.front().alpha.size());
    EXPECT_LE(cells.back().x + cells.back().width, 40 + 1e-6);
    cells_seen += cells.size();
  };
  const SetCaptions made = caption_set(set_.pictures, captioner(), {}, events, {}, listener);
  ASSERT_EQ(made.captions.size(), 4U);
  EXPECT_EQ(made.captions[1].picture, 1U);
  EXPECT_EQ(made.captions[2].picture, 3U);
  EXPECT_EQ(made.failed, 1);
  EXPECT_EQ(advanced, 5);
  EXPECT_GT(cells_seen, 0U);
  ASSERT_EQ(errors.size(), 1U);
  EXPECT_THAT(errors[0], HasSubstr("2.ppm"));
}

TEST_F(SetRunTest, AfterAStopThereAreNoScores) {
  std::stop_source stop;
  stop.request_stop();
  const Evaluation stopped = evaluate(set_, set_, captioner(), {}, {}, stop.get_token());
  EXPECT_TRUE(stopped.made.captions.empty());
  EXPECT_FALSE(stopped.scores);
  const Evaluation whole = evaluate(set_, set_, captioner(), {});
  ASSERT_TRUE(whole.scores);
  EXPECT_EQ(whole.scores->scores.images, 4U);
}

}  // namespace
}  // namespace glimpse::eval
