#include "io/overlay_files.h"

#include <utility>

#include "core/error.h"

namespace glimpse::io {

namespace fs = std::filesystem;

void make_folder(const fs::path& folder, const std::string& option) {
  std::error_code error;
  fs::create_directories(folder, error);
  std::error_code unknown;
  if (fs::is_directory(folder, unknown)) return;
  if (fs::exists(folder, unknown)) {
    throw Error(ErrorCode::kUsage, option + " takes a folder; " + quote(folder.native()) + " is a file");
  }
  throw Error(error == std::errc::permission_denied ? ErrorCode::kPermission : ErrorCode::kIo,
              "cannot make the folder " + quote(folder.native()) + ": " + error.message());
}

OverlayNames::OverlayNames(fs::path folder) : folder_(std::move(folder)) {}

fs::path OverlayNames::next(const fs::path& picture) {
  const std::string stem = picture.stem().string();
  std::string name = stem;
  for (int number = 2; !used_.insert(name).second; ++number) name = stem + "-" + std::to_string(number);
  return folder_ / name;
}

}  // namespace glimpse::io
