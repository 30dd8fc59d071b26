/// The log of a training: an append-only file of JSON lines.
///
///     {"stage":"distill","epoch":1,"step":20,"loss":{"total":0.9,"map":0.9},"learning_rate":0.0001,"pictures_per_second":31.5}
///     {"stage":"distill","epoch":1,"step":300,"validation":{"explained":0.12},"best":true}
#pragma once

#include <cstdint>
#include <filesystem>
#include <fstream>
#include <string>
#include <vector>

#include "train/run/observer.h"

namespace glimpse::train {

/// What is written of a step. Numbers that are not finite are written as null.
struct StepRecord {
  std::string stage;
  int epoch = 0;          ///< from 1 on
  std::int64_t step = 0;  ///< of the stage, from 1 on
  Measures losses;        ///< parts of the loss; the first is the whole
  double learning_rate = 0;
  double pictures_per_second = 0;
};

/// Appends lines to a journal; each is in the file when the call returns.
class Journal {
 public:
  /// Opens `path`, which need not exist, and cuts off what was written after step `step` of `stage`: a training goes on
  /// from there. An empty stage begins anew. Throws Error: kPermission, kIo, kMissing for the file; kUsage naming the
  /// line for one that is no line of a journal (a last one that was cut short is simply dropped).
  Journal(std::filesystem::path path, const std::string& stage, std::int64_t step);

  /// Both throw Error(kIo) where the disk is full.
  void write(const StepRecord& record);
  void write(const Validation& validation);

 private:
  void write_line(const std::string& line);

  std::filesystem::path path_;
  std::ofstream stream_;
};

/// A journal's line as it is read back: a step's losses or a validation's scores. Nulls are left out.
struct JournalEntry {
  std::string stage;
  int epoch = 0;
  std::int64_t step = 0;
  bool is_validation = false;
  Measures values;
};

/// Throws as Journal does.
std::vector<JournalEntry> read_journal(const std::filesystem::path& path);

}  // namespace glimpse::train
