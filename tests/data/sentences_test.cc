#include "data/sentences.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <zlib.h>

#include <fstream>
#include <string>
#include <vector>

#include "core/error.h"
#include "core/random.h"
#include "support/paths.h"

namespace glimpse::train {
namespace {

using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

class SentencesTest : public ::testing::Test {
 protected:
  std::vector<std::string> read(const std::string& content) const {
    const std::filesystem::path path = scratch_.path() / "lines";
    std::ofstream(path, std::ios::binary) << content;
    std::vector<std::string> lines;
    read_sentences(path, [&](std::string_view line) { lines.emplace_back(line); });
    return lines;
  }

  Error error_of(const std::string& content) const {
    try {
      read(content);
    } catch (const Error& error) {
      return error;
    }
    ADD_FAILURE() << "nothing was thrown";
    return {ErrorCode::kInternal, ""};
  }

  std::string gzip(const std::string& text) const {
    const std::string path = (scratch_.path() / "packed").string();
    gzFile file = gzopen(path.c_str(), "wb");
    gzwrite(file, text.data(), static_cast<unsigned>(text.size()));
    gzclose(file);
    std::ifstream stream(path, std::ios::binary);
    return {std::istreambuf_iterator<char>(stream), {}};
  }

  glimpse::testing::ScratchFolder scratch_;
};

TEST_F(SentencesTest, LinesWithoutTheirEndsAndWithoutEmptyOnes) {
  EXPECT_THAT(read("A dog runs.\n\n  \t\r\na cat\r\n last"), ElementsAre("A dog runs.", "a cat", " last"));
  EXPECT_THAT(read(""), ElementsAre());
  EXPECT_THAT(read("\n"), ElementsAre());
}

TEST_F(SentencesTest, CompressedTextGivesTheSameLines) {
  Random random(1);
  std::string text;
  for (int i = 0; i < 30'000; ++i) {
    for (std::uint64_t k = random.below(30); k > 0; --k) text += static_cast<char>('a' + random.below(26));
    text += '\n';
  }
  const std::vector<std::string> expected = read(text);
  ASSERT_GT(text.size(), 300'000U) << "too little for several pieces";
  EXPECT_EQ(read(gzip(text)), expected);
  const std::string half = text.substr(0, text.size() / 2);
  EXPECT_EQ(read(gzip(half) + gzip("") + gzip(text.substr(half.size()))), expected) << "several members";
  EXPECT_THAT(read(gzip("")), ElementsAre());
}

TEST_F(SentencesTest, DamagedCompressedDataIsAnError) {
  const std::string packed = gzip(std::string(1000, 'x') + "\nsecond\n");
  std::string flipped = packed;
  flipped[flipped.size() - 6] = static_cast<char>(flipped[flipped.size() - 6] ^ 1);  // in the checksum
  for (const std::string& bad : {packed.substr(0, packed.size() - 1), packed.substr(0, 12), flipped, packed + "x"}) {
    const Error error = error_of(bad);
    EXPECT_EQ(error.code(), ErrorCode::kIo);
    EXPECT_THAT(error.what(), AllOf(HasSubstr("lines'"), HasSubstr("damaged or cut short")));
  }
}

TEST_F(SentencesTest, LinesAreBounded) {
  const std::string longest(std::size_t{64} << 10, 'a');
  EXPECT_THAT(read("x\n" + longest + "\n"), ElementsAre("x", longest));
  for (const std::string& text : {"x\n" + longest + "a\n", gzip("x\n" + std::string(100'000'000, 'a'))}) {
    const Error error = error_of(text);
    EXPECT_EQ(error.code(), ErrorCode::kTooLarge);
    EXPECT_THAT(error.what(), HasSubstr("line 2 is longer"));
  }
}

TEST_F(SentencesTest, AFileThatIsNotThereIsMissing) {
  EXPECT_THROW(read_sentences(scratch_.path() / "none", [](std::string_view) {}), Error);
}

TEST_F(SentencesTest, ReadsCocosSentences) {
  GLIMPSE_REQUIRE_SHARED("data/coco_sentences.txt.gz");
  int lines = 0;
  read_sentences(glimpse::testing::shared_path("data/coco_sentences.txt.gz"), [&](std::string_view) { ++lines; });
  EXPECT_EQ(lines, 152'634);
}

}  // namespace
}  // namespace glimpse::train
