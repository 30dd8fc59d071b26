/// Where glimpse finds its model and keeps what it measured.
///
///     glimpse::CaptionerOptions options;
///     options.tuning_cache = glimpse::tuning_cache();
///     const glimpse::Captioner captioner(glimpse::load_model(), options);
#pragma once

#include <filesystem>
#include <optional>
#include <string>

#include "model/model.h"

namespace glimpse {

/// A file of those that come with glimpse in models/: beside the program, in models/ there, in the install tree that
/// the program stands in, or where glimpse was installed. Throws Error(kModel): there is no `what`, where it looked,
/// and `remedy`.
std::filesystem::path shipped_file(const std::filesystem::path& name, const std::string& what,
                                   const std::string& remedy);

/// The model that `given` names, else GLIMPSE_MODEL, else the one that comes with glimpse. Every failure, also a
/// missing file, is an Error(kModel): it says where it looked.
Model load_model(const std::optional<std::string>& given = {});

/// The file for measured convolution timings: in GLIMPSE_CACHE, else XDG_CACHE_HOME/glimpse, else ~/.cache/glimpse. The
/// folder is made where it can be. Empty, which means remember nothing, where GLIMPSE_CACHE is set but empty or there
/// is no home.
std::filesystem::path tuning_cache();

}  // namespace glimpse
