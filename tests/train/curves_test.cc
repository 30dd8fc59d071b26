// Curves: round numbers on the axes, and pictures whose lines go where the numbers say.
#include "train/run/curves.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <regex>
#include <sstream>

#include "core/random.h"
#include "plot/chart.h"

namespace glimpse::train {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

TEST(TicksTest, AreRoundFewAndAroundTheRange) {
  Random random(1);
  for (int i = 0; i < 2000; ++i) {
    const double low = random.normal() * std::pow(10, 6 * random.uniform() - 3);
    const double range = std::pow(10, 8 * random.uniform() - 4);
    const int most = 3 + static_cast<int>(random.below(6));
    const std::vector<double> ticks = round_ticks(low, low + range, most);
    ASSERT_GE(ticks.size(), 2U);
    ASSERT_LE(ticks.size(), static_cast<std::size_t>(most));
    const double step = ticks[1] - ticks[0];
    EXPECT_LE(ticks.front(), low + 1e-6 * step);
    EXPECT_GE(ticks.back(), low + range - 1e-6 * step);
    EXPECT_GT(ticks.front(), low - step * (1 + 1e-6)) << "a tick too many";
    const double digit = step / std::pow(10, std::floor(std::log10(step) + 1e-6));
    EXPECT_TRUE(std::abs(digit - 1) < 1e-3 || std::abs(digit - 2) < 1e-3 || std::abs(digit - 5) < 1e-3) << step;
  }
}

TEST(TicksTest, ARangeOfNothingHasTicksToo) {
  for (const double value : {0.0, 0.3, -7.0, 1e9}) {
    const std::vector<double> ticks = round_ticks(value, value, 5);
    ASSERT_GE(ticks.size(), 2U) << value;
    EXPECT_LE(ticks.front(), value);
    EXPECT_GT(ticks.back(), ticks.front());
  }
}

TEST(TicksTest, LabelsHaveTheDigitsOfTheirStep) {
  EXPECT_EQ(tick_label(0.25, 0.05), "0.25");
  EXPECT_EQ(tick_label(0.3, 0.1), "0.3");
  EXPECT_EQ(tick_label(2, 1), "2");
  EXPECT_EQ(tick_label(-0.0, 0.5), "0.0");
  EXPECT_EQ(tick_label(20'000, 10'000), "20k");
  EXPECT_EQ(tick_label(0, 10'000), "0");
  EXPECT_EQ(tick_label(500, 500), "500");
}

std::vector<JournalEntry> journal(int steps) {
  std::vector<JournalEntry> entries;
  for (const char* stage : {"distill", "caption"}) {
    for (int step = 1; step <= steps; ++step) {
      entries.push_back({stage, 1 + step * 2 / (steps + 1), step, false, {{"total", 1.0 / step}, {"part", 100}}});
    }
    entries.push_back({stage, 2, steps, true, {{"BLEU-4", 0.125}}});
  }
  return entries;
}

/// The points of each polyline, in the order of the picture.
std::vector<std::vector<Point>> polylines(const std::string& svg) {
  std::vector<std::vector<Point>> lines;
  const std::regex pattern("<polyline points=\"([^\"]*)\"");
  for (std::sregex_iterator it(svg.begin(), svg.end(), pattern), end; it != end; ++it) {
    std::istringstream stream((*it)[1].str());
    std::vector<Point>& points = lines.emplace_back();
    char comma = 0;
    for (Point point; stream >> point.x >> comma >> point.y;) points.push_back(point);
  }
  return lines;
}

TEST(CurvesTest, EveryStageAndScoreHasItsPanel) {
  const std::string svg = draw_curves(journal(50), "a <model> & more");
  EXPECT_THAT(svg, HasSubstr("a &lt;model&gt; &amp; more"));
  for (const char* text : {">Loss, distill<", ">Loss, caption<", ">BLEU-4, validation<", ">from 0.125 to 0.125<"}) {
    EXPECT_THAT(svg, HasSubstr(text));
  }
  EXPECT_THAT(svg, Not(HasSubstr("part"))) << "only the whole loss is drawn";
  EXPECT_EQ(polylines(svg).size(), 6U) << "two lines a loss and one a stage's scores";
  EXPECT_EQ(draw_curves(journal(50), "a <model> & more"), svg);
}

TEST(CurvesTest, LinesFollowTheNumbersInsideTheirPanels) {
  const std::string svg = draw_curves(journal(50), "x");
  const std::vector<std::vector<Point>> lines = polylines(svg);
  ASSERT_EQ(lines[0].size(), 50U);
  for (std::size_t i = 1; i < lines[0].size(); ++i) {
    EXPECT_NEAR(lines[0][i].x - lines[0][i - 1].x, lines[0][1].x - lines[0][0].x, 0.21);
    EXPECT_GE(lines[0][i].y, lines[0][i - 1].y) << "a loss that falls";
  }
  // Heights are to each other as the numbers are: 1/2, 1/4 and 1/8.
  const auto height = [&](int step) { return lines[0][std::size_t(step - 1)].y; };
  EXPECT_NEAR((height(8) - height(4)) / (height(4) - height(2)), 0.5, 0.02);
  for (const auto& line : lines) {
    for (const Point& point : line) {
      EXPECT_GT(point.x, 0);
      EXPECT_LT(point.x, 960);
      EXPECT_GT(point.y, 84);
    }
  }
  // The second stage's epochs come behind the first's.
  EXPECT_LT(lines[4][0].x, lines[5][0].x);
}

TEST(CurvesTest, TrainingsTogetherShareTheirPanels) {
  std::vector<JournalEntry> worse = journal(50);
  for (JournalEntry& entry : worse) {
    if (!entry.is_validation) entry.values[0].second += 0.5;
  }
  const std::vector<NamedJournal> journals = {{"soft", journal(50)}, {"hard", worse}, {"empty", {}}};
  const std::string svg = draw_curves_together(journals, "both");
  EXPECT_THAT(svg, HasSubstr(">soft<"));
  EXPECT_THAT(svg, HasSubstr(">hard<"));
  EXPECT_LT(svg.find(">Loss, distill<"), svg.find(">Loss, caption<")) << "in the order of the journals";
  const std::vector<std::vector<Point>> lines = polylines(svg);
  ASSERT_EQ(lines.size(), 6U) << "a line each for two losses and one score";
  for (std::size_t i = 20; i < lines[0].size(); ++i) EXPECT_LT(lines[1][i].y, lines[0][i].y) << "higher up";
  ASSERT_EQ(lines[4].size(), 2U) << "through both stages";
  EXPECT_LT(lines[4][0].x, lines[4][1].x);
}

TEST(ChartTest, BarsAreAsLongAsTheirValuesAndPanelsAsHighAsTheirBars) {
  Panel panel;
  panel.title = "t";
  panel.bars = {{"a", 0.25, "#111", "25", 0}, {"b", 0.5, "#222", "50", 0.1}, {"c < d", 1, "#333", "100", 0}};
  const std::string svg = draw_chart({panel}, "x", {});
  std::vector<double> widths;
  const std::regex pattern("width=\"([0-9.]+)\" height=\"12.0\"");
  for (std::sregex_iterator it(svg.begin(), svg.end(), pattern), end; it != end; ++it) {
    widths.push_back(std::stod((*it)[1].str()));
  }
  ASSERT_EQ(widths.size(), 3U);
  EXPECT_NEAR(widths[0] * 4, widths[2], 0.5);
  EXPECT_NEAR(widths[1] * 2, widths[2], 0.5);
  EXPECT_THAT(svg, HasSubstr("c &lt; d"));
  const auto height = [](const std::string& text) {
    return std::stod(text.substr(text.find(" height=\"") + std::string(" height=\"").size()));
  };
  Panel more = panel;
  more.bars.insert(more.bars.end(), 10, panel.bars[0]);
  EXPECT_NEAR(height(draw_chart({more}, "x", {})) - height(svg), 200, 1);
  EXPECT_EQ(height(draw_chart({more, panel}, "x", {})), height(draw_chart({more}, "x", {}))) << "side by side";
}

TEST(ChartTest, ALongLegendTakesSeveralLinesAndNoEntryLeavesThePicture) {
  std::vector<LegendEntry> legend;
  for (std::size_t i = 0; i < 20; ++i) {
    legend.push_back({series_colour(i), "variant number " + std::to_string(i), series_dashed(i)});
    for (std::size_t k = 0; k < i && i < 16; ++k) {
      EXPECT_TRUE(series_colour(i) != series_colour(k) || series_dashed(i) != series_dashed(k)) << i << ' ' << k;
    }
  }
  const std::string svg = draw_chart({}, "x", legend);
  const std::regex pattern("<text x=\"([0-9.]+)\" y=\"([0-9.]+)\" class=\"\">variant number");
  std::vector<double> rows;
  for (std::sregex_iterator it(svg.begin(), svg.end(), pattern), end; it != end; ++it) {
    EXPECT_LT(std::stod((*it)[1].str()) + 120, 960);
    rows.push_back(std::stod((*it)[2].str()));
  }
  ASSERT_EQ(rows.size(), 20U);
  EXPECT_GT(rows.back(), rows.front() + 50);
}

TEST(CurvesTest, LongTrainingsStaySmall) { EXPECT_LT(draw_curves(journal(200'000), "x").size(), 60'000U); }

TEST(CurvesTest, TheBoldLineIsTheMeanOfNeighbours) {
  std::vector<JournalEntry> entries;
  for (int step = 1; step <= 6000; ++step) {
    entries.push_back({"s", 1, step, false, {{"total", step % 2 == 0 ? 1.0 : 3.0}}});
  }
  const std::vector<std::vector<Point>> lines = polylines(draw_curves(entries, "x"));
  ASSERT_EQ(lines[1].size(), 60U);
  for (const Point& point : lines[1]) EXPECT_NEAR(point.y, lines[1][0].y, 0.11);
}

TEST(CurvesTest, LittleOrNothingIsDrawnToo) {
  EXPECT_THAT(draw_curves({}, "nothing"), HasSubstr("</svg>"));
  const std::string svg = draw_curves({{"s", 1, 1, false, {{"total", 0.5}}}, {"s", 1, 2, false, {}}}, "one step");
  EXPECT_THAT(svg, HasSubstr("0.5 at the end"));
  EXPECT_THAT(svg, Not(HasSubstr("nan")));
}

}  // namespace
}  // namespace glimpse::train
