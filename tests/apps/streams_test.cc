// Ctrl-C, closed pipes, full disks.
#include <algorithm>
#include <chrono>
#include <csignal>
#include <thread>

#include "fixture.h"

namespace glimpse::testing {
namespace {

using ::testing::HasSubstr;
using ::testing::StartsWith;

class StreamsTest : public AppTest {
 protected:
  StreamsTest() { add_picture("a.ppm"); }
};

class StreamsSignalTest : public StreamsTest, public ::testing::WithParamInterface<int> {};

TEST_P(StreamsSignalTest, EndsWithWholeRecordsAndCode130) {
  Process process(options({"caption", "-"}));
  process.write("a.ppm\n");
  EXPECT_THAT(process.read_line(), StartsWith("a.ppm\t"));
  process.send(GetParam());
  // Standard input stays open: waiting for it must end too.
  EXPECT_EQ(process.read_line(), "");
  const ProcessResult result = process.finish();
  EXPECT_EQ(result.code, 130);
  EXPECT_THAT(result.errors, HasSubstr("interrupted after 1 picture;"));
}

INSTANTIATE_TEST_SUITE_P(Signals, StreamsSignalTest, ::testing::Values(SIGINT, SIGTERM));

TEST_F(StreamsTest, ABatchWorksOnAListThatIsStillBeingWritten) {
  using namespace std::chrono_literals;
  Process process(options({"batch", "-", "-o", "out.jsonl"}));
  const auto records = [&] {
    const std::string text = std::filesystem::exists(path("out.jsonl")) ? read_file(path("out.jsonl"), 1'000'000) : "";
    return std::ranges::count(text, '\n');
  };
  for (int i = 1; i <= 3; ++i) {
    process.write("a.ppm\n");
    for (int patience = 0; records() < i && patience < 2000; ++patience) std::this_thread::sleep_for(5ms);
    EXPECT_EQ(records(), i);
  }
  EXPECT_EQ(process.finish().code, 0);
}

TEST_F(StreamsTest, AReaderThatGoesAwayEndsTheRunQuietly) {
  Process process(options({"caption", "-"}));
  process.write("a.ppm\n");
  EXPECT_THAT(process.read_line(), StartsWith("a.ppm\t"));
  process.close_output();
  for (int i = 0; i < 10; ++i) process.write("a.ppm\n");
  const ProcessResult result = process.finish();
  EXPECT_EQ(result.signal, 0);
  EXPECT_EQ(result.code, 0);
  EXPECT_EQ(result.errors, "");
}

TEST_F(StreamsTest, AFullDiskIsReported) {
  for (const std::vector<std::string>& arguments :
       {std::vector<std::string>{"caption", "a.ppm"}, {"--help"}, {"caption", "--help"}, {"--version"}, {"info"}}) {
    ProcessOptions all = options(arguments);
    all.output_file = "/dev/full";
    const ProcessResult result = run_glimpse(all);
    EXPECT_EQ(result.code, 1) << arguments.front();
    EXPECT_EQ(result.errors, "glimpse: error: cannot write to standard output: No space left on device\n");
  }
}

TEST_F(StreamsTest, AModelThatIsRefusedDoesNotWaitForTheList) {
  Process process(options({"caption", "-m", "gone.safetensors", "-"}));
  EXPECT_EQ(process.read_line(), "");  // ends although standard input is open
  EXPECT_EQ(process.finish().code, 3);
}

}  // namespace
}  // namespace glimpse::testing
