#include "train/curves.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <limits>
#include <map>
#include <utility>

#include "train/chart.h"

namespace glimpse::train {
namespace {

/// Colours that people who confuse some colours can tell apart (Okabe and Ito 2008).
constexpr std::array<const char*, 6> kColours = {"#0072b2", "#d55e00", "#009e73", "#cc79a7", "#56b4e9", "#e69f00"};

constexpr std::size_t kPalePoints = 600;  ///< of a panel: more than it has pixels
constexpr std::size_t kBoldPoints = 60;

std::string in_words(double value) {
  constexpr int kDigits = 3;
  std::array<char, 32> buffer = {};
  const auto [end, error] =
      std::to_chars(buffer.data(), buffer.data() + buffer.size(), value, std::chars_format::general, kDigits);
  return {buffer.data(), end};
}

/// At most `most` points, each the mean of neighbours.
std::vector<Point> thinned(const std::vector<Point>& points, std::size_t most) {
  const std::size_t count = std::min(points.size(), most);
  std::vector<Point> result;
  for (std::size_t i = 0; i < count; ++i) {
    const std::size_t begin = i * points.size() / count;
    const std::size_t end = (i + 1) * points.size() / count;
    Point mean;
    for (std::size_t k = begin; k < end; ++k) {
      mean.x += points[k].x / static_cast<double>(end - begin);
      mean.y += points[k].y / static_cast<double>(end - begin);
    }
    result.push_back(mean);
  }
  return result;
}

/// What a journal holds, sorted for drawing.
struct Curves {
  std::vector<std::string> stages;  ///< in the order of the journal
  std::map<std::string, int> epochs;
  std::map<std::string, std::vector<Point>> losses;  ///< a stage: over its steps
  std::vector<std::string> scores;
  std::map<std::string, std::map<std::string, std::vector<Point>>> score_of;  ///< score, stage: over its epochs
};

void add_new(std::vector<std::string>& list, const std::string& value) {
  if (std::find(list.begin(), list.end(), value) == list.end()) list.push_back(value);
}

Curves sort_out(const std::vector<JournalEntry>& journal) {
  Curves curves;
  for (const JournalEntry& entry : journal) {
    add_new(curves.stages, entry.stage);
    int& epochs = curves.epochs[entry.stage];
    epochs = std::max(epochs, entry.epoch);
    if (!entry.is_validation) {
      if (entry.values.empty()) continue;
      curves.losses[entry.stage].push_back({static_cast<double>(entry.step), entry.values.front().second});
      continue;
    }
    for (const auto& [name, value] : entry.values) {
      add_new(curves.scores, name);
      curves.score_of[name][entry.stage].push_back({static_cast<double>(entry.epoch), value});
    }
  }
  return curves;
}

Panel loss_panel(const std::string& stage, const std::vector<Point>& points, const std::string& colour) {
  Panel panel;
  panel.title = "Loss, " + stage;
  panel.x_label = "step";
  panel.series = {{Series::Style::kPale, colour, thinned(points, kPalePoints)},
                  {Series::Style::kBold, colour, thinned(points, kBoldPoints)}};
  panel.remark = in_words(panel.series[1].points.back().y) + " at the end";
  // The bold line is seen whole; single steps far outside may leave the panel, so that they do not flatten it.
  std::vector<double> values;
  for (const Point& point : panel.series[0].points) values.push_back(point.y);
  std::sort(values.begin(), values.end());
  const std::size_t rare = values.size() / 50;
  panel.y_min = values[rare];
  panel.y_max = values[values.size() - 1 - rare];
  for (const Point& point : panel.series[1].points) {
    panel.y_min = std::min(panel.y_min, point.y);
    panel.y_max = std::max(panel.y_max, point.y);
  }
  return panel;
}

Panel score_panel(const std::string& name, const Curves& curves) {
  Panel panel;
  panel.title = name + ", validation";
  panel.x_label = "epoch";
  double low = std::numeric_limits<double>::max();
  double high = std::numeric_limits<double>::lowest();
  int epochs_before = 0;  // of earlier stages that have this score
  const auto& by_stage = curves.score_of.at(name);
  for (std::size_t i = 0; i < curves.stages.size(); ++i) {
    const auto found = by_stage.find(curves.stages[i]);
    if (found == by_stage.end()) continue;
    Series series{Series::Style::kDots, kColours[i % kColours.size()], found->second};
    for (Point& point : series.points) {
      point.x += epochs_before;
      low = std::min(low, point.y);
      high = std::max(high, point.y);
    }
    panel.series.push_back(std::move(series));
    epochs_before += curves.epochs.at(curves.stages[i]);
  }
  panel.remark = "from " + in_words(low) + " to " + in_words(high);
  panel.y_min = low;
  panel.y_max = high;
  return panel;
}

}  // namespace

std::string draw_curves(const std::vector<JournalEntry>& journal, std::string_view title) {
  const Curves curves = sort_out(journal);
  std::vector<Panel> panels;
  std::vector<LegendEntry> legend;
  for (std::size_t i = 0; i < curves.stages.size(); ++i) {
    const std::string& stage = curves.stages[i];
    const std::string colour = kColours[i % kColours.size()];
    legend.push_back({colour, stage});
    const auto found = curves.losses.find(stage);
    if (found != curves.losses.end()) panels.push_back(loss_panel(stage, found->second, colour));
  }
  for (const std::string& name : curves.scores) panels.push_back(score_panel(name, curves));
  return draw_chart(panels, title, legend);
}

}  // namespace glimpse::train
