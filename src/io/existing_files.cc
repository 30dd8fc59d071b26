#include "io/existing_files.h"

namespace glimpse::io {

namespace fs = std::filesystem;

bool is_there(const fs::path& file) {
  std::error_code unknown;
  return fs::exists(fs::symlink_status(file, unknown));
}

Error exists_already(const fs::path& file, const ExistingFiles& existing, bool first, bool sidecars) {
  return {first && !existing.resume ? ErrorCode::kUsage : ErrorCode::kIo,
          quote(file.native()) + " exists already; --overwrite replaces such files" +
              (sidecars ? ", --skip-existing leaves out pictures that have a sidecar" : "")};
}

}  // namespace glimpse::io
