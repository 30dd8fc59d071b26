// Inputs of glimpse batch: folders, recursion, extensions, shards, archives.
#include <cstdlib>

#include "batch_fixture.h"

namespace glimpse::testing {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

class BatchInputsTest : public BatchTest {
 protected:
  std::vector<std::string> listed(std::vector<std::string> arguments, const std::string& input = "", int code = 0) {
    arguments.insert(arguments.begin(), "batch");
    for (const char* more : {"-o", "out.jsonl", "--overwrite", "-t", "1"}) arguments.emplace_back(more);
    const ProcessResult result = glimpse_with_input(arguments, input);
    EXPECT_EQ(result.code, code) << result.errors;
    return paths("out.jsonl");
  }
};

TEST_F(BatchInputsTest, FoldersAreLookedThroughToTheBottomWhereAsked) {
  for (const char* folder : {"p/b/deep", "p/a", "p/.hidden", "p/empty"}) {
    std::filesystem::create_directories(path(folder));
  }
  for (const char* name : {"p/z.ppm", "p/b/deep/1.ppm", "p/b/2.PPM", "p/a/3.pgm", "p/.hidden/4.ppm"}) {
    add_picture(name);
  }
  std::filesystem::create_directory_symlink("../../p", path("p/a/loop"));
  EXPECT_THAT(listed({"p"}), ElementsAre("p/z.ppm"));
  EXPECT_THAT(listed({"-r", "p"}), ElementsAre("p/z.ppm", "p/a/3.pgm", "p/b/2.PPM", "p/b/deep/1.ppm"));
  EXPECT_THAT(listed({"-r", "p", "--ext", "pgm,.Jpg"}), ElementsAre("p/a/3.pgm"));
  EXPECT_THAT(listed({"-r", "p/[ab]"}), ElementsAre("p/a/3.pgm", "p/b/2.PPM", "p/b/deep/1.ppm"));
  EXPECT_THAT(listed({"-r", "-", "p/z.ppm"}, "p/b\np/a/3.pgm\n"),
              ElementsAre("p/b/2.PPM", "p/b/deep/1.ppm", "p/a/3.pgm", "p/z.ppm"));
  EXPECT_THAT(listed({"-r", "p/empty", "p/a"}, "", 4), ElementsAre("p/empty", "p/a/3.pgm"));
  EXPECT_THAT(records("out.jsonl")[0]["error"]["message"].get<std::string>(), HasSubstr("or below it"));
}

TEST_F(BatchInputsTest, SharesPartitionTheList) {
  add_photos(60);
  std::vector<std::string> all;
  for (int share = 1; share <= 3; ++share) {
    const std::vector<std::string> part = listed({"photos", "--shard", std::to_string(share) + "/3"});
    EXPECT_GT(part.size(), 8U) << "shares of about 20 were expected";
    EXPECT_TRUE(std::is_sorted(part.begin(), part.end()));
    all.insert(all.end(), part.begin(), part.end());
  }
  std::sort(all.begin(), all.end());
  EXPECT_EQ(all, listed({"photos"}));
}

TEST_F(BatchInputsTest, TheEnvironmentSaysWhichShare) {
  add_photos(30);
  const auto with = [&](const std::string& shard, std::vector<std::pair<std::string, std::string>> environment) {
    ProcessOptions all = options({"batch", "photos", "-o", "out.jsonl", "--overwrite", "--shard", shard});
    for (const char* name :
         {"SLURM_ARRAY_TASK_ID", "SLURM_ARRAY_TASK_COUNT", "SLURM_ARRAY_TASK_MIN", "SLURM_ARRAY_TASK_STEP",
          "OMPI_COMM_WORLD_RANK", "OMPI_COMM_WORLD_SIZE", "JOB_COMPLETION_INDEX", "JOB_COMPLETIONS"}) {
      all.environment.emplace_back(name, "");
    }
    all.environment.insert(all.environment.end(), environment.begin(), environment.end());
    return run_glimpse(all);
  };
  const std::vector<std::string> second = listed({"photos", "--shard", "2/3"});
  const struct {
    std::string shard;
    std::vector<std::pair<std::string, std::string>> environment;
  } cases[] = {
      {"auto",
       {{"SLURM_ARRAY_TASK_ID", "12"},
        {"SLURM_ARRAY_TASK_MIN", "10"},
        {"SLURM_ARRAY_TASK_STEP", "2"},
        {"SLURM_ARRAY_TASK_COUNT", "3"}}},
      {"auto", {{"OMPI_COMM_WORLD_RANK", "1"}, {"OMPI_COMM_WORLD_SIZE", "3"}}},
      {"auto", {{"JOB_COMPLETION_INDEX", "1"}, {"JOB_COMPLETIONS", "3"}}},
      {"auto/3", {{"JOB_COMPLETION_INDEX", "1"}}},
  };
  for (const auto& c : cases) {
    const ProcessResult result = with(c.shard, c.environment);
    EXPECT_EQ(result.code, 0) << result.errors;
    EXPECT_EQ(paths("out.jsonl"), second) << c.environment[0].first;
  }
  EXPECT_THAT(with("auto", {}).errors, HasSubstr("finds none of SLURM_ARRAY_TASK_ID"));
  EXPECT_THAT(with("auto", {{"JOB_COMPLETION_INDEX", "1"}}).errors, HasSubstr("JOB_COMPLETIONS is not set"));
  EXPECT_THAT(with("auto", {{"OMPI_COMM_WORLD_RANK", "x"}}).errors, HasSubstr("which is no number"));
}

class ArchivesTest : public BatchInputsTest {};

TEST_F(ArchivesTest, MembersThatArePicturesAreCaptionedAsFilesAre) {
  add_photos(20);
  std::string tar = tar_member("meta.json", "{}") + tar_member("folder/", "");
  for (int i = 0; i < 20; ++i) tar += tar_member(photo(i), read_whole(path(photo(i)))) + tar_member("note.txt", "x");
  write_file(path("s.tar"), tar + tar_end());
  const std::vector<std::string> found = listed({"s.tar"});
  ASSERT_EQ(found.size(), 20U);
  const std::vector<nlohmann::json> from_archive = records("out.jsonl");
  listed({"photos"});
  const std::vector<nlohmann::json> from_files = records("out.jsonl");
  for (std::size_t i = 0; i < 20; ++i) {
    EXPECT_EQ(found[i], "s.tar/" + photo(static_cast<int>(i)));
    nlohmann::json renamed = from_archive[i];
    renamed["path"] = from_files[i]["path"];
    EXPECT_EQ(renamed, from_files[i]);
  }
  EXPECT_THAT(listed({"s.tar", "--ext", "txt"}, "", 4), ::testing::Contains("s.tar/note.txt"));
}

TEST_F(ArchivesTest, CompressedOnesAreReadToo) {
  write_file(path("s.tar"), tar_member("a.ppm", stripes(20, 20)) + tar_end());
  for (const char* program : {"gzip", "bzip2", "zstd -q"}) {
    const std::string suffix = program[0] == 'g' ? ".gz" : program[0] == 'b' ? ".bz2" : ".zst";
    const std::string command = "cd '" + path("").string() + "' && " + program + " -c < s.tar > t.tar" + suffix;
    if (std::system((command + " 2> errors").c_str()) != 0) continue;  // not installed here
    EXPECT_THAT(listed({"t.tar" + suffix}), ElementsAre("t.tar" + suffix + "/a.ppm"));
  }
}

TEST_F(ArchivesTest, ATruncatedOneIsAFailureAndTheRestGoesOn) {
  add_photos(1);
  std::string tar;
  for (int i = 0; i < 3; ++i) tar += tar_member("m" + std::to_string(i) + ".ppm", stripes(40, 40, i));
  for (const std::size_t cut : {tar.size() - 700, tar.size() / 3 * 2 + 100, std::size_t{300}, std::size_t{0}}) {
    SCOPED_TRACE(cut);
    write_file(path("cut.tar"), tar.substr(0, cut));
    const std::vector<std::string> found = listed({"cut.tar", "photos"}, "", cut == 0 ? 0 : 4);
    ASSERT_FALSE(found.empty());
    EXPECT_EQ(found.back(), photo(0)) << "the rest goes on";
    const std::vector<nlohmann::json> all = records("out.jsonl");
    int failures = 0;
    for (const nlohmann::json& record : all) {
      if (!record.contains("error")) continue;
      ++failures;
      EXPECT_EQ(record["error"]["code"], "decode");
      EXPECT_THAT(record["error"]["message"].get<std::string>(), HasSubstr("cut.tar"));
    }
    EXPECT_EQ(failures, cut == 0 ? 0 : 1);
    EXPECT_EQ(all.size(), cut > 9000 ? 4U : cut > 0 ? 2U : 1U);
  }
}

TEST_F(ArchivesTest, HeadersThatLieCostNothing) {
  const std::string good = tar_member("good.ppm", stripes(16, 16));
  write_file(path("lie.tar"), tar_member("huge.ppm", "P6", 8'000'000'000) + good + tar_end());
  EXPECT_THAT(listed({"lie.tar"}, "", 4), ::testing::Contains("lie.tar/huge.ppm"));
  EXPECT_EQ(records("out.jsonl")[0]["error"]["code"], "too-large");
  write_file(path("noise.tar"), std::string(5000, 'x'));
  EXPECT_THAT(listed({"noise.tar"}, "", 4), ElementsAre("noise.tar"));
  EXPECT_EQ(records("out.jsonl")[0]["error"]["code"], "decode");
  EXPECT_THAT(listed({"gone.tar"}, "", 4), ElementsAre("gone.tar"));
  EXPECT_EQ(records("out.jsonl")[0]["error"]["code"], "missing");
  std::filesystem::create_directories(path("folder.tar"));
  add_picture("folder.tar/a.ppm");
  EXPECT_THAT(listed({"folder.tar"}), ElementsAre("folder.tar/a.ppm")) << "it is a folder";
}

TEST_F(ArchivesTest, OverlaysAndReportsAreDrawnButSidecarsHaveNoPlace) {
  write_file(path("s.tar"), tar_member("x/a.ppm", stripes(20, 20)) + tar_end());
  EXPECT_EQ(glimpse({"batch", "s.tar", "--overlays", "drawn", "--report", "report"}).code, 0);
  EXPECT_TRUE(std::filesystem::exists(path("drawn/a.glimpses.png")));
  const ProcessResult result = glimpse({"batch", "s.tar", "--sidecar", "txt"});
  EXPECT_EQ(result.code, 2);
  EXPECT_THAT(result.errors, HasSubstr("'s.tar/x/a.ppm'"));
}

}  // namespace
}  // namespace glimpse::testing
