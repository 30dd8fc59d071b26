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
  /// Reads what it can: a missing file, or lines that make no sense, are as if they were not there. Never throws for
  /// what a file holds. An empty path remembers nothing beyond this object.
  explicit TuningCache(std::filesystem::path path);

  const VariantTimes* find(const std::string& key) const;
  /// `keep`: for other processes too.
  void insert(const std::string& key, const VariantTimes& times, bool keep);
  /// Where something was inserted to be kept: writes it, and what other processes have written meanwhile, atomically;
  /// gives up silently where that fails.
  void save();

 private:
  using Entries = std::map<std::string, VariantTimes>;
  static Entries read(const std::filesystem::path& path);

  std::filesystem::path path_;
  Entries entries_;
  Entries fresh_;
};

}  // namespace glimpse::dnn
