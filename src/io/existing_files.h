/// How a run treats existing files.
#pragma once

#include <filesystem>

#include "core/error.h"

namespace glimpse::io {

struct ExistingFiles {
  bool replace = false;  ///< --overwrite
  bool resume = false;   ///< the run goes on after one that was interrupted, which may have left some
  bool skip = false;     ///< --skip-existing: pictures that have a sidecar are left out
};

/// Also a link that leads nowhere is there.
bool is_there(const std::filesystem::path& file);

/// Where the file of a run's first picture is in the way, so are probably all: kUsage. A later one's is its own
/// failure, kIo, and so are those of a run that goes on.
Error exists_already(const std::filesystem::path& file, const ExistingFiles& existing, bool first, bool sidecars);

}  // namespace glimpse::io
