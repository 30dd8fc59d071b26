#include "eval/comparison.h"

#include <algorithm>
#include <array>
#include <cmath>

#include "core/json.h"
#include "core/numbers.h"
#include "plot/chart.h"

namespace glimpse::eval {
namespace {

/// A number that variants are compared by.
struct Column {
  const char* title;
  double factor;  ///< per cent or as it is
  int decimals;
  double most;  ///< where its axis ends at least, 0: anywhere
  std::optional<double> (*value)(const Variant& variant, const SetScores& scores);
};

template <auto Member>
std::optional<double> of_scene(const Variant& /*variant*/, const SetScores& scores) {
  return scores.scene ? std::optional((*scores.scene).*Member) : std::nullopt;
}

template <auto Member>
std::optional<double> of_looks(const Variant& /*variant*/, const SetScores& scores) {
  return scores.scene && scores.scene->looks ? std::optional((*scores.scene->looks).*Member) : std::nullopt;
}

constexpr std::array kColumns = {
    Column{"BLEU-4, %", 100, 1, 100,
           [](const Variant&, const SetScores& s) { return std::optional(s.scores.bleu[3]); }},
    Column{"CIDEr-D", 1, 2, 0, [](const Variant&, const SetScores& s) { return std::optional(s.scores.cider); }},
    Column{"shape and colour right, %", 100, 1, 100, of_scene<&metrics::SceneScores::right>},
    Column{"things named, %", 100, 1, 100, of_scene<&metrics::SceneScores::named>},
    Column{"grounding, %", 100, 1, 100, of_looks<&metrics::LookScores::grounding>},
    Column{"attention inside, %", 100, 1, 100, of_looks<&metrics::LookScores::mass>},
    Column{"attention entropy, bits", 1, 2, 0, of_looks<&metrics::LookScores::entropy>},
    Column{"parameters", 1, 0, 0,
           [](const Variant& v, const SetScores&) { return std::optional(static_cast<double>(v.parameters)); }},
    Column{"images/s", 1, 0, 0,
           [](const Variant& v, const SetScores&) {
             return v.pictures_per_second > 0 ? std::optional(v.pictures_per_second) : std::nullopt;
           }},
};

/// Of a variant's runs.
struct Cell {
  double mean = 0;
  double deviation = 0;
};

std::optional<Cell> cell(const Column& column, const Variant& variant) {
  std::vector<double> values;
  for (const VariantRun& run : variant.runs) {
    if (!run.scores) continue;
    if (const std::optional<double> value = column.value(variant, *run.scores)) {
      values.push_back(column.factor * *value);
    }
  }
  if (values.empty()) return std::nullopt;
  Cell result;
  const auto count = static_cast<double>(values.size());
  for (const double value : values) result.mean += value / count;
  if (values.size() == 1) return result;
  for (const double value : values) result.deviation += (value - result.mean) * (value - result.mean) / (count - 1);
  result.deviation = std::sqrt(result.deviation);
  return result;
}

std::string in_words(const Column& column, const Cell& cell) {
  const std::string mean = fixed(cell.mean, column.decimals);
  return cell.deviation > 0 ? mean + " ± " + fixed(cell.deviation, column.decimals) : mean;
}

/// Those that some variant has.
std::vector<const Column*> columns_of(const Comparison& comparison) {
  std::vector<const Column*> columns;
  for (const Column& column : kColumns) {
    const auto has = [&](const Variant& variant) { return cell(column, variant).has_value(); };
    if (std::ranges::any_of(comparison.variants, has)) columns.push_back(&column);
  }
  return columns;
}

/// A text in a table's cell.
std::string escaped(const std::string& text) {
  std::string result;
  for (const char c : text) result += c == '|' ? std::string("\\|") : std::string(1, c == '\n' ? ' ' : c);
  return result;
}

std::string failures(const Comparison& comparison) {
  std::string text;
  for (const Variant& variant : comparison.variants) {
    for (const VariantRun& run : variant.runs) {
      if (run.scores) continue;
      text += "\n- " + variant.name + ", seed " + std::to_string(run.seed) + ", failed: " + escaped(run.failure);
    }
  }
  return text.empty() ? text : text + "\n";
}

}  // namespace

std::string as_markdown(const Comparison& comparison) {
  const std::vector<const Column*> columns = columns_of(comparison);
  std::string head = "| variant |";
  std::string rule = "|---|";
  for (const Column* column : columns) {
    head += std::string(" ") + column->title + " |";
    rule += "---:|";
  }
  std::string text = head + "\n" + rule + "\n";
  for (const Variant& variant : comparison.variants) {
    text += "| " + escaped(variant.name) + " |";
    for (const Column* column : columns) {
      const std::optional<Cell> value = cell(*column, variant);
      text += " " + (value ? in_words(*column, *value) : std::string("–")) + " |";
    }
    text += "\n";
  }
  return text + failures(comparison) + "\n" + std::to_string(comparison.pictures) + " pictures of " +
         escaped(comparison.captions) + ". " + comparison.how + "\n";
}

std::string as_json(const Comparison& comparison) {
  Json json = {{"captions", comparison.captions}, {"pictures", comparison.pictures}, {"how", comparison.how}};
  json["variants"] = Json::list();
  for (const Variant& variant : comparison.variants) {
    Json one = {{"name", variant.name}, {"recipe", variant.recipe}, {"parameters", variant.parameters}};
    one["images_per_second"] = variant.pictures_per_second;
    one["runs"] = Json::list();
    for (const VariantRun& run : variant.runs) {
      Json trained = {{"seed", run.seed}, {"model", run.model.filename().native()}};
      if (run.scores) {
        trained["scores"] = as_json(*run.scores);
      } else {
        trained["error"] = run.failure;
      }
      one["runs"].push_back(std::move(trained));
    }
    json["variants"].push_back(std::move(one));
  }
  return json.dump({.indent = 2, .lenient = true}) + "\n";
}

std::string as_bars(const Comparison& comparison) {
  std::vector<train::Panel> panels;
  for (const Column* column : columns_of(comparison)) {
    train::Panel& panel = panels.emplace_back();
    panel.title = column->title;
    panel.y_max = column->most;
    for (std::size_t i = 0; i < comparison.variants.size(); ++i) {
      const Variant& variant = comparison.variants[i];
      const std::optional<Cell> value = cell(*column, variant);
      if (!value) continue;
      panel.bars.push_back({variant.name, std::max(0.0, value->mean), train::series_colour(i),
                            in_words(*column, *value), value->deviation});
    }
  }
  return train::draw_chart(panels, "Comparison", {});
}

}  // namespace glimpse::eval
