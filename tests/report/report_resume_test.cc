// A resumed report equals one made in a single run; other files in its folder are handled.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>

#include "report/report.h"
#include "report_fixture.h"

namespace glimpse::testing {
namespace {

namespace fs = std::filesystem;
using ::testing::AllOf;
using ::testing::HasSubstr;

/// A folder as a run leaves it that is not interrupted: three pictures and a failure.
class ResumeTest : public ::testing::Test {
 protected:
  void add(Report& report, int number) {
    if (number == 2) {
      report.add(report.failure("2.jpg", Error(ErrorCode::kDecode, "empty")));
    } else {
      report.add(made_up_entry(report, std::to_string(number) + ".jpg", 40 * number));
    }
  }

  void add(Report& report, int first, int last) {
    for (int i = first; i <= last; ++i) add(report, i);
  }

  void SetUp() override {
    Report report(whole_.path(), report_options(), Report::Start::kNew);
    add(report, 0, 3);
    report.finish();
  }

  ScratchFolder whole_;
  ScratchFolder scratch_;
  fs::path entries_ = scratch_.path() / "glimpse/entries.js";
};

TEST_F(ResumeTest, IsTheSameToTheLastByte) {
  {
    Report report(scratch_.path(), report_options(), Report::Start::kContinue);  // of nothing: a new one
    add(report, 0, 1);
  }
  EXPECT_THAT(text_of(scratch_.path() / "glimpse/run.js"), HasSubstr("\"complete\":false"));
  EXPECT_TRUE(fs::exists(scratch_.path() / "index.html")) << "a page from the beginning on";
  {
    Report report(scratch_.path(), report_options(), Report::Start::kContinue);
    EXPECT_EQ(report.size(), 2U);
    add(report, 1, 2);  // the last was in the report, but not yet in the results: it comes again
  }
  Report report(scratch_.path(), report_options(), Report::Start::kContinue);
  EXPECT_EQ(report.size(), 3U);
  add(report, 2, 3);
  report.finish();
  EXPECT_EQ(files_of(scratch_.path()), files_of(whole_.path()));
}

TEST_F(ResumeTest, DropsALastLineThatWasCutShortAnywhere) {
  {
    Report report(scratch_.path(), report_options(), Report::Start::kNew);
    add(report, 0, 3);
  }
  const std::string text = text_of(entries_);
  const std::size_t last = text.rfind('\n', text.size() - 2) + 1;
  for (std::size_t size = last; size < text.size(); size += 7) {
    fs::resize_file(entries_, size);
    Report report(scratch_.path(), report_options(), Report::Start::kContinue);
    ASSERT_EQ(report.size(), 3U) << size;
    add(report, 3);
    report.finish();
    ASSERT_EQ(files_of(scratch_.path()), files_of(whole_.path())) << size;
  }
}

TEST_F(ResumeTest, LeavesNoFilesOfWhatWasDropped) {
  const fs::path pictures = scratch_.path() / "glimpse/pictures/000";
  {
    Report report(scratch_.path(), report_options(), Report::Start::kNew);
    add(report, 0, 1);
    std::ofstream(pictures / "002.thumb.jpg") << "of a picture whose line was never written";
  }
  Report report(scratch_.path(), report_options(), Report::Start::kContinue);
  add(report, 2, 3);
  report.finish();
  EXPECT_EQ(files_of(scratch_.path()), files_of(whole_.path()));
}

TEST_F(ResumeTest, ReplacesWhereItStands) {
  Report report(scratch_.path(), report_options(), Report::Start::kNew);
  report.add(report.failure("0.jpg", Error(ErrorCode::kIo, "the disk was away")));
  add(report, 1);
  report.add(made_up_entry(report, "2.jpg"));
  add(report, 0);
  add(report, 2, 3);
  EXPECT_EQ(report.size(), 4U);
  report.finish();
  EXPECT_EQ(files_of(scratch_.path()), files_of(whole_.path()));
  add(report, 1);  // and goes on after that
  report.finish();
  EXPECT_EQ(files_of(scratch_.path()), files_of(whole_.path()));
}

TEST_F(ResumeTest, SaysWhichLineIsDamaged) {
  const auto damage = [&](const std::string& text) {
    fs::remove_all(scratch_.path());
    fs::copy(whole_.path(), scratch_.path(), fs::copy_options::recursive);
    std::ofstream(entries_, std::ios::binary) << text;
    return error_of([&] { Report(scratch_.path(), report_options(), Report::Start::kContinue); }, ErrorCode::kUsage);
  };
  const std::string first = R"(glimpse.add({"n":0,"path":"0.jpg"});)";
  EXPECT_THAT(damage(first + "\nalert(1);\n" + first), AllOf(HasSubstr("entries.js"), HasSubstr("line 2")));
  EXPECT_THAT(damage(first + "\nglimpse.add({\"n\":);\n"), AllOf(HasSubstr("entries.js"), HasSubstr("line 2")));
  EXPECT_THAT(damage("glimpse.add({\"n\":0});\n"), HasSubstr("line 1"));
  EXPECT_THAT(damage("glimpse.add({\"n\":0,\"path\":\"a\",\"bytes\":\"zz\"});\n"), HasSubstr("line 1"));
  EXPECT_THAT(damage("glimpse.add({\"n\":5,\"path\":\"a\"});\n"), HasSubstr("disorder"));
  EXPECT_THAT(damage(first + "\nglimpse.add({\"n\":1,\"path\":\"0.jpg\"});\n"), HasSubstr("disorder"));
}

TEST_F(ResumeTest, RefusesAnotherModel) {
  ReportOptions other = report_options();
  other.model = "another";
  const auto before = files_of(whole_.path());
  const std::string message =
      error_of([&] { Report(whole_.path(), other, Report::Start::kContinue); }, ErrorCode::kUsage);
  EXPECT_THAT(message, AllOf(HasSubstr("'glimpse-test'"), HasSubstr("'another'")));
  EXPECT_EQ(files_of(whole_.path()), before);
}

TEST_F(ResumeTest, ANewOneLeavesNothingOfTheOld) {
  {
    Report report(whole_.path(), report_options(), Report::Start::kNew);
    EXPECT_EQ(report.size(), 0U);
    add(report, 0);
    report.finish();
  }
  Report report(scratch_.path(), report_options(), Report::Start::kNew);
  add(report, 0);
  report.finish();
  EXPECT_EQ(files_of(scratch_.path()), files_of(whole_.path()));
}

TEST(ReportTest, LeavesSomebodyElsesPageAlone) {
  const ScratchFolder scratch;
  std::ofstream(scratch.path() / "index.html") << "mine";
  EXPECT_FALSE(Report::exists(scratch.path()));
  for (const auto start : {Report::Start::kNew, Report::Start::kContinue}) {
    EXPECT_THAT(error_of([&] { Report(scratch.path(), report_options(), start); }, ErrorCode::kUsage),
                HasSubstr("index.html"));
  }
  EXPECT_EQ(files_of(scratch.path()), (std::map<std::string, std::string>{{"index.html", "mine"}}));
}

TEST(ReportTest, SaysWhichFolderCannotBeMade) {
  const ScratchFolder scratch;
  std::ofstream(scratch.path() / "file") << "x";
  EXPECT_THAT(error_of([&] { Report(scratch.path() / "file", report_options(), Report::Start::kNew); }, ErrorCode::kIo),
              HasSubstr("file"));
}

}  // namespace
}  // namespace glimpse::testing
