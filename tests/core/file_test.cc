#include "core/file.h"

#include <gtest/gtest.h>
#include <sys/stat.h>

#include <fstream>

#include "core/error.h"
#include "support/paths.h"

namespace glimpse {
namespace {

ErrorCode code_of(const std::function<void()>& body) {
  try {
    body();
  } catch (const Error& error) {
    return error.code();
  }
  ADD_FAILURE() << "nothing was thrown";
  return ErrorCode::kInternal;
}

void write(const std::filesystem::path& path, std::string_view content) {
  std::ofstream(path, std::ios::binary) << content;
}

TEST(ReadFile, ReadsAllBytesAndNoMoreThanAllowed) {
  const testing::ScratchFolder scratch;
  const auto path = scratch.path() / "a";
  write(path, std::string("x\0y", 3));
  EXPECT_EQ(read_file(path, 3), std::string("x\0y", 3));
  EXPECT_EQ(code_of([&] { read_file(path, 2); }), ErrorCode::kTooLarge);
}

TEST(ReadFile, RefusesWhatIsNotAFile) {
  const testing::ScratchFolder scratch;
  EXPECT_EQ(code_of([&] { read_file(scratch.path() / "none", 9); }), ErrorCode::kMissing);
  EXPECT_EQ(code_of([&] { read_file(scratch.path(), 9); }), ErrorCode::kIo);
  const auto pipe = scratch.path() / "pipe";
  ASSERT_EQ(mkfifo(pipe.c_str(), 0600), 0);
  EXPECT_EQ(code_of([&] { read_file(pipe, 9); }), ErrorCode::kIo) << "and it must not wait for a writer";
  EXPECT_EQ(code_of([&] { MappedFile("/dev/zero"); }), ErrorCode::kIo);
}

TEST(MappedFile, MapsEmptyFilesAndMoves) {
  const testing::ScratchFolder scratch;
  write(scratch.path() / "empty", "");
  write(scratch.path() / "full", "abc");
  EXPECT_TRUE(MappedFile(scratch.path() / "empty").bytes().empty());
  MappedFile first(scratch.path() / "full");
  const MappedFile second = std::move(first);
  ASSERT_EQ(second.bytes().size(), 3U);
  EXPECT_EQ(second.bytes()[2], std::byte{'c'});
}

TEST(WriteAtomically, ReplacesWholeOrNotAtAll) {
  const testing::ScratchFolder scratch;
  const auto path = scratch.path() / "file";
  write_atomically(path, [](std::ostream& out) { out << "first"; });
  EXPECT_EQ(read_file(path, 100), "first");
  EXPECT_THROW(write_atomically(path,
                                [](std::ostream& out) {
                                  out << "half";
                                  throw std::runtime_error("stop");
                                }),
               std::runtime_error);
  EXPECT_EQ(read_file(path, 100), "first");
  const auto entries = std::distance(std::filesystem::directory_iterator(scratch.path()), {});
  EXPECT_EQ(entries, 1) << "a temporary file was left behind";
}

TEST(WriteAtomically, WorksForTheLongestNamesAndNamesMissingFolders) {
  const testing::ScratchFolder scratch;
  const auto path = scratch.path() / std::string(255, 'n');
  write_atomically(path, [](std::ostream& out) { out << "x"; });
  EXPECT_EQ(read_file(path, 100), "x");
  EXPECT_EQ(code_of([&] { write_atomically(scratch.path() / "no" / "f", [](std::ostream&) {}); }), ErrorCode::kMissing);
}

}  // namespace
}  // namespace glimpse
