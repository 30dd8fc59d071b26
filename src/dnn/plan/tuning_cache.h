/// The file that remembers how long each variant of a convolution took on this machine. Text, a line a problem:
/// "<key> | <seconds preferred> <seconds blocked> <seconds Winograd>", "-" for a variant that does not exist. Internal
/// to src/dnn.
#pragma once

#include <array>
#include <filesystem>
#include <map>
#include <optional>
#include <string>

namespace glimpse::dnn {

/// Seconds by ConvolutionVariant.
using VariantTimes = std::array<std::optional<double>, 3>;

class TuningCache {
 public:
  /// Reads the file; a missing file and malformed lines are ignored. Never throws for a file's content. An empty path:
  /// nothing is kept beyond this object.
  explicit TuningCache(std::filesystem::path path);

  const VariantTimes* find(const std::string& key) const;
  /// `keep`: for other processes too.
  void insert(const std::string& key, const VariantTimes& times, bool keep);
  /// Writes new entries that are to be kept, merged with those of other processes, atomically. A failure to write is
  /// silent.
  void save();

 private:
  using Entries = std::map<std::string, VariantTimes>;
  static Entries read(const std::filesystem::path& path);

  std::filesystem::path path_;
  Entries entries_;
  Entries fresh_;
};

}  // namespace glimpse::dnn
