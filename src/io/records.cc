#include "io/records.h"

#include <cmath>
#include <utility>

#include "core/json.h"
#include "core/numbers.h"
#include "core/text.h"

namespace glimpse::io {
namespace {

// Rounded so that a record shows what the model means and not the last bits of its arithmetic.
constexpr int kLogProbDecimals = 4;
constexpr int kAttentionDecimals = 6;
constexpr int kChannelDecimals = 4;

/// As it stands in text: rounded as in JSON.
std::string shown(double value, int decimals) { return fixed(rounded(value, decimals), decimals); }

std::string to_line(const Json& json) { return json.dump({.lenient = true}) + "\n"; }

/// [x, y, width, height] in whole pixels.
Json box_to_json(const Rect& box) {
  const long left = std::lround(box.x);
  const long top = std::lround(box.y);
  return Json::list({left, top, std::lround(box.x + box.width) - left, std::lround(box.y + box.height) - top});
}

/// With spaces between.
std::string joined(const std::vector<std::string>& files) {
  std::string text;
  for (const std::string& file : files) text += (text.empty() ? "" : " ") + file;
  return text;
}

/// path<TAB>caption, a line a caption; then, where asked for: log-probability, overlay, milliseconds.
class TextFormat : public RecordFormat {
 public:
  explicit TextFormat(RecordLayout layout) : layout_(std::move(layout)) {}

  std::string success(const Record& record) const override {
    std::string lines;
    for (std::size_t i = 0; i < record.captions.size(); ++i) {
      const Caption& caption = record.captions[i];
      lines += one_line(record.path) + '\t' + emphasised(caption.text);
      if (layout_.top > 1) lines += '\t' + shown(caption.log_prob, kLogProbDecimals);
      if (layout_.overlays) lines += '\t' + one_line(joined(record.overlays[i]));
      if (layout_.timing) lines += '\t' + shown(record.milliseconds, 1) + " ms";
      lines += '\n';
    }
    return lines;
  }

  std::optional<std::string> failure(const std::string& /*path*/, const Error& /*error*/) const override { return {}; }

 private:
  std::string emphasised(const std::string& caption) const {
    return layout_.emphasis ? layout_.emphasis(one_line(caption)) : one_line(caption);
  }

  RecordLayout layout_;
};

class JsonFormat : public RecordFormat {
 public:
  explicit JsonFormat(RecordLayout layout) : layout_(std::move(layout)) {}

  std::string success(const Record& record) const override {
    const Caption& best = record.captions.front();
    Json json = {{"path", record.path}, {"width", record.width}, {"height", record.height}, {"caption", best.text}};
    json["log_prob"] = rounded(best.log_prob, kLogProbDecimals);
    json["score"] = rounded(best.score, kLogProbDecimals);
    json["words"] = Json::list();
    for (const Glimpse& glimpse : best.glimpses) {
      json["words"].push_back({{"word", glimpse.word},
                               {"log_prob", rounded(glimpse.log_prob, kLogProbDecimals)},
                               {"beta", rounded(glimpse.beta, kLogProbDecimals)},
                               {"box", box_to_json(glimpse.box)}});
    }
    if (layout_.attention) json["attention"] = attention(best);
    if (layout_.top > 1) {
      json["candidates"] = Json::list();
      for (const Caption& caption : record.captions) {
        json["candidates"].push_back({{"caption", caption.text},
                                      {"log_prob", rounded(caption.log_prob, kLogProbDecimals)},
                                      {"score", rounded(caption.score, kLogProbDecimals)}});
      }
    }
    if (layout_.overlays) {
      json["overlays"] = Json::list();
      for (const std::vector<std::string>& files : record.overlays) {
        for (const std::string& file : files) json["overlays"].push_back(file);
      }
    }
    json["model"] = layout_.model;
    if (layout_.timing) json["ms"] = rounded(record.milliseconds, 1);
    return to_line(json);
  }

  std::optional<std::string> failure(const std::string& path, const Error& error) const override {
    return to_line({{"path", path}, {"error", {{"code", to_string(error.code())}, {"message", error.what()}}}});
  }

