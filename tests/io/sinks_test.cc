// Sinks that write files, given results as a run gives them.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <fstream>
#include <iterator>

#include "io/coco_file.h"
#include "io/overlay_sink.h"
#include "io/record_sink.h"
#include "io/sidecar_sink.h"
#include "support/paths.h"

namespace glimpse::io {
namespace {

namespace fs = std::filesystem;
using ::testing::HasSubstr;

class SinksTest : public ::testing::Test {
 protected:
  fs::path path(const std::string& name) const { return folder_.path() / name; }

  std::string content(const std::string& name) const {
    std::ifstream stream(path(name), std::ios::binary);
    return {std::istreambuf_iterator<char>(stream), {}};
  }

  BatchResult captioned(const std::string& name) const {
    BatchResult result;
    result.path = path(name).native();
    result.outcome = std::vector<Caption>{{"a dog", -1, -1, {}}};
    return result;
  }

  static RecordLayout layout(const std::string& model) {
    RecordLayout layout;
    layout.model = model;
    return layout;
  }

  /// What a run does with a picture, but for the drawing. Whether sinks after this one would hear of it.
  static bool pass(PictureSink& sink, BatchResult& result) {
    BatchInput input{.path = result.path};
    const std::unique_ptr<PictureTask> task = sink.plan(input);
    if (task == nullptr) return false;
    if (input.error) result.outcome = *input.error;
    return task->deliver(result);
  }

  testing::ScratchFolder folder_;
};

TEST_F(SinksTest, RecordsOfAnEarlierRunAreGoneOnWith) {
  BatchResult result = captioned("a.jpg");
  {
    RecordFileSink sink(path("r.jsonl"), RecordFile::Start::kNew, Format::kJson, layout("m"));
    pass(sink, result);
    sink.finish();
  }
  int earlier = 0;
  RecordFileSink sink(path("r.jsonl"), RecordFile::Start::kContinue, Format::kJson, layout("m"),
                      [&](const EarlierRecord& record) { earlier += record.failed ? 0 : 1; });
  EXPECT_EQ(earlier, 1);
  EXPECT_FALSE(sink.was_done(path("b.jpg")));
  EXPECT_TRUE(sink.was_done(result.path));
  EXPECT_FALSE(sink.was_done(result.path)) << "there is one record of it";
  try {
    RecordFileSink(path("r.jsonl"), RecordFile::Start::kContinue, Format::kJson, layout("n"));
    FAIL();
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ErrorCode::kUsage);
  }
}

TEST_F(SinksTest, AFileOfRecordsWithoutAnyHasItsHeader) {
  RecordFileSink sink(path("r.csv"), RecordFile::Start::kNew, Format::kCsv, layout("m"));
  EXPECT_EQ(content("r.csv"), "");
  sink.finish();
  EXPECT_THAT(content("r.csv"), ::testing::StartsWith("path,width"));
}

TEST_F(SinksTest, SidecarsThatAreThereAreLeftReplacedOrSkipped) {
  std::ofstream(path("a.txt")) << "mine";
  BatchResult result = captioned("a.jpg");
  SidecarSink careful(".txt", {});
  EXPECT_THROW(pass(careful, result), Error);

  SidecarSink later(".txt", {});
  BatchResult first = captioned("b.jpg");
  EXPECT_TRUE(pass(later, first));
  EXPECT_EQ(content("b.txt"), "a dog\n");
  EXPECT_TRUE(pass(later, result));
  ASSERT_NE(result.error(), nullptr) << "one that is not the first fails alone";
  EXPECT_EQ(result.error()->code(), ErrorCode::kIo);
  EXPECT_THAT(result.error()->what(), HasSubstr("--skip-existing leaves out"));

  result = captioned("a.jpg");
  SidecarSink skipping(".txt", {.skip = true});
  EXPECT_FALSE(pass(skipping, result));
  EXPECT_EQ(skipping.take_skipped(), 1U);
  EXPECT_EQ(content("a.txt"), "mine");

  SidecarSink replacing(".txt", {.replace = true});
  EXPECT_TRUE(pass(replacing, result));
  EXPECT_EQ(content("a.txt"), "a dog\n");
}

TEST_F(SinksTest, FailuresHaveNoPlaceInCocoResults) {
  CocoFile sink(path("coco.json"), false);
  BatchResult good = captioned("000000000042.jpg");
  BatchResult bad;
  bad.path = "x.jpg";
  bad.outcome = Error(ErrorCode::kDecode, "no picture");
  pass(sink, good);
  pass(sink, bad);
  sink.finish();
  EXPECT_EQ(content("coco.json"), "[{\"image_id\":42,\"caption\":\"a dog\"}]\n");
}

TEST_F(SinksTest, OverlaysAreNamedWhenTheyAreListed) {
  OverlaySink sink(folder_.path(), {}, {.rows = 1, .cols = 1, .captions = 1, .existing = {.replace = true}});
  sink.pass("one/photo.jpg");  // done by an earlier run
  BatchInput input{.path = "two/photo.jpg"};
  const std::unique_ptr<PictureTask> task = sink.plan(input);
  Image picture(64, 48);
  std::fill_n(picture.row(0), 64 * 48 * 3, std::uint8_t{90});
  ViewTransform transform;
  transform.source_width = transform.input_width = 64;
  transform.source_height = transform.input_height = 48;
  Caption caption{"dog", -1, -1, {}};
  caption.glimpses.push_back({"dog", -1, 1, {1.0F}, {0, 0, 64, 48}});
  BatchResult result;
  task->draw({input.path, picture, transform, {&caption, 1}}, result);
  ASSERT_EQ(result.files.size(), 1U);
  EXPECT_EQ(result.files[0].at(0), path("photo-2.glimpses.png").native());
  EXPECT_TRUE(fs::exists(path("photo-2.glimpses.png")));
}

}  // namespace
}  // namespace glimpse::io
