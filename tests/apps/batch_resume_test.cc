// glimpse batch --resume: after any interruption, the final file equals that of an uninterrupted run.
#include <csignal>
#include <thread>

#include "batch_fixture.h"
#include "core/random.h"

namespace glimpse::testing {
namespace {

using ::testing::HasSubstr;

class BatchResumeTest : public BatchTest {
 protected:
  static constexpr int kPhotos = 120;

  BatchResumeTest() {
    add_photos(kPhotos, [](int i) { return i % 10 == 4; });
    const ProcessResult result =
        glimpse({"batch", "photos", "-o", "whole.jsonl", "-t", "2", "--coco-results", "whole.json"});
    EXPECT_EQ(result.code, 4) << result.errors;
    whole_ = read_whole(path("whole.jsonl"));
  }

  ProcessResult resume(const std::string& file) const {
    return glimpse({"batch", "photos", "-o", file, "-t", "2", "--resume"});
  }

  std::string whole_;
};

TEST_F(BatchResumeTest, ALineCutShortAnywhereIsRepaired) {
  Random random(5);
  for (int round = 0; round < 12; ++round) {
    const std::size_t cut = round == 0 ? 0 : random.below(whole_.size() + 1);
    SCOPED_TRACE(cut);
    write_file(path("torn.jsonl"), whole_.substr(0, cut));
    EXPECT_EQ(resume("torn.jsonl").code, 4);
    EXPECT_EQ(read_whole(path("torn.jsonl")), whole_);
  }
}

TEST_F(BatchResumeTest, TornLinesOfOtherKindsAreRepairedOrRefused) {
  const std::size_t half = whole_.find('\n', whole_.size() / 2) + 1;
  for (const std::string& tail :
       {std::string(300, '\0'), std::string("{\"path\": \"x\"}\n"), std::string("\xff\xfe\n")}) {
    write_file(path("torn.jsonl"), whole_.substr(0, half) + tail);
    EXPECT_EQ(resume("torn.jsonl").code, 4);
    EXPECT_EQ(read_whole(path("torn.jsonl")), whole_);
    const std::string foreign = tail + "\n" + whole_.substr(0, half);
    write_file(path("torn.jsonl"), foreign);
    const ProcessResult refused = resume("torn.jsonl");
    EXPECT_EQ(refused.code, 2);
    EXPECT_THAT(refused.errors, HasSubstr("line 1 is no record of glimpse"));
    EXPECT_EQ(read_whole(path("torn.jsonl")), foreign) << "what cannot be gone on with stays as it was";
  }
}

TEST_F(BatchResumeTest, AFileThatIsNoneOfOursIsNotTakenForATornOne) {
  for (const char* notes : {"my notes\n", "my notes", "path,caption\r\n"}) {
    write_file(path("notes.jsonl"), notes);
    EXPECT_EQ(resume("notes.jsonl").code, 2);
    EXPECT_EQ(read_whole(path("notes.jsonl")), notes);
  }
}

TEST_F(BatchResumeTest, WhatHasARecordIsLeftAloneAlsoFailures) {
  add_picture(photo(4), 4);  // a good picture now
  const ProcessResult result = resume("whole.jsonl");
  EXPECT_EQ(result.code, 4) << "there are failures in the file";
  EXPECT_EQ(read_whole(path("whole.jsonl")), whole_);
  EXPECT_THAT(result.errors, HasSubstr("108 (108 before) done, 12 (12 before) failed"));
}

TEST_F(BatchResumeTest, TheOtherOutputsAreGoneOnWithToo) {
  const std::size_t half = whole_.find('\n', whole_.size() / 2) + 1;
  write_file(path("part.jsonl"), whole_.substr(0, half));
  write_file(path("part.json"), "stale");
  const ProcessResult result =
      glimpse({"batch", "photos", "-o", "part.jsonl", "--resume", "--coco-results", "part.json"});
  EXPECT_EQ(result.code, 4) << result.errors;
  EXPECT_EQ(read_whole(path("part.jsonl")), whole_);
  EXPECT_EQ(read_whole(path("part.json")), read_whole(path("whole.json")));
}

TEST_F(BatchResumeTest, APathThatIsListedTwiceHasTwoRecords) {
  const std::vector<std::string> list = {"batch", photo(1), photo(2), photo(1), photo(1), "--batch", "2", "-o"};
  const auto run = [&](const std::string& file) {
    std::vector<std::string> arguments = list;
    arguments.insert(arguments.end(), {file, "--resume"});
    EXPECT_EQ(glimpse(arguments).code, 0);
    return read_whole(path(file));
  };
  const std::string twice = run("twice.jsonl");
  EXPECT_EQ(line_count("twice.jsonl"), 4U);
  std::size_t cut = 0;
  for (int lines = 1; lines <= 4; ++lines) {
    cut = twice.find('\n', cut) + 1;
    write_file(path("part.jsonl"), twice.substr(0, cut));
    EXPECT_EQ(run("part.jsonl"), twice);
  }
}

TEST_F(BatchResumeTest, AnotherModelsCaptionsAreNotGoneOnWith) {
  ModelConfig config = tiny_config();
  config.name = "other";
  write_bundle({config, Weights("tiny", tiny_tensors(2))}, path("other.safetensors"));
  const ProcessResult result = glimpse({"batch", "photos", "-o", "whole.jsonl", "--resume", "-m", "other.safetensors"});
  EXPECT_EQ(result.code, 2);
  EXPECT_THAT(result.errors, HasSubstr("those of the model 'tiny', not of 'other'"));
  EXPECT_EQ(read_whole(path("whole.jsonl")), whole_);
}

TEST_F(BatchResumeTest, KilledAtAnyMomentItLosesNothingThatWasWritten) {
  Random random(11);
  int kills_with_records = 0;
  for (int kill = 0; kill < 5; ++kill) {
    const std::string file = "killed" + std::to_string(kill) + ".jsonl";
    const std::size_t until = 1 + random.below(kPhotos - 20);
    {
      Process process(options({"batch", "photos", "-o", file, "-t", "2", "--batch", "8", "--resume"}));
      process.close_input();
      for (int wait = 0; wait < 20'000 && line_count(file) < until; ++wait) {
        std::this_thread::sleep_for(std::chrono::microseconds(200));
      }
    }  // SIGKILL
    const std::string left = read_whole(path(file));
    const std::string whole_lines = left.substr(0, left.rfind('\n') + 1);
    EXPECT_EQ(whole_.substr(0, whole_lines.size()), whole_lines) << "what is there is what would have been there";
    kills_with_records += line_count(file) >= until && whole_lines.size() < whole_.size() ? 1 : 0;
    EXPECT_EQ(resume(file).code, 4);
    EXPECT_EQ(read_whole(path(file)), whole_);
  }
  EXPECT_GT(kills_with_records, 0) << "every kill came too late to matter";
}

TEST_F(BatchResumeTest, CtrlCFinishesWhatIsInFlightAndSaysHowToGoOn) {
  for (const int signal : {SIGINT, SIGTERM}) {
    const std::string file = "stopped" + std::to_string(signal) + ".jsonl";
    Process process(options({"batch", "-", "-o", file, "-t", "1", "--batch", "1"}));
    std::string list;
    for (int i = 0; i < 7; ++i) list += photo(i) + "\n";
    process.write(list);
    for (int wait = 0; wait < 2000 && line_count(file) < 6; ++wait) {
      std::this_thread::sleep_for(std::chrono::milliseconds(5));
    }
    process.send(signal);
    // Standard input stays open: the signal has to end the wait for more of the list.
    for (int wait = 0; wait < 2000 && line_count(file) < 7; ++wait) {
      std::this_thread::sleep_for(std::chrono::milliseconds(5));
    }
    const ProcessResult result = process.finish();
    EXPECT_EQ(result.code, 130) << result.errors;
    EXPECT_THAT(result.errors,
                HasSubstr("interrupted; what was written is whole; the same command with --resume goes on"));
    EXPECT_EQ(line_count(file), 7U) << "all that was listed is finished";
  }
}

TEST_F(BatchResumeTest, TwoProcessesDoNotWriteOneFile) {
  Process process(options({"batch", "-", "-o", "one.jsonl"}));
  for (int wait = 0; wait < 2000 && !std::filesystem::exists(path("one.jsonl")); ++wait) {
    std::this_thread::sleep_for(std::chrono::milliseconds(5));
  }
  std::this_thread::sleep_for(std::chrono::milliseconds(50));  // between making the file and locking it
  const ProcessResult second = resume("one.jsonl");
  EXPECT_EQ(second.code, 2);
  EXPECT_THAT(second.errors, HasSubstr("another glimpse is writing 'one.jsonl'"));
  EXPECT_EQ(process.finish().code, 0);
}

}  // namespace
}  // namespace glimpse::testing
