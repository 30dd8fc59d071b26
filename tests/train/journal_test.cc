#include "train/run/journal.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>

#include "core/error.h"
#include "core/file.h"
#include "support/paths.h"

namespace glimpse::train {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::Pair;

class JournalTest : public ::testing::Test {
 protected:
  /// Two stages of three steps with a validation after the second.
  void fill() const {
    Journal journal(path_, "", 0);
    for (const char* stage : {"distill", "caption"}) {
      for (int step = 1; step <= 3; ++step) {
        journal.write(StepRecord{stage, 1, step, {{"total", 1.0 / step}, {"map", 0.5}}, 0.25, 30});
        if (step == 2) journal.write(Validation{stage, 1, step, {{"CIDEr", 0.1}}, true});
      }
    }
  }

  std::string text() const { return read_file(path_, 1U << 20); }
  void set_text(const std::string& text) const { std::ofstream(path_, std::ios::binary) << text; }

  /// Stage and step of every entry, validations with a v.
  std::vector<std::string> outline() const {
    std::vector<std::string> result;
    for (const JournalEntry& entry : read_journal(path_)) {
      result.push_back(entry.stage.substr(0, 1) + std::to_string(entry.step) + (entry.is_validation ? "v" : ""));
    }
    return result;
  }

  glimpse::testing::ScratchFolder scratch_;
  std::filesystem::path path_ = scratch_.path() / "journal.jsonl";
};

TEST_F(JournalTest, LinesSayWhatWasMeasured) {
  Journal journal(path_, "", 0);
  journal.write(StepRecord{"distill", 2, 30, {{"total", 0.5}, {"map", 0.1}, {"bad", std::nan("")}}, 1e-3, 31.5});
  EXPECT_EQ(text(),
            "{\"stage\":\"distill\",\"epoch\":2,\"step\":30,\"loss\":{\"total\":0.5,\"map\":0.1,\"bad\":null},"
            "\"learning_rate\":0.001,\"pictures_per_second\":31.5}\n");
  journal.write(Validation{"distill", 2, 31, {{"BLEU-4", 0.2}}, false});
  const std::vector<JournalEntry> entries = read_journal(path_);
  ASSERT_EQ(entries.size(), 2U);
  EXPECT_THAT(entries[0].values, ElementsAre(Pair("total", 0.5), Pair("map", 0.1)));
  EXPECT_EQ(entries[0].epoch, 2);
  EXPECT_TRUE(entries[1].is_validation);
  EXPECT_THAT(entries[1].values, ElementsAre(Pair("BLEU-4", 0.2)));
}

TEST_F(JournalTest, GoingOnCutsOffWhatCameAfterTheCheckpoint) {
  struct {
    const char* stage;
    int step;
    std::vector<std::string> left;
  } const cases[] = {{"caption", 3, {"d1", "d2", "d2v", "d3", "c1", "c2", "c2v", "c3"}},
                     {"caption", 2, {"d1", "d2", "d2v", "d3", "c1", "c2", "c2v"}},
                     {"caption", 0, {"d1", "d2", "d2v", "d3"}},
                     {"distill", 2, {"d1", "d2", "d2v"}},
                     {"distill", 0, {}},
                     {"scst", 0, {"d1", "d2", "d2v", "d3", "c1", "c2", "c2v", "c3"}},
                     {"", 0, {}}};
  for (const auto& c : cases) {
    fill();
    { const Journal journal(path_, c.stage, c.step); }
    EXPECT_EQ(outline(), c.left) << c.stage << ' ' << c.step;
  }
}

TEST_F(JournalTest, WhatIsWrittenLaterComesBehind) {
  fill();
  Journal journal(path_, "distill", 2);
  journal.write(StepRecord{"distill", 1, 3, {{"total", 1}}, 0, 0});
  EXPECT_THAT(outline(), ElementsAre("d1", "d2", "d2v", "d3"));
}

TEST_F(JournalTest, ALastLineThatWasCutShortIsDropped) {
  fill();
  set_text(text() + "{\"stage\":\"capt");
  EXPECT_EQ(outline().size(), 8U);
  { const Journal journal(path_, "caption", 3); }
  EXPECT_EQ(text().back(), '\n');
  EXPECT_EQ(outline().size(), 8U);
}

TEST_F(JournalTest, OtherFilesAreNotCut) {
  for (const char* other :
       {"x\n", "{\"stage\":\"a\"}\n", "[1]\n", "{\"stage\":\"a\",\"epoch\":1,\"step\":1,\"loss\":3}\n"}) {
    set_text(other);
    try {
      const Journal journal(path_, "distill", 1);
      ADD_FAILURE() << "accepted: " << other;
    } catch (const Error& error) {
      EXPECT_THAT(error.what(), HasSubstr("line 1"));
      EXPECT_EQ(error.code(), ErrorCode::kUsage);
    }
    EXPECT_EQ(text(), other);
  }
}

TEST_F(JournalTest, FilesThatCannotBeWrittenAreErrors) {
  EXPECT_THROW(Journal(scratch_.path() / "none" / "j", "", 0), Error);
  Journal full("/dev/full", "", 0);
  EXPECT_THROW(full.write(StepRecord{}), Error);
}

}  // namespace
}  // namespace glimpse::train
