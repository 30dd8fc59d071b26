// The report's data files: right, compact, safe whatever the inputs are called, and the same after an interruption. The
// page that shows them is tried in a browser by report_page_test.py.
#include "report/report.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <opencv2/imgcodecs.hpp>
#include <optional>
#include <random>
#include <thread>

#include "report/report_assets.h"
#include "report/report_entry.h"
#include "report_fixture.h"

namespace glimpse::testing {
namespace {

namespace fs = std::filesystem;
using ::testing::Contains;
using ::testing::HasSubstr;
using ::testing::Key;
using ::testing::Not;

TEST(QuantiseTest, IsWithinHalfAStepOfThePeak) {
  std::mt19937 random(1);
  for (const float largest : {1.0F, 0.02F, 1e-6F}) {
    std::vector<float> alpha(196);
    for (float& value : alpha) value = std::uniform_real_distribution<float>(0, largest)(random);
    const QuantisedMap map = quantise(alpha);
    EXPECT_EQ(map.peak, *std::max_element(alpha.begin(), alpha.end()));
    ASSERT_EQ(map.values.size(), alpha.size());
    for (std::size_t i = 0; i < alpha.size(); ++i) {
      const double back = static_cast<std::uint8_t>(map.values[i]) * map.peak / 255;
      ASSERT_NEAR(back, alpha[i], map.peak / 510 * (1 + 1e-9));
    }
  }
}

TEST(QuantiseTest, WhatIsNoAttentionIsNone) {
  const float nan = std::numeric_limits<float>::quiet_NaN();
  const float infinite = std::numeric_limits<float>::infinity();
  const QuantisedMap map = quantise(std::vector<float>{nan, -1.0F, infinite, 0.5F, 0.0F});
  EXPECT_EQ(map.peak, 0.5);
  EXPECT_EQ(map.values, std::string("\0\0\0\xff\0", 5));
  EXPECT_EQ(quantise(std::vector<float>(3, 0.0F)).values, std::string(3, '\0'));
  EXPECT_EQ(quantise(std::vector<float>(3, nan)).peak, 0);
}

TEST(Base64Test, IsTheStandards) {  // RFC 4648, section 10, and a byte with its top bit set
  const std::pair<std::string, std::string> cases[] = {{"", ""},
                                                       {"f", "Zg=="},
                                                       {"fo", "Zm8="},
                                                       {"foo", "Zm9v"},
                                                       {"foob", "Zm9vYg=="},
                                                       {"fooba", "Zm9vYmE="},
                                                       {"foobar", "Zm9vYmFy"},
                                                       {"\xff\xfe\xfb", "//77"}};
  for (const auto& [bytes, text] : cases) EXPECT_EQ(to_base64(bytes), text);
}

TEST(ConfidenceTest, IsTheGeometricMeanOfTheWords) {
  EXPECT_NEAR(confidence(made_up_caption("dog")), std::sqrt(std::exp(-0.5) * std::exp(-1.0)), 1e-12);
  EXPECT_TRUE(std::isnan(confidence(Caption{})));
}

TEST(ReportDetailsTest, TheFrameTakesCellsBackExactlyForEveryWayOfResizing) {
  for (const auto resize : {Preprocess::Resize::kStretch, Preprocess::Resize::kCentreCrop, Preprocess::Resize::kFit}) {
    for (const auto& [width, height] : {std::pair(640, 427), std::pair(300, 901)}) {
      Preprocess preprocess;
      preprocess.resize = resize;
      const ViewTransform transform = view_transform(preprocess, width, height);
      const Caption captions[] = {made_up_caption("dog")};
      const auto frame = nlohmann::json::parse(report_details(transform, captions, kReportRows, kReportCols))["frame"]
                             .get<std::vector<double>>();
      // As the page does it.
      const auto edge = [&](int axis, int cell, int cells) {
        return std::clamp(frame.at(axis) + frame.at(axis + 2) * cell / cells, 0.0, 1.0);
      };
      for (int row = 0; row < kReportRows; ++row) {
        for (int col = 0; col < kReportCols; ++col) {
          const Rect cell = transform.cells_to_source(row, col, 1, 1, kReportRows, kReportCols);
          EXPECT_NEAR(edge(0, col, kReportCols) * width, cell.x, 1e-9);
          EXPECT_NEAR(edge(0, col + 1, kReportCols) * width, cell.x + cell.width, 1e-9);
          EXPECT_NEAR(edge(1, row, kReportRows) * height, cell.y, 1e-9);
          EXPECT_NEAR(edge(1, row + 1, kReportRows) * height, cell.y + cell.height, 1e-9);
        }
      }
    }
  }
}

TEST(ReportTest, SaysOfAPictureWhatTheModelSaid) {
  const ScratchFolder scratch;
  Report report(scratch.path(), report_options(), Report::Start::kNew);
  report.add(made_up_entry(report, "photos/a.jpg"));
  report.add(report.failure("photos/b.jpg", Error(ErrorCode::kDecode, "cannot decode 'photos/b.jpg': empty")));
  report.finish();
  const auto entries = entries_of(scratch.path());
  ASSERT_EQ(entries.size(), 2U);
  EXPECT_EQ(entries[0], nlohmann::json::parse(R"({"n":0,"path":"photos/a.jpg","caption":"dog runs","confidence":0.4724,
                                                  "width":80,"height":60,"thumb":false})"));
  EXPECT_EQ(entries[1], nlohmann::json::parse(R"({"n":1,"path":"photos/b.jpg",
      "error":{"code":"decode","message":"cannot decode 'photos/b.jpg': empty"}})"));
  const nlohmann::json details = details_of(scratch.path(), "000/000");
  EXPECT_EQ(details["rows"], kReportRows);
  EXPECT_EQ(details["cols"], kReportCols);
  ASSERT_EQ(details["captions"].size(), 2U);
  const nlohmann::json& word = details["captions"][1]["words"][0];
  EXPECT_EQ(word["word"], "cat");
  EXPECT_EQ(word["logProb"], -0.5);
  EXPECT_EQ(word["beta"], 0.25);
  EXPECT_EQ(word["map"], to_base64(quantise(made_up_caption("cat").glimpses[0].alpha).values));
  const auto files = files_of(scratch.path());
  EXPECT_THAT(files, Contains(Key("glimpse/pictures/000/000.jpg")));
  EXPECT_THAT(files, Not(Contains(Key("glimpse/pictures/000/001.js"))));
}

TEST(ReportTest, NumbersThatAreNoneAreNull) {
  const ScratchFolder scratch;
  Report report(scratch.path(), report_options(), Report::Start::kNew);
  const Image picture = plain_picture(30, 20, 9);
  Caption caption = made_up_caption("dog");
  caption.glimpses[0].log_prob = -std::numeric_limits<double>::infinity();
  caption.glimpses[1].beta = std::numeric_limits<double>::quiet_NaN();
  report.add(report.success("a", picture, whole_view(picture), std::span(&caption, 1)));
  const nlohmann::json words = details_of(scratch.path(), "000/000")["captions"][0]["words"];
  EXPECT_TRUE(words[0]["logProb"].is_null());
  EXPECT_TRUE(words[1]["beta"].is_null());
  EXPECT_EQ(entries_of(scratch.path())[0]["confidence"], 0);
}

TEST(ReportTest, LargePicturesAreMadeSmallerAndGetAThumb) {
  const ScratchFolder scratch;
  Report report(scratch.path(), report_options(), Report::Start::kNew);
  const Caption caption = made_up_caption("dog");
  const Image large = plain_picture(1500, 3000, 40);
  report.add(report.success("large", large, whole_view(large), std::span(&caption, 1)));
  const Image middling = plain_picture(640, 480, 40);
  report.add(report.success("middling", middling, whole_view(middling), std::span(&caption, 1)));
  const fs::path pictures = scratch.path() / "glimpse/pictures/000";
  EXPECT_EQ(cv::imread(pictures / "000.jpg").size(), cv::Size(640, 1280));
  EXPECT_EQ(cv::imread(pictures / "000.thumb.jpg").size(), cv::Size(240, 480));
  EXPECT_EQ(cv::imread(pictures / "001.jpg").size(), cv::Size(640, 480));
  EXPECT_FALSE(fs::exists(pictures / "001.thumb.jpg"));
  EXPECT_EQ(entries_of(scratch.path())[0]["thumb"], true);
  EXPECT_EQ(entries_of(scratch.path())[0]["width"], 1500);
}

TEST(ReportTest, WhatComesFromOutsideStaysInStrings) {
  const ScratchFolder scratch;
  const ScratchFolder plain;
  const std::string hostile = "\"></script><img src=x onerror=alert(1)>\\\n\xe2\x80\xa8\xff\u202e../../etc/passwd.jpg";
  Report report(scratch.path(), {hostile, hostile, kReportRows, kReportCols}, Report::Start::kNew);
  const Image picture = plain_picture(30, 20, 9);
  const Caption caption = made_up_caption(hostile);
  report.add(report.success(hostile, picture, whole_view(picture), std::span(&caption, 1)));
  report.add(report.failure(hostile + "2", Error(ErrorCode::kDecode, hostile)));
  report.finish();
  Report harmless(plain.path(), report_options(), Report::Start::kNew);
  harmless.add(made_up_entry(harmless, "a"));
  harmless.finish();

  const auto files = files_of(scratch.path());
  const auto expected = files_of(plain.path());
  EXPECT_EQ(files.size(), expected.size());
  for (const auto& [name, text] : expected) {
    ASSERT_THAT(files, Contains(Key(name)));  // names on disk are never the input's
    const bool is_data =
        name == "glimpse/run.js" || name == "glimpse/entries.js" || name.starts_with("glimpse/pictures");
    if (!is_data) {
      EXPECT_EQ(files.at(name), text) << name;
    } else if (!name.ends_with(".jpg")) {
      for (const char c : files.at(name)) ASSERT_TRUE(c == '\n' || (c >= ' ' && c <= '~')) << name << ": " << int(c);
    }
  }
  std::string shown = hostile;
  shown.replace(shown.find('\xff'), 1, "\xef\xbf\xbd");
  EXPECT_EQ(entries_of(scratch.path())[0]["path"], shown);
  EXPECT_EQ(entries_of(scratch.path())[1]["error"]["message"], shown);
  EXPECT_EQ(json_in(files.at("glimpse/run.js"), "glimpse.run(", ");\n")["model"], shown);
  EXPECT_EQ(details_of(scratch.path(), "000/000")["captions"][0]["words"][0]["word"], shown);
}

TEST(ReportTest, NamesThatDifferOnlyInWhatIsNotUtf8AreTwo) {
  const ScratchFolder scratch;
  ReportOptions options = report_options();
  options.model = "model\xff";
  for (int time = 0; time < 2; ++time) {
    Report report(scratch.path(), options, Report::Start::kContinue);
    report.add(made_up_entry(report, "a\xfe.jpg", 10));
    report.add(made_up_entry(report, "a\xff.jpg", 20));
    EXPECT_EQ(report.size(), 2U);
  }
}

TEST(ReportTest, ThePageFetchesNothingFromElsewhere) {
  ASSERT_FALSE(report_assets().empty());
  for (const ReportAsset& asset : report_assets()) {
    EXPECT_EQ(asset.text, text_of(source_path("assets/report") / asset.name)) << asset.name;
    EXPECT_EQ(asset.text.find("http:"), std::string_view::npos) << asset.name;
    EXPECT_EQ(asset.text.find("https:"), std::string_view::npos) << asset.name;
    EXPECT_EQ(asset.text.find("innerHTML"), std::string_view::npos) << asset.name;
    EXPECT_EQ(asset.text.find("@import"), std::string_view::npos) << asset.name;
  }
}

TEST(ReportTest, EntriesMadeByManyThreadsAreTheSame) {
  const ScratchFolder one;
  const ScratchFolder many;
  constexpr int kCount = 24;
  const auto path = [](int i) { return std::to_string(i) + ".jpg"; };
  Report first(one.path(), report_options(), Report::Start::kNew);
  for (int i = 0; i < kCount; ++i) first.add(made_up_entry(first, path(i), i));
  first.finish();
  Report second(many.path(), report_options(), Report::Start::kNew);
  std::vector<std::optional<ReportEntry>> entries(kCount);
  {
    std::vector<std::jthread> threads;
    threads.reserve(4);
    for (int t = 0; t < 4; ++t) {
      threads.emplace_back([&, t] {
        for (int i = t; i < kCount; i += 4) entries[i] = made_up_entry(second, path(i), i);
      });
    }
  }
  for (auto& entry : entries) second.add(std::move(*entry));
  second.finish();
  EXPECT_EQ(files_of(one.path()), files_of(many.path()));
}

TEST(ReportTest, WrongAttentionIsADefect) {
  const ScratchFolder scratch;
  const Report report(scratch.path(), report_options(), Report::Start::kNew);
  const Image picture = plain_picture(30, 20, 9);
  Caption caption = made_up_caption("dog");
  caption.glimpses[0].alpha.pop_back();
  const auto make = [&](std::span<const Caption> captions) {
    return [&, captions] { (void)report.success("a", picture, whole_view(picture), captions); };
  };
  EXPECT_THAT(error_of(make(std::span(&caption, 1)), ErrorCode::kInternal), HasSubstr("23 cells where 24"));
  error_of(make({}), ErrorCode::kInternal);
}

}  // namespace
}  // namespace glimpse::testing
