#include "io/records.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace glimpse::io {
namespace {

using ::testing::HasSubstr;

TEST(Records, NumbersAreRoundedAndBoxesAreWholePixels) {
  Caption caption{"a dog", -7.310049, -2.1, {}};
  caption.glimpses.push_back({"a", -0.00001, 0.8, {0.25F, 0.75F}, {12.4, 40.5, 200.2, 179.6}});
  Record record;
  record.path = "a.jpg";
  record.width = 640;
  record.height = 480;
  record.captions = {&caption, 1};
  RecordLayout layout;
  layout.model = "m";
  layout.rows = 1;
  layout.cols = 2;
  layout.attention = true;
  EXPECT_EQ(make_record_format(Format::kJson, layout)->success(record),
            R"({"path":"a.jpg","width":640,"height":480,"caption":"a dog","log_prob":-7.31,"score":-2.1,)"
            R"("words":[{"word":"a","log_prob":0.0,"beta":0.8,"box":[12,41,201,179]}],)"
            R"("attention":{"rows":1,"cols":2,"weights":[[0.25,0.75]]},"model":"m"})"
            "\n");
  caption.glimpses.back().channels = {0.5F, 1.50004F, 1};
  EXPECT_THAT(make_record_format(Format::kJson, layout)->success(record),
              HasSubstr(R"("weights":[[0.25,0.75]],"channels":[[0.5,1.5,1.0]]},"model")"));
}

TEST(Records, CaptionsStandOutInTextWhereAskedTo) {
  const Caption caption{"a dog", -7.31, -2.1, {}};
  Record record;
  record.path = "a\nb.jpg";
  record.captions = {&caption, 1};
  RecordLayout layout;
  EXPECT_EQ(make_record_format(Format::kText, layout)->success(record), "a\\nb.jpg\ta dog\n");
  layout.emphasis = [](std::string_view text) { return "<" + std::string(text) + ">"; };
  EXPECT_EQ(make_record_format(Format::kText, layout)->success(record), "a\\nb.jpg\t<a dog>\n");
}

}  // namespace
}  // namespace glimpse::io
