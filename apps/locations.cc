#include "locations.h"

#include <cstdlib>
#include <string_view>
#include <vector>

#include "core/error.h"

namespace glimpse::apps {
namespace {

namespace fs = std::filesystem;

constexpr std::string_view kDefaultModel = "glimpse-seed.safetensors";

/// An environment variable's value; nothing where it is not set.
std::optional<std::string> environment(const char* name) {
  const char* value = std::getenv(name);
  return value == nullptr ? std::nullopt : std::optional<std::string>(value);
}

fs::path default_model() {
  std::error_code error;
  const fs::path folder = fs::read_symlink("/proc/self/exe", error).parent_path();
  const std::vector<fs::path> candidates = {folder / kDefaultModel, folder / "models" / kDefaultModel,
                                            (folder / GLIMPSE_MODELS_FROM_BIN / kDefaultModel).lexically_normal()};
  std::string looked;
  for (const fs::path& candidate : candidates) {
    if (fs::exists(candidate, error)) return candidate;
    looked += (looked.empty() ? "" : ", ") + quote(candidate.native());
  }
  throw Error(ErrorCode::kModel,
              "there is no default model; looked for " + looked + "; give one with --model FILE or in GLIMPSE_MODEL");
}

}  // namespace

Model load_model(const std::optional<std::string>& given) {
  const std::optional<std::string> from_environment = given ? std::nullopt : environment("GLIMPSE_MODEL");
  const bool use_environment = from_environment && !from_environment->empty();
  const fs::path path = given ? fs::path(*given) : use_environment ? fs::path(*from_environment) : default_model();
  try {
    return Model::load(path);
  } catch (const Error& error) {
    throw Error(ErrorCode::kModel, error.what() + std::string(use_environment ? " (GLIMPSE_MODEL)" : ""));
  }
}

fs::path tuning_cache() {
  fs::path folder;
  if (const std::optional<std::string> own = environment("GLIMPSE_CACHE")) {
    folder = *own;
  } else if (const std::optional<std::string> xdg = environment("XDG_CACHE_HOME"); xdg && !xdg->empty()) {
    folder = fs::path(*xdg) / "glimpse";
  } else if (const std::optional<std::string> home = environment("HOME"); home && !home->empty()) {
    folder = fs::path(*home) / ".cache" / "glimpse";
  }
  if (folder.empty()) return {};
  std::error_code ignored;  // an unwritable cache only costs the measuring
  fs::create_directories(folder, ignored);
  return folder / "convolutions.txt";
}

}  // namespace glimpse::apps
