// glimpse batch: outputs, refusal to overwrite, exit codes.
#include <set>

#include "batch_fixture.h"
#include "image/image.h"

namespace glimpse::testing {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::Not;

class BatchOutputTest : public BatchTest {};

TEST_F(BatchOutputTest, RecordsComeInTheOrderOfTheListWithTheBadAmongThem) {
  add_photos(40, [](int i) { return i % 7 == 3; });
  const ProcessResult result = glimpse({"batch", "photos", "-o", "out.jsonl", "-t", "3"});
  EXPECT_EQ(result.code, 4) << result.errors;
  EXPECT_EQ(result.output, "");
  const std::vector<nlohmann::json> found = records("out.jsonl");
  ASSERT_EQ(found.size(), 40U);
  std::set<std::string> captions;
  for (int i = 0; i < 40; ++i) {
    const nlohmann::json& record = found[static_cast<std::size_t>(i)];
    EXPECT_EQ(record["path"], photo(i));
    if (i % 7 == 3) {
      EXPECT_EQ(record["error"]["code"], "decode");
      continue;
    }
    const ProcessResult alone = i < 8 ? glimpse({"caption", photo(i)}) : ProcessResult();
    if (i < 8) {
      EXPECT_EQ(photo(i) + "\t" + record["caption"].get<std::string>() + "\n", alone.output);
    }
    EXPECT_EQ(record["width"], 48);
    captions.insert(record["caption"]);
  }
  EXPECT_GT(captions.size(), 3U);
  EXPECT_THAT(result.errors, HasSubstr("34 done, 6 failed in "));
  EXPECT_THAT(result.errors, HasSubstr("6 cannot be decoded, the first: cannot decode 'photos/003.ppm'"));
}

TEST_F(BatchOutputTest, TheSameWhateverTheThreads) {
  add_photos(30, [](int i) { return i == 11; });
  std::set<std::string> files;
  for (const char* threads : {"1", "2", "4"}) {
    const std::string file = std::string("out") + threads + ".jsonl";
    EXPECT_EQ(glimpse({"batch", "photos", "-o", file, "-t", threads, "--attention", "-n", "2"}).code, 4);
    files.insert(read_whole(path(file)));
  }
  EXPECT_EQ(files.size(), 1U);
  EXPECT_THAT(*files.begin(), HasSubstr("\"attention\""));
  EXPECT_THAT(*files.begin(), HasSubstr("\"candidates\""));
}

TEST_F(BatchOutputTest, CsvSidecarsCocoResultsAndOverlays) {
  std::filesystem::create_directories(path("photos/deep"));
  add_picture("photos/COCO_val2014_000000000042.ppm", 1);
  add_picture("photos/7.ppm", 2);
  add_picture("photos/deep/photo12.ppm", 3);
  add_picture("photos/deep/7.ppm", 4);
  write_file(path("photos/bad.ppm"), "no picture");
  const ProcessResult result = glimpse({"batch", "-r", "photos", "-o", "out.csv", "--sidecar", "txt", "--coco-results",
                                        "coco.json", "--overlays", "drawn"});
  EXPECT_EQ(result.code, 4) << result.errors;
  const std::string csv = read_whole(path("out.csv"));
  EXPECT_THAT(csv, ::testing::StartsWith("path,width,height,rank,caption,log_prob,score,overlay,model,error\r\n"));
  EXPECT_EQ(line_count("out.csv"), 6U);
  const auto coco = nlohmann::json::parse(read_whole(path("coco.json")));
  ASSERT_EQ(coco.size(), 4U);
  EXPECT_EQ(coco[0]["image_id"], 7);
  EXPECT_EQ(coco[1]["image_id"], 42);
  EXPECT_EQ(coco[3]["image_id"], "photo12");
  const std::string sidecar = read_whole(path("photos/COCO_val2014_000000000042.txt"));
  EXPECT_EQ(sidecar, coco[1]["caption"].get<std::string>() + "\n");
  EXPECT_THAT(csv, HasSubstr(",1," + coco[1]["caption"].get<std::string>() + ","));
  EXPECT_FALSE(std::filesystem::exists(path("photos/bad.txt")));
  for (const char* name : {"7", "7-2", "COCO_val2014_000000000042", "photo12"}) {
    EXPECT_GT(load_image(path("drawn/" + std::string(name) + ".glimpses.png")).width, 0);
  }
  for (const auto& entry : std::filesystem::directory_iterator(path("photos"))) {
    EXPECT_THAT(entry.path().string(), Not(HasSubstr(".tmp"))) << "left behind";
  }
}

TEST_F(BatchOutputTest, AReportHasEveryPictureAndFailure) {
  add_photos(5, [](int i) { return i == 2; });
  const ProcessResult result = glimpse({"batch", "photos", "--report", "report"});
  EXPECT_EQ(result.code, 4) << result.errors;
  EXPECT_THAT(result.errors, HasSubstr("glimpse: error: cannot decode 'photos/002.ppm'")) << "no record holds it";
  EXPECT_TRUE(std::filesystem::exists(path("report/index.html")));
  const ProcessResult again = glimpse({"batch", "photos", "--report", "report"});
  EXPECT_EQ(again.code, 2);
  EXPECT_THAT(again.errors, HasSubstr("'report' has a report already"));
  EXPECT_EQ(glimpse({"batch", "photos", "--report", "report", "--overwrite"}).code, 4);
}

TEST_F(BatchOutputTest, NothingIsOverwrittenUnasked) {
  add_photos(3);
  write_file(path("out.jsonl"), "precious\n");
  write_file(path("coco.json"), "precious");
  for (const std::vector<std::string>& output :
       {std::vector<std::string>{"-o", "out.jsonl"}, std::vector<std::string>{"--coco-results", "coco.json"}}) {
    std::vector<std::string> arguments = {"batch", "photos"};
    arguments.insert(arguments.end(), output.begin(), output.end());
    const ProcessResult result = glimpse(arguments);
    EXPECT_EQ(result.code, 2) << result.errors;
    EXPECT_THAT(result.errors, HasSubstr("'" + output[1] + "' exists already"));
    EXPECT_THAT(result.errors, HasSubstr("--overwrite"));
    EXPECT_THAT(read_whole(path(output[1])), ::testing::StartsWith("precious"));
    arguments.emplace_back("--overwrite");
    EXPECT_EQ(glimpse(arguments).code, 0);
    EXPECT_THAT(read_whole(path(output[1])), Not(HasSubstr("precious")));
  }
}

TEST_F(BatchOutputTest, SidecarsThatAreThereAreKeptSkippedOrReplaced) {
  add_photos(4);
  write_file(path("photos/000.txt"), "precious");
  const ProcessResult first = glimpse({"batch", "photos", "--sidecar", "txt", "-o", "a.jsonl"});
  EXPECT_EQ(first.code, 2) << first.errors;
  EXPECT_THAT(first.errors, HasSubstr("'photos/000.txt' exists already"));
  EXPECT_THAT(first.errors, HasSubstr("--skip-existing"));
  EXPECT_FALSE(std::filesystem::exists(path("a.jsonl"))) << "an empty file would be in the way of the next run";

  std::filesystem::rename(path("photos/000.txt"), path("photos/002.txt"));
  const ProcessResult later = glimpse({"batch", "photos", "--sidecar", "txt", "-o", "a.jsonl"});
  EXPECT_EQ(later.code, 4) << later.errors;
  EXPECT_EQ(records("a.jsonl")[2]["error"]["code"], "io");
  EXPECT_EQ(read_whole(path("photos/002.txt")), "precious");
  EXPECT_NE(read_whole(path("photos/003.txt")), "");

  std::filesystem::remove(path("photos/001.txt"));
  const ProcessResult skipping = glimpse({"batch", "photos", "--sidecar", "txt", "--skip-existing", "-o", "b.jsonl"});
  EXPECT_EQ(skipping.code, 0) << skipping.errors;
  EXPECT_THAT(skipping.errors, HasSubstr("1 done, 3 skipped in "));
  EXPECT_THAT(paths("b.jsonl"), ElementsAre(photo(1)));
  EXPECT_EQ(read_whole(path("photos/002.txt")), "precious");

  EXPECT_EQ(glimpse({"batch", "photos", "--sidecar", "txt", "--overwrite"}).code, 0);
  EXPECT_NE(read_whole(path("photos/002.txt")), "precious");
}

TEST_F(BatchOutputTest, OverlaysThatAreThereAreKeptOrReplaced) {
  add_photos(3);
  std::filesystem::create_directories(path("drawn"));
  write_file(path("drawn/001.glimpses.png"), "precious");
  const ProcessResult later = glimpse({"batch", "photos", "--overlays", "drawn", "-o", "a.jsonl"});
  EXPECT_EQ(later.code, 4) << later.errors;
  EXPECT_THAT(records("a.jsonl")[1]["error"]["message"].get<std::string>(),
              HasSubstr("'drawn/001.glimpses.png' exists"));
  EXPECT_EQ(read_whole(path("drawn/001.glimpses.png")), "precious");
  const ProcessResult first = glimpse({"batch", "photos", "--overlays", "drawn"});
  EXPECT_EQ(first.code, 2) << first.errors;
  EXPECT_THAT(first.errors, HasSubstr("'drawn/000.glimpses.png' exists already"));
  EXPECT_EQ(glimpse({"batch", "photos", "--overlays", "drawn", "--overwrite", "--style", "box"}).code, 0);
  EXPECT_NE(read_whole(path("drawn/001.glimpses.png")), "precious");
}

TEST_F(BatchOutputTest, PicturesOfOneNameDoNotOverwriteEachOthersSidecar) {
  add_picture("a.ppm", 1);
  std::filesystem::copy_file(path("a.ppm"), path("a.pnm"));
  const ProcessResult result = glimpse({"batch", "a.ppm", "a.pnm", "--sidecar", "txt", "-o", "out.jsonl"});
  EXPECT_EQ(result.code, 4);
  EXPECT_THAT(records("out.jsonl")[1]["error"]["message"].get<std::string>(), HasSubstr("'a.txt' exists already"));
}

TEST_F(BatchOutputTest, FailFastStops) {
  add_photos(600, [](int i) { return i == 20; });
  const ProcessResult result = glimpse({"batch", "photos", "-o", "out.jsonl", "--fail-fast", "-t", "2"});
  EXPECT_EQ(result.code, 4) << result.errors;
  EXPECT_THAT(result.errors, HasSubstr("--fail-fast"));
  EXPECT_GT(records("out.jsonl").size(), 20U);
  EXPECT_LT(records("out.jsonl").size(), 200U);
}

TEST_F(BatchOutputTest, ADiskThatIsFullLeavesWholeRecords) {
  add_photos(60);
  ProcessOptions all = options({"batch", "photos", "-o", "out.jsonl", "--attention", "-t", "2"});
  all.wrapper = {"sh", "-c", "ulimit -f 40; trap '' XFSZ; exec \"$@\"", "sh"};
  const ProcessResult result = run_glimpse(all);
  EXPECT_EQ(result.code, 1) << result.errors;
  EXPECT_THAT(result.errors, HasSubstr("cannot write 'out.jsonl': File too large"));
  const std::size_t kept = records("out.jsonl").size();
  EXPECT_GT(kept, 0U);
  EXPECT_LT(kept, 60U);
}

TEST_F(BatchOutputTest, ABenchmarkSaysWhereTheTimeGoes) {
  add_photos(12);
  const ProcessResult result = glimpse({"bench", "pipeline", "photos", "--images", "10", "--repeat", "2", "-t", "2"});
  EXPECT_EQ(result.code, 0) << result.errors;
  EXPECT_THAT(result.output, HasSubstr("10 pictures, 2 workers, batches of 8, median of 2 rounds"));
  EXPECT_THAT(result.output, HasSubstr("the whole run reaches "));
  for (const char* stage : {"list", "read, decode, resize", "encode", "search", "write"}) {
    EXPECT_THAT(result.output, HasSubstr(std::string("\n  ") + stage + "  "));
  }
}

TEST_F(BatchOutputTest, WrongUsageIsSaidClearly) {
  add_photos(1);
  const struct {
    std::vector<std::string> arguments;
    const char* message;
  } cases[] = {
      {{"photos"}, "where should the captions go?"},
      {{"-o", "a.jsonl"}, "no pictures given"},
      {{"photos", "-o", "a.json"}, "end it with .jsonl or .csv"},
      {{"photos", "-o", "a.csv", "--resume"}, "--resume needs -o FILE.jsonl"},
      {{"photos", "-o", "a.jsonl", "--resume", "--overwrite"}, "exclude each other"},
      {{"photos", "-o", "a.jsonl", "--skip-existing"}, "give --sidecar EXT too"},
      {{"photos", "-o", "a.csv", "--attention"}, "--attention needs"},
      {{"photos", "-o", "a.jsonl", "--style", "box"}, "give --overlays FOLDER too"},
      {{"photos", "--sidecar", "jpg"}, "would be the name of a picture"},
      {{"photos", "--sidecar", "a/b"}, "takes an extension"},
      {{"photos", "-o", "a.jsonl", "--ext", "*.jpg"}, "--ext takes extensions"},
      {{"photos", "-o", "a.jsonl", "--shard", "5/4"}, "share 5 of 4"},
      {{"photos", "-o", "a.jsonl", "--shard", "0/4"}, "I goes from 1 to N"},
      {{"photos", "-o", "a.jsonl", "--shard", "x"}, "--shard takes I/N"},
      {{"photos", "-o", "a.jsonl", "--require", "zebra"}, "zebra"},
      {{"photos", "-o", "gone/a.jsonl"}, "gone/a.jsonl"},
  };
  for (const auto& c : cases) {
    std::vector<std::string> arguments = {"batch"};
    arguments.insert(arguments.end(), c.arguments.begin(), c.arguments.end());
    const ProcessResult result = glimpse(arguments);
    EXPECT_EQ(result.code, std::string(c.message) == "gone/a.jsonl" ? 1 : 2) << c.message << result.errors;
    EXPECT_THAT(result.errors, HasSubstr(c.message));
    EXPECT_FALSE(std::filesystem::exists(path("a.jsonl"))) << c.message;
  }
}

}  // namespace
}  // namespace glimpse::testing
