/// The report of a run: a folder with a page that people open in a browser, from disk, without a server or a network. A
/// gallery of all pictures with their captions; behind each word where the model looked; what failed, and why.
///
///     index.html                        the page; with the style and scripts beside it, the same in every report
///     glimpse/run.js                    title, model
///     glimpse/entries.js                a line a picture or failure, only ever added to
///     glimpse/pictures/008/090.js       one picture's words and attention, read when it is opened
///     glimpse/pictures/008/090.jpg      the picture, and 090.thumb.jpg where that is much smaller
///
/// Names on disk are numbers, never the inputs'. What comes from outside stands in JSON strings only and is shown as
/// text. The same entries give the same bytes, in one run or in several.
#pragma once

#include <cstddef>
#include <filesystem>
#include <fstream>
#include <span>
#include <string>
#include <unordered_map>

#include "core/error.h"
#include "decoder/caption.h"
#include "image/image.h"

namespace glimpse {

struct ReportOptions {
  std::string title;  ///< of the page
  std::string model;  ///< its name
  int rows = 0;       ///< of the attention maps
  int cols = 0;
};

/// One picture's share of the report, ready to be written.
class ReportEntry {
 public:
  ReportEntry(ReportEntry&&) noexcept = default;
  ReportEntry& operator=(ReportEntry&&) noexcept = default;

 private:
  friend class Report;
  ReportEntry() = default;

  std::string path_;     ///< as given, which tells pictures apart
  std::string summary_;  ///< the members of its line's JSON object but for the number
  std::string details_;  ///< JSON; empty for a failure, like what follows
  std::string picture_;  ///< JPEG
  std::string thumb_;    ///< JPEG; empty where the picture is small enough itself
};

class Report {
 public:
  enum class Start {
    kNew,      ///< an earlier report in the folder is replaced, all of its files
    kContinue  ///< its entries are kept, but for a last one that was cut short; without one, a new report
  };

  /// Makes the folder where it is missing, and a page that can be opened from then on. Throws Error: kUsage for a
  /// folder with an index.html that is no report's, for a report of another model to be continued, and for one whose
  /// entries are damaged elsewhere than at the end; kPermission, kIo.
  Report(std::filesystem::path folder, ReportOptions options, Start start);

  /// Whether there is a report in the folder.
  static bool exists(const std::filesystem::path& folder);

  /// `picture` may have been scaled down; `transform` is what the model saw it through. Best caption first, at least
  /// one; alphas [rows, cols]. From any thread. Throws Error(kInternal).
  ReportEntry success(const std::string& path, const Image& picture, const ViewTransform& transform,
                      std::span<const Caption> captions) const;
  /// From any thread.
  ReportEntry failure(const std::string& path, const Error& error) const;

  /// Writes an entry, after those before it; one of the same path is replaced where it stands. From one thread. It is
  /// in the report, whatever happens to the program, when the call returns. Throws Error(kIo, kPermission).
  void add(ReportEntry entry);

  /// Drops what was replaced, and says on the page that it is complete. Throws Error(kIo, kPermission).
  void finish();

  std::size_t size() const { return numbers_.size(); }

 private:
  void read_entries();
  void open_entries();
  void write_run(bool complete) const;

  std::filesystem::path folder_;
  ReportOptions options_;
  std::unordered_map<std::string, std::size_t> numbers_;  ///< by path
  std::ofstream entries_;
  std::size_t bytes_ = 0;  ///< of the entries' file
  bool replaced_ = false;  ///< the file has lines that later ones replace
};

}  // namespace glimpse
