#include "plot/chart.h"

#include <algorithm>
#include <array>
#include <cmath>

#include "core/numbers.h"

namespace glimpse::train {
namespace {

// In pixels at the picture's natural size.
constexpr double kWidth = 960;
constexpr double kMargin = 24;
constexpr double kHeader = 84;  ///< of title and legend, where that takes one line
constexpr double kLegendLine = 20;
constexpr double kPanelHeight = 270;
constexpr double kGap = 28;
constexpr double kPanelWidth = (kWidth - 2 * kMargin - kGap) / 2;
// Around the axes, inside a panel.
constexpr double kLeft = 52;
constexpr double kTop = 34;
constexpr double kBottom = 44;
constexpr double kRight = 8;
// Of bars.
constexpr double kBarPitch = 20;   ///< from one to the next
constexpr double kBarLabel = 118;  ///< what they are called, to their left
constexpr double kBarText = 64;    ///< what they come to, to their right
/// Okabe and Ito's, without black, which is the text's; grey is in its place.
constexpr std::array<const char*, 8> kColours = {"#0072b2", "#d55e00", "#009e73", "#cc79a7",
                                                 "#56b4e9", "#e69f00", "#777777", "#c8b900"};

constexpr const char* kStyle =
    "<style>text{font:12px 'DejaVu Sans',Verdana,sans-serif;fill:#333}.h{font-size:18px;font-weight:bold}"
    ".t{font-size:13px;font-weight:bold}.s{fill:#666}.e{text-anchor:end}.m{text-anchor:middle}"
    ".g{stroke:#e4e4e4}.a{stroke:#888}.d{stroke:#333;stroke-width:1.5}polyline{fill:none;stroke-linejoin:round}</"
    "style>\n";

/// A coordinate: a tenth of a pixel is as fine as anybody sees.
std::string at(double value) { return fixed(value, 1); }

std::string escaped(std::string_view text) {
  std::string result;
  for (const char c : text) {
    switch (c) {
      case '&':
        result += "&amp;";
        break;
      case '<':
        result += "&lt;";
        break;
      case '>':
        result += "&gt;";
        break;
      case '"':
        result += "&quot;";
        break;
      default:
        result += static_cast<unsigned char>(c) < 0x20 ? ' ' : c;
    }
  }
  return result;
}

std::string text_at(double x, double y, std::string_view style, std::string_view text) {
  return "<text x=\"" + at(x) + "\" y=\"" + at(y) + "\" class=\"" + std::string(style) + "\">" + escaped(text) +
         "</text>\n";
}

std::string line(double x1, double y1, double x2, double y2, const char* style) {
  return "<line x1=\"" + at(x1) + "\" y1=\"" + at(y1) + "\" x2=\"" + at(x2) + "\" y2=\"" + at(y2) + "\" class=\"" +
         style + "\"/>\n";
}

double round_step(double range, int intervals) {
  const double rough = range / intervals;
  const double power = std::pow(10, std::floor(std::log10(rough)));
  for (const double factor : {1.0, 2.0, 5.0}) {
    if (factor * power >= rough * (1 - 1e-9)) return factor * power;
  }
  return 10 * power;
}

/// From values to pixels along one axis.
struct Scale {
  double low, high;   ///< values
  double begin, end;  ///< pixels
  double operator()(double value) const {
    return begin + (std::clamp(value, low, high) - low) / (high - low) * (end - begin);
  }
};

std::string draw_series(const Series& series, const Scale& x, const Scale& y) {
  if (series.points.empty()) return {};
  std::string points;
  std::string dots;
  for (const Point& point : series.points) {
    points += (points.empty() ? "" : " ") + at(x(point.x)) + ',' + at(y(point.y));
    if (series.style == Series::Style::kDots) {
      dots += "<circle cx=\"" + at(x(point.x)) + "\" cy=\"" + at(y(point.y)) + "\" r=\"3\" fill=\"" + series.colour +
              "\"/>\n";
    }
  }
  const bool pale = series.style == Series::Style::kPale;
  return "<polyline points=\"" + points + "\" stroke=\"" + series.colour + "\" stroke-width=\"" + (pale ? "1" : "2") +
         (pale ? "\" stroke-opacity=\"0.35" : "") + (series.dashed ? "\" stroke-dasharray=\"6 4" : "") + "\"/>\n" +
         dots;
}

std::string title_of(const Panel& panel, double left, double top) {
  return "<text x=\"" + at(left + kLeft) + "\" y=\"" + at(top + 18) + "\"><tspan class=\"t\">" + escaped(panel.title) +
         "</tspan><tspan class=\"s\" dx=\"10\">" + escaped(panel.remark) + "</tspan></text>\n";
}

/// Ticks below an axis that ends at `last`, and its name.
std::string draw_x_axis(const std::vector<double>& ticks, double last, const Scale& x, double y,
                        const std::string& label) {
  std::string svg;
  for (const double tick : ticks) {
    if (tick > last) continue;
    svg += line(x(tick), y, x(tick), y + 5, "a");
    svg += text_at(x(tick), y + 19, "m", tick_label(tick, ticks[1] - ticks[0]));
  }
  svg += line(x.begin, y, x.end, y, "a");
  return svg + text_at((x.begin + x.end) / 2, y + 37, "s m", label);
}

std::string rectangle(double x, double y, double width, double height, const std::string& colour) {
  return "<rect x=\"" + at(x) + "\" y=\"" + at(y) + "\" width=\"" + at(width) + "\" height=\"" + at(height) +
         "\" rx=\"2\" fill=\"" + colour + "\"/>\n";
}

std::string draw_bars(const Panel& panel, double left, double top) {
  constexpr int kMostTicks = 6;
  constexpr double kThick = 12;
  double most = panel.y_max;
  for (const Bar& bar : panel.bars) most = std::max(most, bar.value + bar.spread);
  const std::vector<double> ticks = round_ticks(0, most, kMostTicks);
  const Scale x{0, ticks.back(), left + kBarLabel, left + kPanelWidth - kBarText};
  const double bottom = top + kTop + kBarPitch * static_cast<double>(panel.bars.size());

  std::string svg = title_of(panel, left, top);
  for (const double tick : ticks) svg += line(x(tick), top + kTop, x(tick), bottom, "g");
  double y = top + kTop;
  for (const Bar& bar : panel.bars) {
    const double middle = y + kBarPitch / 2;
    svg += text_at(x.begin - 7, middle + 4, "e", bar.label);
    svg += rectangle(x.begin, middle - kThick / 2, x(bar.value) - x.begin, kThick, bar.colour);
    if (bar.spread > 0) svg += line(x(bar.value - bar.spread), middle, x(bar.value + bar.spread), middle, "d");
    svg += text_at(x(bar.value + bar.spread) + 6, middle + 4, "s", bar.text);
    y += kBarPitch;
  }
  return svg + draw_x_axis(ticks, ticks.back(), x, bottom, panel.x_label);
}

std::string draw_lines(const Panel& panel, double left, double top) {
  constexpr int kMostTicksX = 7;
  constexpr int kMostTicksY = 6;
  double last = 1;
  for (const Series& series : panel.series) {
    for (const Point& point : series.points) last = std::max(last, point.x);
  }
  const std::vector<double> x_ticks = round_ticks(0, last, kMostTicksX);
  const std::vector<double> y_ticks = round_ticks(panel.y_min, panel.y_max, kMostTicksY);
  const Scale x{x_ticks.front(), last, left + kLeft, left + kPanelWidth - kRight};
  const Scale y{y_ticks.front(), y_ticks.back(), top + kPanelHeight - kBottom, top + kTop};

  std::string svg = title_of(panel, left, top);
  for (const double tick : y_ticks) {
    svg += line(x.begin, y(tick), x.end, y(tick), "g");
    svg += text_at(x.begin - 7, y(tick) + 4, "e", tick_label(tick, y_ticks[1] - y_ticks[0]));
  }
  svg += draw_x_axis(x_ticks, last, x, y.begin, panel.x_label);
  for (const Series& series : panel.series) svg += draw_series(series, x, y);
  return svg;
}

double height_of(const Panel& panel) {
  return panel.bars.empty() ? kPanelHeight : kTop + kBarPitch * static_cast<double>(panel.bars.size()) + kBottom;
}

struct DrawnLegend {
  std::string svg;
  int lines = 1;
};

DrawnLegend draw_legend(const std::vector<LegendEntry>& legend) {
  constexpr double kCharacter = 7.2;  // about as wide as one is
  constexpr double kSwatch = 22;
  constexpr double kFirst = kMargin + kLeft;
  DrawnLegend drawn;
  double x = kFirst;
  double y = 56;
  for (const LegendEntry& entry : legend) {
    const double width = kSwatch + 7 + kCharacter * static_cast<double>(entry.text.size()) + 24;
    if (x > kFirst && x + width > kWidth) {
      x = kFirst;
      y += kLegendLine;
      ++drawn.lines;
    }
    if (entry.dashed) {
      drawn.svg += rectangle(x, y - 2, 9, 4, entry.colour) + rectangle(x + kSwatch - 9, y - 2, 9, 4, entry.colour);
    } else {
      drawn.svg += rectangle(x, y - 2, kSwatch, 4, entry.colour);
    }
    drawn.svg += text_at(x + kSwatch + 7, y + 4, "", entry.text);
    x += width;
  }
  return drawn;
}

}  // namespace

std::vector<double> round_ticks(double low, double high, int most) {
  // A range of nothing still needs two ticks.
  if (!(high > low)) high = low + std::max(std::abs(low) * 0.1, 1e-6);
  double step = round_step(high - low, most - 1);
  double first = 0;
  double last = 0;
  for (;; step = round_step(step * 1.5, 1)) {
    first = std::floor(low / step + 1e-9);
    last = std::ceil(high / step - 1e-9);
    if (last - first + 1 <= most) break;
  }
  std::vector<double> ticks;
  const int count = static_cast<int>(std::lround(last - first)) + 1;
  for (int i = 0; i < count; ++i) ticks.push_back((first + i) * step);
  return ticks;
}

std::string tick_label(double value, double step) {
  constexpr double kThousand = 1000;
  const bool thousands = step >= kThousand;
  const double shown = thousands ? value / kThousand : value;
  const double shown_step = thousands ? step / kThousand : step;
  const int decimals = std::max(0, static_cast<int>(std::ceil(-std::log10(shown_step) - 1e-9)));
  return fixed(shown == 0 ? 0 : shown, decimals) + (thousands && value != 0 ? "k" : "");
}

std::string series_colour(std::size_t index) { return kColours[index % kColours.size()]; }

bool series_dashed(std::size_t index) { return index / kColours.size() % 2 == 1; }

std::string draw_chart(const std::vector<Panel>& panels, std::string_view title,
                       const std::vector<LegendEntry>& legend) {
  const DrawnLegend drawn = draw_legend(legend);
  double y = kHeader + kLegendLine * (drawn.lines - 1);
  std::string body;
  for (std::size_t i = 0; i < panels.size(); i += 2) {
    double height = 0;
    for (std::size_t k = i; k < std::min(i + 2, panels.size()); ++k) {
      const double left = kMargin + (k == i ? 0 : kPanelWidth + kGap);
      body += panels[k].bars.empty() ? draw_lines(panels[k], left, y) : draw_bars(panels[k], left, y);
      height = std::max(height, height_of(panels[k]));
    }
    y += height + kGap;
  }
  const std::string width = fixed(kWidth, 0);
  const std::string height = fixed(y, 0);
  return "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"" + width + "\" height=\"" + height + "\" viewBox=\"0 0 " +
         width + ' ' + height + "\" role=\"img\">\n<title>" + escaped(title) + "</title>\n" + kStyle +
         "<rect width=\"" + width + "\" height=\"" + height + "\" rx=\"8\" fill=\"#fff\"/>\n" +
         text_at(kMargin + kLeft, 36, "h", title) + drawn.svg + body + "</svg>\n";
}

}  // namespace glimpse::train
