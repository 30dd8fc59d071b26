/// Names the files of overlays.
#pragma once

#include <filesystem>
#include <set>
#include <string>

namespace glimpse::io {

/// Makes `folder` where it is missing. Throws Error: kUsage naming `option` where a file is in the way; kPermission,
/// kIo.
void make_folder(const std::filesystem::path& folder, const std::string& option);

/// Beginnings of file names that no other picture of this run has: photo, and photo-2 for the next photo of that name.
class OverlayNames {
 public:
  explicit OverlayNames(std::filesystem::path folder);
  std::filesystem::path next(const std::filesystem::path& picture);

 private:
  std::filesystem::path folder_;
  std::set<std::string> used_;
};

}  // namespace glimpse::io