 private:
  Json attention(const Caption& caption) const {
    Json weights = Json::list();
    for (const Glimpse& glimpse : caption.glimpses) {
      Json row = Json::list();
      for (const float weight : glimpse.alpha) row.push_back(rounded(weight, kAttentionDecimals));
      weights.push_back(std::move(row));
    }
    Json json = {{"rows", layout_.rows}, {"cols", layout_.cols}, {"weights", std::move(weights)}};
    if (!caption.glimpses.empty() && !caption.glimpses.front().channels.empty()) json["channels"] = channels(caption);
    return json;
  }

  static Json channels(const Caption& caption) {
    Json weights = Json::list();
    for (const Glimpse& glimpse : caption.glimpses) {
      Json row = Json::list();
      for (const float weight : glimpse.channels) row.push_back(rounded(weight, kChannelDecimals));
      weights.push_back(std::move(row));
    }
    return weights;
  }

  RecordLayout layout_;
};

class CsvFormat : public RecordFormat {
 public:
  explicit CsvFormat(RecordLayout layout) : layout_(std::move(layout)) {}

  std::string header() const override {
    std::vector<std::string> names = {"path", "width", "height", "rank", "caption", "log_prob", "score"};
    if (layout_.overlays) names.emplace_back("overlay");
    if (layout_.timing) names.emplace_back("ms");
    names.emplace_back("model");
    names.emplace_back("error");
    return to_line(names);
  }

  std::string success(const Record& record) const override {
    std::string lines;
    for (std::size_t i = 0; i < record.captions.size(); ++i) {
      const Caption& caption = record.captions[i];
      std::vector<std::string> fields = {record.path,
                                         std::to_string(record.width),
                                         std::to_string(record.height),
                                         std::to_string(i + 1),
                                         caption.text,
                                         shown(caption.log_prob, kLogProbDecimals),
                                         shown(caption.score, kLogProbDecimals)};
      if (layout_.overlays) fields.push_back(joined(record.overlays[i]));
      if (layout_.timing) fields.push_back(shown(record.milliseconds, 1));
      fields.push_back(layout_.model);
      fields.emplace_back();
      lines += to_line(fields);
    }
    return lines;
  }

  std::optional<std::string> failure(const std::string& path, const Error& error) const override {
    std::vector<std::string> fields = {path, "", "", "", "", "", ""};
    if (layout_.overlays) fields.emplace_back();
    if (layout_.timing) fields.emplace_back();
    fields.push_back(layout_.model);
    fields.emplace_back(error.what());
    return to_line(fields);
  }

 private:
  /// RFC 4180: fields with commas, quotes or line breaks in quotes, quotes doubled, lines end with CR LF.
  static std::string to_line(const std::vector<std::string>& fields) {
    std::string line;
    for (const std::string& field : fields) {
      if (!line.empty() || &field != &fields.front()) line += ',';
      if (field.find_first_of(",\"\r\n") == std::string::npos) {
        line += field;
        continue;
      }
      line += '"';
      for (const char c : field) line += c == '"' ? std::string("\"\"") : std::string(1, c);
      line += '"';
    }
    return line + "\r\n";
  }

  RecordLayout layout_;
};

}  // namespace

std::string record_path(const std::string& path) {
  return parse_json(Json(path).dump({.lenient = true}), "a path").get<std::string>().value();
}

std::optional<EarlierRecord> parse_record(std::string_view line) {
  constexpr int kDeepest = 16;
  JsonFault fault;
  const Json json = parse_json(line, kDeepest, fault).value_or(Json());
  const auto path = json.at("path").get<std::string>();
  const auto caption = json.at("caption").get<std::string>();
  EarlierRecord record;
  record.failed = json.find("error") != nullptr;
  if (!path || (!caption && !record.failed)) return std::nullopt;
  record.path = *path;
  record.caption = caption.value_or("");
  record.model = json.at("model").get<std::string>().value_or("");
  return record;
}

RecordLayout record_layout(const ModelConfig& config) {
  RecordLayout layout;
  layout.model = config.name;
  layout.rows = config.rows;
  layout.cols = config.cols;
  return layout;
}

std::unique_ptr<RecordFormat> make_record_format(Format format, RecordLayout layout) {
  switch (format) {
    case Format::kJson:
      return std::make_unique<JsonFormat>(std::move(layout));
    case Format::kCsv:
      return std::make_unique<CsvFormat>(std::move(layout));
    case Format::kText:
      break;
  }
  return std::make_unique<TextFormat>(std::move(layout));
}

}  // namespace glimpse::io
