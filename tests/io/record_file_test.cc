#include "io/record_file.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "support/paths.h"

namespace glimpse::io {
namespace {

using ::testing::ElementsAre;

TEST(RecordFile, ANewFileThatWasNeverWrittenToGoesAway) {
  const testing::ScratchFolder folder;
  const std::filesystem::path file = folder.path() / "a.jsonl";
  { const RecordFile records(file, RecordFile::Start::kNew); }
  EXPECT_FALSE(std::filesystem::exists(file));
  {
    RecordFile records(file, RecordFile::Start::kNew);
    records.finish();
  }
  EXPECT_TRUE(std::filesystem::exists(file)) << "a run without pictures has an empty file";
  {
    RecordFile records(file, RecordFile::Start::kReplace);
    records.append("a\nb\n");
  }
  std::vector<std::string> lines;
  RecordFile records(file, RecordFile::Start::kContinue, [&](std::string_view line, std::size_t number) {
    lines.push_back(std::to_string(number) + std::string(line));
    return true;
  });
  EXPECT_THAT(lines, ElementsAre("1a", "2b"));
}

}  // namespace
}  // namespace glimpse::io
