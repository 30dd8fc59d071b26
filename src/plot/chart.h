/// Charts as SVG text: lines and dots, or bars, with axes of round numbers and a grid. Drawn dark on white, whatever is
/// around.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace glimpse::train {

struct Point {
  double x = 0;
  double y = 0;
};

struct Series {
  enum class Style { kPale, kBold, kDots };  ///< a thin line, a thick one, a line with a dot at each point
  Style style = Style::kBold;
  std::string colour;  ///< as CSS has it
  std::vector<Point> points;
  bool dashed = false;
};

/// A bar from 0 to the right. Values are 0 or more.
struct Bar {
  std::string label;
  double value = 0;
  std::string colour;
  std::string text;   ///< behind the bar: the value in words
  double spread = 0;  ///< a thin line so far to both sides of the value; 0: none
};

/// One chart. Values beyond the range of y are drawn at its edge.
struct Panel {
  std::string title;
  std::string remark;  ///< beside the title, smaller: "0.214 at best"
  std::string x_label;
  double y_min = 0;
  double y_max = 1;
  std::vector<Series> series = {};
  std::vector<Bar> bars = {};  ///< instead of series, one below the other; their axis goes from 0 to y_max or further
};

struct LegendEntry {
  std::string colour;
  std::string text;
  bool dashed = false;
};

/// The colour of line `index` of many: eight that people who confuse some colours can tell apart (Okabe and Ito 2008),
/// then the same again.
std::string series_colour(std::size_t index);
/// Whether that line is dashed, because its colour was there before.
bool series_dashed(std::size_t index);

/// Round numbers, a step of 1, 2 or 5 times a power of ten apart, `most` at most, from the last at or below `low` to
/// the first at or above `high`.
std::vector<double> round_ticks(double low, double high, int most);

/// A number on an axis whose ticks are `step` apart: "0.25", "20k".
std::string tick_label(double value, double step);

/// Panels two in a row below a title and a legend, which takes as many lines as it needs.
std::string draw_chart(const std::vector<Panel>& panels, std::string_view title,
                       const std::vector<LegendEntry>& legend);

}  // namespace glimpse::train
