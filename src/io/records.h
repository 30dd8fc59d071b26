/// Formats of a picture's record: text for people, JSON lines and CSV (RFC 4180) for programs. The same picture and
/// options give the same bytes, unless times are asked for.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "core/error.h"
#include "decoder/caption.h"
#include "model/model.h"

namespace glimpse::io {

enum class Format { kText, kJson, kCsv };

/// What all records of a run have in common.
struct RecordLayout {
  std::string model;  ///< its name
  int rows = 0;       ///< of the attention map
  int cols = 0;
  int top = 1;  ///< captions asked for
  bool attention = false;
  bool timing = false;
  bool overlays = false;
  /// Makes captions stand out in text, on a terminal; empty: they stand as they are.
  std::function<std::string(std::string_view)> emphasis = {};
};

/// What the model says of it.
RecordLayout record_layout(const ModelConfig& config);

struct Record {
  std::string path;
  int width = 0;  ///< of the upright original
  int height = 0;
  std::span<const Caption> captions;               ///< best first, at least one
  std::vector<std::vector<std::string>> overlays;  ///< the files of each caption's; empty where none are drawn
  double milliseconds = 0;
};

/// Turns records into complete lines.
class RecordFormat {
 public:
  virtual ~RecordFormat() = default;
  virtual std::string header() const { return {}; }
  virtual std::string success(const Record& record) const = 0;
  /// Nothing where failures do not belong among the results: they are then reported on standard error.
  virtual std::optional<std::string> failure(const std::string& path, const Error& error) const = 0;
};

/// A JSON line read back, for resuming.
struct EarlierRecord {
  std::string path;     ///< as `record_path` gives it
  std::string caption;  ///< empty where the picture failed
  std::string model;    ///< likewise
  bool failed = false;
};

/// How a path stands in JSON: bytes that are not UTF-8 are replaced, so that paths that are not the same may be so
/// here.
std::string record_path(const std::string& path);
/// Nothing where `line` is no record.
std::optional<EarlierRecord> parse_record(std::string_view line);

std::unique_ptr<RecordFormat> make_record_format(Format format, RecordLayout layout);

}  // namespace glimpse::io
