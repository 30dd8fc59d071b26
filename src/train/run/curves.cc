#include "train/run/curves.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <limits>
#include <map>
#include <utility>

#include "plot/chart.h"

namespace glimpse::train {
namespace {

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
  // The panel fits the smoothed line; outliers of single steps may leave it, so that they do not flatten it.
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

/// A score's course in one stage; the epochs of earlier stages that have it are counted before its own.
struct ScoreCourse {
  std::size_t stage = 0;
  std::vector<Point> points;
};

std::vector<ScoreCourse> courses(const std::string& name, const Curves& curves) {
  std::vector<ScoreCourse> result;
  const auto score = curves.score_of.find(name);
  if (score == curves.score_of.end()) return result;
  int epochs_before = 0;
  for (std::size_t i = 0; i < curves.stages.size(); ++i) {
    const auto found = score->second.find(curves.stages[i]);
    if (found == score->second.end()) continue;
    ScoreCourse& course = result.emplace_back(ScoreCourse{i, found->second});
    for (Point& point : course.points) point.x += epochs_before;
    epochs_before += curves.epochs.at(curves.stages[i]);
  }
  return result;
}

/// A panel of scores as high as its lines.
Panel score_panel(const std::string& name, std::vector<Series> series) {
  Panel panel;
  panel.title = name + ", validation";
  panel.x_label = "epoch";
  panel.y_min = std::numeric_limits<double>::max();
  panel.y_max = std::numeric_limits<double>::lowest();
  panel.series = std::move(series);
  for (const Series& one : panel.series) {
    for (const Point& point : one.points) {
      panel.y_min = std::min(panel.y_min, point.y);
      panel.y_max = std::max(panel.y_max, point.y);
    }
  }
  panel.remark = "from " + in_words(panel.y_min) + " to " + in_words(panel.y_max);
  return panel;
}

/// The losses of several trainings in the stage of that name. The large losses of the first steps may leave the panel.
Panel losses_panel(const std::string& stage, const std::vector<Curves>& all) {
  constexpr std::size_t kEarly = 15;  // of a line's points, one
  Panel panel;
  panel.title = "Loss, " + stage;
  panel.x_label = "step";
  panel.y_min = std::numeric_limits<double>::max();
  panel.y_max = std::numeric_limits<double>::lowest();
  for (std::size_t i = 0; i < all.size(); ++i) {
    const auto found = all[i].losses.find(stage);
    if (found == all[i].losses.end()) continue;
    Series series{Series::Style::kBold, series_colour(i), thinned(found->second, kBoldPoints), series_dashed(i)};
    for (std::size_t k = series.points.size() / kEarly; k < series.points.size(); ++k) {
      panel.y_min = std::min(panel.y_min, series.points[k].y);
      panel.y_max = std::max(panel.y_max, series.points[k].y);
    }
    panel.series.push_back(std::move(series));
  }
  return panel;
}

/// A line a training, through all its stages.
std::vector<Series> together(const std::string& score, const std::vector<Curves>& all) {
  std::vector<Series> lines;
  for (std::size_t i = 0; i < all.size(); ++i) {
    Series line{Series::Style::kDots, series_colour(i), {}, series_dashed(i)};
    for (const ScoreCourse& course : courses(score, all[i])) {
      line.points.insert(line.points.end(), course.points.begin(), course.points.end());
    }
    if (!line.points.empty()) lines.push_back(std::move(line));
  }
  return lines;
}

}  // namespace

std::string draw_curves(const std::vector<JournalEntry>& journal, std::string_view title) {
  const Curves curves = sort_out(journal);
  std::vector<Panel> panels;
  std::vector<LegendEntry> legend;
  for (std::size_t i = 0; i < curves.stages.size(); ++i) {
    const std::string& stage = curves.stages[i];
    const std::string colour = series_colour(i);
    legend.push_back({colour, stage});
    const auto found = curves.losses.find(stage);
    if (found != curves.losses.end()) panels.push_back(loss_panel(stage, found->second, colour));
  }
  for (const std::string& name : curves.scores) {
    std::vector<Series> lines;
    for (ScoreCourse& course : courses(name, curves)) {
      lines.push_back({Series::Style::kDots, series_colour(course.stage), std::move(course.points)});
    }
    panels.push_back(score_panel(name, std::move(lines)));
  }
  return draw_chart(panels, title, legend);
}

std::string draw_curves_together(std::span<const NamedJournal> journals, std::string_view title) {
  std::vector<Curves> all;
  std::vector<std::string> stages;
  std::vector<std::string> scores;
  std::vector<LegendEntry> legend;
  for (std::size_t i = 0; i < journals.size(); ++i) {
    all.push_back(sort_out(journals[i].entries));
    for (const std::string& stage : all.back().stages) {
      if (all.back().losses.contains(stage)) add_new(stages, stage);
    }
    for (const std::string& score : all.back().scores) add_new(scores, score);
    legend.push_back({series_colour(i), journals[i].name, series_dashed(i)});
  }
  std::vector<Panel> panels;
  for (const std::string& stage : stages) panels.push_back(losses_panel(stage, all));
  for (const std::string& score : scores) panels.push_back(score_panel(score, together(score, all)));
  return draw_chart(panels, title, legend);
}

}  // namespace glimpse::train
