#include "train/chart.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>

namespace glimpse::train {
namespace {

// In pixels at the picture's natural size.
constexpr double kWidth = 960;
constexpr double kMargin = 24;
constexpr double kHeader = 84;  ///< of title and legend
constexpr double kPanelHeight = 270;
constexpr double kGap = 28;
constexpr double kPanelWidth = (kWidth - 2 * kMargin - kGap) / 2;
// Around the axes, inside a panel.
constexpr double kLeft = 52;
constexpr double kTop = 34;
constexpr double kBottom = 44;
constexpr double kRight = 8;

constexpr const char* kStyle =
    "<style>text{font:12px 'DejaVu Sans',Verdana,sans-serif;fill:#333}.h{font-size:18px;font-weight:bold}"
    ".t{font-size:13px;font-weight:bold}.s{fill:#666}.e{text-anchor:end}.m{text-anchor:middle}"
    ".g{stroke:#e4e4e4}.a{stroke:#888}polyline{fill:none;stroke-linejoin:round}</style>\n";

std::string fixed(double value, int decimals) {
  std::array<char, 64> buffer = {};
  const auto [end, error] =
      std::to_chars(buffer.data(), buffer.data() + buffer.size(), value, std::chars_format::fixed, decimals);
  return error == std::errc() ? std::string(buffer.data(), end) : std::string("?");
}

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
         (pale ? "\" stroke-opacity=\"0.35" : "") + "\"/>\n" + dots;
}

std::string draw_panel(const Panel& panel, double left, double top) {
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

  std::string svg = "<text x=\"" + at(left + kLeft) + "\" y=\"" + at(top + 18) + "\"><tspan class=\"t\">" +
                    escaped(panel.title) + "</tspan><tspan class=\"s\" dx=\"10\">" + escaped(panel.remark) +
                    "</tspan></text>\n";
  for (const double tick : y_ticks) {
    svg += line(x.begin, y(tick), x.end, y(tick), "g");
    svg += text_at(x.begin - 7, y(tick) + 4, "e", tick_label(tick, y_ticks[1] - y_ticks[0]));
  }
  for (const double tick : x_ticks) {
    if (tick > last) continue;
    svg += line(x(tick), y.begin, x(tick), y.begin + 5, "a");
    svg += text_at(x(tick), y.begin + 19, "m", tick_label(tick, x_ticks[1] - x_ticks[0]));
  }
  svg += line(x.begin, y.begin, x.end, y.begin, "a");
  svg += text_at((x.begin + x.end) / 2, y.begin + 37, "s m", panel.x_label);
  for (const Series& series : panel.series) svg += draw_series(series, x, y);
  return svg;
}

std::string draw_legend(const std::vector<LegendEntry>& legend) {
  constexpr double kCharacter = 7.2;  // about as wide as one is
  std::string svg;
  double x = kMargin + kLeft;
  for (const LegendEntry& entry : legend) {
    svg += "<rect x=\"" + at(x) + "\" y=\"54\" width=\"22\" height=\"4\" rx=\"2\" fill=\"" + entry.colour + "\"/>\n";
    svg += text_at(x + 29, 60, "", entry.text);
    x += 29 + kCharacter * static_cast<double>(entry.text.size()) + 24;
  }
  return svg;
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

std::string draw_chart(const std::vector<Panel>& panels, std::string_view title,
                       const std::vector<LegendEntry>& legend) {
  const std::size_t rows = (panels.size() + 1) / 2;
  const std::string width = fixed(kWidth, 0);
  const std::string height = fixed(kHeader + static_cast<double>(rows) * (kPanelHeight + kGap), 0);
  std::string svg = "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"" + width + "\" height=\"" + height +
                    "\" viewBox=\"0 0 " + width + ' ' + height + "\" role=\"img\">\n<title>" + escaped(title) +
                    "</title>\n" + kStyle + "<rect width=\"" + width + "\" height=\"" + height +
                    "\" rx=\"8\" fill=\"#fff\"/>\n" + text_at(kMargin + kLeft, 36, "h", title) + draw_legend(legend);
  for (std::size_t i = 0; i < panels.size(); ++i) {
    const std::size_t row = i / 2;
    const std::size_t column = i % 2;
    svg += draw_panel(panels[i], kMargin + static_cast<double>(column) * (kPanelWidth + kGap),
                      kHeader + static_cast<double>(row) * (kPanelHeight + kGap));
  }
  return svg + "</svg>\n";
}

}  // namespace glimpse::train
